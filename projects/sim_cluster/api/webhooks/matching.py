"""Whether a webhook is to be asked about a request: its rules, its selectors, its match policy. Called by `hooks`.

The rules are those of k8s.io/apiserver, pkg/admission/plugin/webhook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from projects.sim_cluster.api.errors import not_found
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.selectors import selects
from projects.sim_cluster.api.store import Store
from projects.sim_cluster.api.webhooks.attributes import Attributes

GROUP: Final = "admissionregistration.k8s.io"
_NAMESPACES: Final = ("", "namespaces")


@dataclass(frozen=True)
class Invocation:
    """A webhook that is to be asked, and the version of the resource that it is to be asked about."""

    hook: Object
    kind: Kind


def is_exempt(kind: Kind) -> bool:
    """Return whether no webhook is asked about a kind: those that admission is configured with."""
    return kind.group == GROUP


def is_called(hook: Object) -> bool:
    """Return whether a webhook can be called here: behind a simulated Service nothing runs."""
    return bool(hook["clientConfig"].get("url"))


def not_called(configuration: Object) -> Iterator[str]:
    """Yield the warnings about webhooks that a real server would call, or not call, otherwise."""
    for hook in configuration.get("webhooks") or ():
        if not is_called(hook):
            yield f"the simulated cluster does not call webhook {hook['name']}: nothing runs behind its service"
        elif hook.get("matchConditions"):
            yield f"the simulated cluster calls webhook {hook['name']} whatever its matchConditions say"


class Matcher:
    """Chooses the webhooks for requests."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store, self.registry = store, registry

    def invocation(self, hook: Object, attributes: Attributes) -> Invocation | None:
        """Return how a webhook is to be asked about a request; None when it is not."""
        if not (self._in_namespaces(hook, attributes) and _of_objects(hook, attributes)):
            return None
        rules = hook.get("rules") or ()
        if any(_matches(rule, attributes) for rule in rules):
            return Invocation(hook, attributes.kind)
        if hook.get("matchPolicy", "Equivalent") == "Exact":
            return None
        for rule in rules:
            for view in self.registry.views(attributes.kind):
                if _matches(rule, replace(attributes, kind=view)):
                    return Invocation(hook, view)
        return None

    def _in_namespaces(self, hook: Object, attributes: Attributes) -> bool:
        selector = hook.get("namespaceSelector")
        is_namespace = attributes.kind.storage == _NAMESPACES
        if not selector or (not attributes.namespace and not is_namespace):
            return True
        return selects(selector, self._labels(attributes, is_namespace=is_namespace))

    def _labels(self, attributes: Attributes, *, is_namespace: bool) -> dict[str, str]:
        if is_namespace and not attributes.subresource and attributes.object is not None:
            return _labels_of(attributes.object)
        found = self.store.get(_NAMESPACES, "", attributes.namespace)
        if found is None:
            raise not_found(self.registry.for_storage(_NAMESPACES), attributes.namespace)
        return _labels_of(found.object)


def _labels_of(obj: Object) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}


def _of_objects(hook: Object, attributes: Attributes) -> bool:
    selector = hook.get("objectSelector")
    known = [obj for obj in (attributes.object, attributes.old) if obj is not None and "metadata" in obj]
    return not selector or any(selects(selector, _labels_of(obj)) for obj in known)


def _matches(rule: Object, attributes: Attributes) -> bool:
    kind = attributes.kind
    return (
        _in_scope(rule.get("scope") or "*", attributes)
        and _is_among(attributes.operation, rule.get("operations"))
        and _is_among(kind.group, rule.get("apiGroups"))
        and _is_among(kind.version, rule.get("apiVersions"))
        and any(_names(text, kind.resource, attributes.subresource) for text in rule.get("resources") or ())
    )


def _is_among(value: str, listed: Iterable[str] | None) -> bool:
    return any(each in {"*", value} for each in listed or ())


def _names(text: str, resource: str, subresource: str) -> bool:
    wanted, _, part = text.partition("/")
    return wanted in {"*", resource} and part in {"*", subresource}


def _in_scope(scope: str, attributes: Attributes) -> bool:
    if scope == "*":
        return True
    has_namespace = attributes.kind.storage != _NAMESPACES and bool(attributes.namespace)
    return has_namespace == (scope == "Namespaced")
