"""ValidatingAdmissionPolicies: which of them are about a write, and what they decide. A check of `writes` and `deletes`.

What an expression says is the matter of `cel.policies`. Order and wording: k8s.io/apiserver pkg/admission/plugin/policy/validating.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.admission_matching import as_matched
from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.authorization import Authorizer
from projects.sim_cluster.api.errors import ApiError, forbidden
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.selectors import selects
from projects.sim_cluster.api.store import Store

_GROUP: Final = "admissionregistration.k8s.io"
_POLICIES: Final = (_GROUP, "validatingadmissionpolicies")
_BINDINGS: Final = (_GROUP, "validatingadmissionpolicybindings")
_NAMESPACES: Final = ("", "namespaces")
_CODES: Final = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413}


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a policy does not let a write pass."""

    message: str
    reason: str = "Invalid"


class UnfitParamsError(Exception):
    """A binding whose params cannot be found."""


class AdmissionPolicies:
    """Judges writes by the policies that are stored.

    Args:
      store: Where they, their bindings and params are.
      registry: Of which kinds params are.
      authorizer: Whom an expression may ask.
    """

    def __init__(self, store: Store, registry: Registry, authorizer: Authorizer) -> None:
        self.store, self.registry, self.authorizer = store, registry, authorizer

    def review(self, asked: AdmissionRequest) -> list[str]:
        """Refuse what a policy denies; return what others warn of."""
        if not self.store.count(_BINDINGS) or asked.kind.storage in {_POLICIES, _BINDINGS}:
            return []
        denied: list[tuple[str, Denial]] = []
        warnings: list[str] = []
        for policy, binding in self._pairs():
            names = f"'{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
            for denial in self._denials(policy, binding, asked):
                actions = binding["spec"].get("validationActions") or ()
                if "Deny" in actions:
                    denied.append((names, denial))
                if "Warn" in actions:
                    warnings.append(f"Validation failed for ValidatingAdmissionPolicy {names}: {denial.message}")
        if denied:
            raise _refusal(asked.kind, asked.name, *denied[0], warnings)
        return warnings

    def _pairs(self) -> Iterator[tuple[Object, Object]]:
        bindings = [stored.object for stored in self.store.list(_BINDINGS)]
        for policy in (stored.object for stored in self.store.list(_POLICIES)):
            yield from ((policy, each) for each in bindings if each["spec"]["policyName"] == policy["metadata"]["name"])

    def _denials(self, policy: Object, binding: Object, asked: AdmissionRequest) -> Iterator[Denial]:
        matched = as_matched(policy["spec"].get("matchConstraints") or {}, asked, self.store, self.registry)
        bound = as_matched(binding["spec"].get("matchResources") or {}, asked, self.store, self.registry)
        if matched is None or bound is None:
            return
        from projects.sim_cluster.api.cel.policies import Evaluation  # noqa: PLC0415 - few clusters have policies

        try:
            found = self._params(policy["spec"].get("paramKind"), binding["spec"].get("paramRef"), asked.namespace)
        except UnfitParamsError as error:
            if policy["spec"].get("failurePolicy") != "Ignore":
                yield Denial(f"failed to configure binding: {error}")
            return
        namespace = self.store.get(_NAMESPACES, "", asked.namespace) if asked.namespace else None
        for params in found:
            values = {"params": params, "namespaceObject": namespace.object if namespace else None}
            yield from Evaluation(policy["spec"], matched, values, self.authorizer).denials()

    def _params(self, kind: Object | None, named: Object | None, namespace: str) -> list[Any]:
        """Return what a policy is to be evaluated with: once with nothing, or once with each object that a binding names."""
        if kind is None or named is None:
            return [None]
        of = self.registry.of_object(kind["apiVersion"], kind["kind"])
        if of is None:
            raise UnfitParamsError(f"failed to find resource referenced by paramKind: '{_gvk(kind)}'")
        inside = named.get("namespace", namespace) if of.namespaced else ""
        if of.namespaced and not inside:
            raise UnfitParamsError(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            )
        if name := named.get("name"):
            stored = self.store.get(of.storage, inside, name)
            found = [of.served(stored.object)] if stored else []
        else:
            listed = (each.object for each in self.store.list(of.storage, inside))
            selector = named.get("selector") or {}
            found = [of.served(each) for each in listed if selects(selector, each["metadata"].get("labels") or {})]
        if not found and named.get("parameterNotFoundAction") == "Deny":
            raise UnfitParamsError("no params found for policy binding with `Deny` parameterNotFoundAction")
        return found


def _gvk(kind: Object) -> str:
    group, _, version = kind["apiVersion"].rpartition("/")
    return f"{group}/{version}, Kind={kind['kind']}"


def _refusal(kind: Kind, name: str, names: str, denial: Denial, warnings: list[str]) -> ApiError:
    why = f"ValidatingAdmissionPolicy {names} denied request: {denial.message}"
    refused = forbidden(kind, name, why, [{"message": why}])
    refused.reason, refused.code = denial.reason, _CODES.get(denial.reason, 422)
    refused.warnings = warnings
    return refused
