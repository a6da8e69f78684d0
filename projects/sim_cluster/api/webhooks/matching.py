"""Whether a webhook is to be asked about a request: its rules, its selectors, its match policy. Called by `hooks`.

The rules are those of k8s.io/apiserver, pkg/admission/plugin/webhook.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from projects.sim_cluster.api.admission_matching import equivalent, ruled
from projects.sim_cluster.api.authorization import Authorizer
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


def why_not_called(hook: Object) -> str:
    """Return why a webhook is not called here; empty when it is.

    One on another machine may be the one that a captured cluster is configured with: no rehearsal may reach that.
    """
    url = hook["clientConfig"].get("url")
    if not url:
        return "nothing runs behind its service"
    return "" if _is_here(urlsplit(url).hostname or "") else "its url leads to another machine"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def not_called(configuration: Object) -> Iterator[str]:
    """Yield the warnings about webhooks that a real server would call otherwise, or asks in other cases."""
    for hook in configuration.get("webhooks") or ():
        if why := why_not_called(hook):
            yield f"the simulated cluster does not call webhook {hook['name']}: {why}"
        elif hook.get("matchConditions"):
            from projects.sim_cluster.api.webhooks.conditions import unsupported  # noqa: PLC0415 - see below

            yield from unsupported(hook)


class Matcher:
    """Chooses the webhooks for requests."""

    def __init__(self, store: Store, registry: Registry, authorizer: Authorizer) -> None:
        self.store, self.registry, self.authorizer = store, registry, authorizer

    def invocation(self, hook: Object, attributes: Attributes) -> Invocation | None:
        """Return how a webhook is to be asked about a request; None when it is not."""
        if not (self._in_namespaces(hook, attributes) and _of_objects(hook, attributes)):
            return None
        rules = hook.get("rules") or ()
        found = next((attributes.kind for rule in rules if ruled(rule, attributes, attributes.kind)), None)
        if found is None and hook.get("matchPolicy") != "Exact":
            others = equivalent(attributes.kind, self.registry)
            found = next((other for rule in rules for other in others if ruled(rule, attributes, other)), None)
        if found is None or not self._has_conditions(hook, attributes, found):
            return None
        return Invocation(hook, found)

    def _has_conditions(self, hook: Object, attributes: Attributes, kind: Kind) -> bool:
        if not hook.get("matchConditions"):
            return True
        from projects.sim_cluster.api.webhooks.conditions import hold  # noqa: PLC0415 - few webhooks have any

        return hold(hook, attributes, kind, self.authorizer)

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
