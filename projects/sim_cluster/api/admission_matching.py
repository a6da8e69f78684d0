"""Which writes an admission policy, its binding or a webhook is about. Used by `admission_policies` and `webhooks`.

The rules are those of k8s.io/apiserver pkg/admission/plugin/policy/matching and of `MatchResources` in the API's documentation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from projects.sim_cluster.api.admission_requests import AdmissionRequest, Asked
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.selectors import selects
from projects.sim_cluster.api.store import Store

_NAMESPACES: Final = ("", "namespaces")


def as_matched(
    constraints: Object, asked: AdmissionRequest, store: Store, registry: Registry
) -> AdmissionRequest | None:
    """Return the request as constraints see it, converted to the version that they name; None when they do not match.

    Args:
      constraints: A ``matchConstraints`` or a ``matchResources``.
      asked: The request.
      store: Where the namespace of the object is.
      registry: In which versions there is a kind.
    """
    if not in_namespace(constraints.get("namespaceSelector") or {}, asked, store):
        return None
    if not of_object(constraints.get("objectSelector") or {}, asked):
        return None
    kinds = (
        [asked.kind] if constraints.get("matchPolicy") == "Exact" else [asked.kind, *equivalent(asked.kind, registry)]
    )
    if any(ruled(rule, asked, kind) for rule in constraints.get("excludeResourceRules") or () for kind in kinds):
        return None
    rules = constraints.get("resourceRules") or ()
    if not rules:
        return asked
    found = next((kind for kind in kinds for rule in rules if ruled(rule, asked, kind)), None)
    return _converted(asked, found) if found is not None else None


def in_namespace(selector: Object, asked: AdmissionRequest, store: Store) -> bool:
    """Return whether a selector selects the namespace of what is written; objects that are in none always are."""
    if asked.kind.storage == _NAMESPACES:
        return selects(selector, asked.after["metadata"].get("labels") or {})
    namespace = store.get(_NAMESPACES, "", asked.namespace) if asked.namespace else None
    return namespace is None or selects(selector, namespace.object["metadata"].get("labels") or {})


def of_object(selector: Object, asked: AdmissionRequest) -> bool:
    """Return whether a selector selects the object as it is or as it was."""
    states = [state for state in (asked.after, asked.before) if state is not None]
    return any(selects(selector, state["metadata"].get("labels") or {}) for state in states)


def ruled(rule: Object, asked: Asked, kind: Kind) -> bool:
    """Return whether a rule is about a request that is made for an object of a kind."""
    is_namespaced = kind.storage != _NAMESPACES and bool(asked.namespace)
    return (
        bool({"*", asked.operation}.intersection(rule["operations"]))
        and bool({"*", kind.group}.intersection(rule["apiGroups"]))
        and bool({"*", kind.version}.intersection(rule["apiVersions"]))
        and any(_is_resource(named, kind.resource, asked.subresource) for named in rule["resources"])
        and rule.get("scope", "*") in {"*", "Namespaced" if is_namespaced else "Cluster"}
        and (not rule.get("resourceNames") or asked.name in rule["resourceNames"])
    )


def _is_resource(named: str, resource: str, subresource: str) -> bool:
    wanted, _, wanted_subresource = named.partition("/")
    return wanted in {"*", resource} and wanted_subresource in ({"*", subresource} if subresource else {"*", ""})


def equivalent(kind: Kind, registry: Registry) -> list[Kind]:
    """Return the other versions in which the objects of a kind can be had."""
    return [other for other in registry.views(kind.storage) if other is not kind and other.resource == kind.resource]


def _converted(asked: AdmissionRequest, kind: Kind) -> AdmissionRequest:
    if kind is asked.kind:
        return asked
    before = kind.served(asked.kind.stored(asked.before)) if asked.before is not None else None
    return replace(asked, kind=kind, before=before, after=kind.served(asked.kind.stored(asked.after)))
