"""What a request says, read from its query and its body. Called by `http` only."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request

from projects.sim_cluster.api.decoding import fields_twice, parse_json, parse_yaml
from projects.sim_cluster.api.errors import (
    Cause,
    bad_request,
    forbidden_change,
    invalid_options,
    invalid_value,
    not_supported,
    unsupported_media_type,
)
from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.protobuf import MEDIA_TYPE, Decoder
from projects.sim_cluster.api.requests import DeleteOptions, ListOptions, PatchType, WriteOptions
from projects.sim_cluster.api.routing import Target, flag, integer
from projects.sim_cluster.api.watches import WatchOptions
from projects.sim_cluster.clock import Timing

_PATCHES: Final[dict[str, PatchType]] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_WITH_FIELDS: Final = (
    "application/json", "", "*/*", "application/merge-patch+json", "application/strategic-merge-patch+json",
)  # fmt: skip
_VALIDATION: Final = ("", "Ignore", "Strict", "Warn")
_PROPAGATION: Final = ("Foreground", "Background", "Orphan", "nil")
_LONGEST_MANAGER: Final = 128


async def read_body(request: Request, kind: Kind, protobuf: Decoder) -> Any:
    """Return the parsed body of a create or an update."""
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    body = await request.body()
    if media == "application/yaml":
        return parse_yaml(body)
    if media == MEDIA_TYPE and not kind.custom:
        return protobuf.decode(body)
    if media not in {"application/json", "", "*/*"}:
        raise unsupported_media_type()
    return parse_json(body, kind)


async def twice_in(request: Request) -> tuple[str, ...]:
    """Return the fields that a JSON body, known to be one, holds twice."""
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if request.query_params.get("fieldValidation") == "Ignore" or media not in _WITH_FIELDS:
        return ()
    return tuple(fields_twice(await request.body()))


async def decode_patch(request: Request) -> tuple[PatchType, Any]:
    """Return the type and the content of a patch."""
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    if (patch_type := _PATCHES.get(media)) is None:
        raise unsupported_media_type()
    body = await request.body()
    if patch_type == "apply":
        return patch_type, parse_yaml(body)
    try:
        return patch_type, json.loads(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None


def first_of(request: Request) -> dict[str, str]:
    """Return the query, of each parameter the first that was given, as the server reads it."""
    return dict(reversed(request.query_params.multi_items()))


def _checked(kind: str, causes: list[Cause]) -> None:
    if causes:
        raise invalid_options(kind, causes)


def _dry_run(values: list[str]) -> list[Cause]:
    return [] if set(values) <= {"All"} else [not_supported("dryRun", shown(values), ["All"])]


def write_options(request: Request, target: Target, user: User) -> WriteOptions:
    """Return the options of a create, an update or a patch."""
    query = request.query_params
    applies = request.headers.get("content-type", "").startswith("application/apply-patch")
    agent = request.headers.get("user-agent", "unknown").partition("/")[0]
    validation, manager = query.get("fieldValidation", ""), query.get("fieldManager", "")
    causes = _dry_run(query.getlist("dryRun"))
    if validation not in _VALIDATION:
        causes.append(not_supported("fieldValidation", shown(validation), _VALIDATION))
    if len(manager) > _LONGEST_MANAGER:
        causes.append(
            Cause("fieldManager", "FieldValueTooLong", f"Too long: may not be more than {_LONGEST_MANAGER} bytes")
        )
    if request.method == "PATCH" and not applies and "force" in query:
        causes.append(forbidden_change("force", "may not be specified for non-apply patch"))
    _checked({"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(request.method, "PatchOptions"), causes)
    return WriteOptions(
        manager=manager or ("" if applies else agent),
        by=user,
        dry_run="All" in query.getlist("dryRun"),
        validation=validation or "Warn",
        force=flag(query, "force"),
        subresource=target.subresource,
        said=_said(query),
    )


def _said(query: QueryParams) -> Object:
    """Return what a query says of how to write, as admission is told."""
    given = {name: query[name] for name in ("fieldManager", "fieldValidation") if query.get(name)}
    return ({"dryRun": ["All"]} if "dryRun" in query else {}) | given


def list_options(request: Request, target: Target) -> ListOptions:
    """Return the options of a list."""
    query = first_of(request)
    integer(query, "timeoutSeconds")  # a list takes no time, but what is no number is refused
    return ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=max(0, integer(query, "limit")),
        continue_token=query.get("continue", ""),
        version=query.get("resourceVersion", "") if not target.name else "",
        version_match=query.get("resourceVersionMatch", ""),
        initial_events=flag(query, "sendInitialEvents"),
    )


def watch_options(request: Request, target: Target) -> WatchOptions:
    """Return the options of a watch; a watch of one object is a watch of its name."""
    query = first_of(request)
    fields = query.get("fieldSelector", "")
    if target.name:
        fields = f"metadata.name={target.name}"
    return WatchOptions(
        labels=query.get("labelSelector", ""),
        fields=fields,
        version=query.get("resourceVersion", ""),
        timeout=float(integer(query, "timeoutSeconds")),
        timing=Timing.CLIENT if request.headers.get("foresail-clock") == "cluster" else Timing.REAL,
        bookmarks=flag(query, "allowWatchBookmarks"),
        initial_events=flag(query, "sendInitialEvents"),
        version_match=query.get("resourceVersionMatch", ""),
    )


async def delete_options(request: Request, user: User, protobuf: Decoder) -> DeleteOptions:
    """Return the options of a delete that somebody asks for, from its body and its query."""
    raw = await request.body()
    try:
        if raw and request.headers.get("content-type", "").startswith(MEDIA_TYPE):
            body = protobuf.decode(raw)
        else:
            body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise bad_request(f"error decoding DeleteOptions: {error}") from None
    query = request.query_params
    preconditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds")
    if grace is None and "gracePeriodSeconds" in query:
        grace = integer(query, "gracePeriodSeconds")
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy", "")
    dry_run = body.get("dryRun") or query.getlist("dryRun")
    causes = _dry_run(dry_run)
    if propagation not in {"", *_PROPAGATION[:3]}:
        causes.append(not_supported("propagationPolicy", shown(propagation), _PROPAGATION))
    elif propagation and body.get("orphanDependents") is not None:
        message = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(invalid_value("propagationPolicy", shown(propagation), message))
    _checked("DeleteOptions", causes)
    if not propagation and (orphans := body.get("orphanDependents")) is not None:
        propagation = "Orphan" if orphans else "Background"
    return DeleteOptions(
        by=user,
        propagation=propagation,
        grace_seconds=grace,
        uid=preconditions.get("uid", ""),
        version=preconditions.get("resourceVersion", ""),
        dry_run="All" in dry_run,
        said=_deleting(body, grace, propagation, dry_run),
    )


def _deleting(body: Object, grace: int | None, propagation: str, dry_run: list[str]) -> Object:
    """Return what a request says of how to delete, as admission is told."""
    given = {key: body[key] for key in ("preconditions", "orphanDependents") if body.get(key) is not None}
    given |= {"gracePeriodSeconds": grace} if grace is not None else {}
    given |= {"propagationPolicy": propagation} if propagation and "orphanDependents" not in given else {}
    return given | ({"dryRun": dry_run} if dry_run else {})
