"""AdmissionReviews: the question to a webhook as a document, and what its answer means. Called by `hooks`."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.webhooks.attributes import Attributes, Form

_VERSION: Final = "admission.k8s.io/v1"
_LEAST_REFUSAL: Final = 400


class CallFailedError(Exception):
    """A webhook that could not be asked, or has not answered as it has to."""


@dataclass(frozen=True)
class Verdict:
    """What a webhook answers: the warnings are to be told, the patch (empty when there is none) is to be applied."""

    allowed: bool
    warnings: tuple[str, ...] = ()
    patch: bytes = b""
    patch_type: str = ""
    status: Object | None = None


def review(uid: str, attributes: Attributes, kind: Kind) -> Object:
    """Return the question about a request, shown as one of a version of the resource."""
    asked = {
        "uid": uid,
        **_about("kind", "resource", "subResource", attributes, kind),
        **_about("requestKind", "requestResource", "requestSubResource", attributes, attributes.kind),
        **({"name": attributes.name} if attributes.name else {}),
        **({"namespace": attributes.namespace} if attributes.namespace else {}),
        "operation": attributes.operation,
        "userInfo": attributes.by.as_info(),
        "object": attributes.shown_as(kind, attributes.object),
        "oldObject": attributes.shown_as(kind, attributes.old),
        "dryRun": attributes.dry_run,
        "options": attributes.options,
    }
    return {"kind": "AdmissionReview", "apiVersion": _VERSION, "request": asked}


def _about(of_kind: str, of_resource: str, of_part: str, attributes: Attributes, kind: Kind) -> Object:
    form: Form = attributes.form_as(kind)
    about: Object = {
        of_kind: form._asdict(),
        of_resource: {"group": kind.group, "version": kind.version, "resource": kind.resource},
    }
    return about | ({of_part: attributes.subresource} if attributes.subresource else {})


def verdict(uid: str, answer: Any, *, mutating: bool) -> Verdict:
    """Return what an answer to a question means; raise when it is not one."""
    response = answer.get("response")
    if not isinstance(response, dict):
        raise _invalid("webhook response was absent")
    if response.get("uid") != uid:
        raise _invalid(f'expected response.uid="{uid}", got {json.dumps(response.get("uid") or "")}')
    group, _, version = str(answer.get("apiVersion", "")).rpartition("/")
    if (found := (f"{group}/{version}", answer.get("kind"))) != (_VERSION, "AdmissionReview"):
        got = f"{found[0]}, Kind={found[1]}"
        raise _invalid(f"expected webhook response of {_VERSION}, Kind=AdmissionReview, got {got}")
    patch = _patch_of(response, mutating=mutating)
    said = tuple(str(each) for each in response.get("warnings") or ())
    kind = str(response.get("patchType") or "")
    return Verdict(bool(response.get("allowed")), said, patch, kind, response.get("status"))


def _patch_of(response: Object, *, mutating: bool) -> bytes:
    encoded, kind = response.get("patch"), response.get("patchType")
    if not mutating:
        if encoded:
            raise _invalid("validating webhook may not return response.patch")
        if kind is not None:
            raise _invalid("validating webhook may not return response.patchType")
        return b""
    if encoded and kind is None:
        raise _invalid("webhook returned response.patch but not response.patchType")
    if not encoded and kind is not None:
        raise _invalid("webhook returned response.patchType but not response.patch")
    if kind is not None and not kind:
        raise _invalid(f'webhook returned invalid response.patchType of "{kind}"')
    try:
        return base64.b64decode(encoded or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise CallFailedError("failed to call webhook: illegal base64 data at input byte 0") from None


def _invalid(why: str) -> CallFailedError:
    return CallFailedError(f"received invalid webhook response: {why}")


def denial(name: str, status: Object | None) -> ApiError:
    """Return the refusal of a webhook, in the server's words around its own."""
    said = status or {}
    by = f'admission webhook "{name}" denied the request'
    why = said.get("message") or said.get("reason")
    code = int(said.get("code") or 0)
    message = f"{by}: {why}" if why else f"{by} without explanation"
    return ApiError(max(code, _LEAST_REFUSAL), said.get("reason") or "", message, said.get("details"))


def failure(name: str, error: CallFailedError) -> ApiError:
    """Return the refusal of a request that a webhook has to admit and cannot."""
    return internal(f'failed calling webhook "{name}": {error}')


def internal(why: str) -> ApiError:
    """Return 500 of something that went wrong in the server."""
    details = {"causes": [{"message": why}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", details)


def no_dry_run(name: str) -> ApiError:
    """Return the refusal of a dry run by a webhook that would do more than answer."""
    return ApiError(400, "BadRequest", f'admission webhook "{name}" does not support dry run')
