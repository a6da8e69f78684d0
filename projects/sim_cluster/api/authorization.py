"""Who may do what, by the roles and bindings that are stored (RBAC). Called by `http` for every request, and by `reviews`.

Rules and wording: k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac, as a real 1.35 answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from projects.sim_cluster.api.errors import ApiError, together
from projects.sim_cluster.api.identity import ACCOUNT, MASTERS, User
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.store import Store

GROUP: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What somebody wants to do: something to a resource, or to a path that names none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """The resource as rules name it, ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may, and why, or what was wrong with the roles that were looked at."""

    allowed: bool
    reason: str = ""


class Authorizer:
    """Judges by the roles and bindings of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, user: User, wanted: Attributes) -> Decision:
        """Return whether somebody may do something."""
        if MASTERS in user.groups:
            return Decision(allowed=True)
        missing: list[str] = []
        for binding, subject in self._bindings(user, wanted.namespace):
            rules = self._rules(binding)
            if rules is None:
                missing.append(_missing(binding))
            elif any(_allows(rule, wanted) for rule in rules):
                return Decision(True, _because(binding, subject))
        return Decision(False, f"RBAC: {together(missing)}" if missing else "")

    def rules(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        """Return the rules about resources and about paths that hold for somebody in a namespace, and what is wrong."""
        bindings = [binding for binding, _ in self._bindings(user, namespace)]
        found = [rule for binding in bindings for rule in self._rules(binding) or ()]
        missing = [_missing(binding) for binding in bindings if self._rules(binding) is None]
        resources = [rule for rule in found if "resources" in rule]
        return resources, [rule for rule in found if "nonResourceURLs" in rule], together(missing) if missing else ""

    def check(self, user: User, wanted: Attributes) -> None:
        """Raise Forbidden when somebody may not do something."""
        decision = self.decide(user, wanted)
        if not decision.allowed:
            raise forbidden_to(user, wanted, decision.reason)

    def _bindings(self, user: User, namespace: str) -> Iterator[tuple[Object, Object]]:
        """Yield the bindings that name somebody, with the subject that does."""
        stored = self._store.list((GROUP, "clusterrolebindings"))
        if namespace:
            stored = [*stored, *self._store.list((GROUP, "rolebindings"), namespace)]
        for binding in (each.object for each in stored):
            subjects = binding.get("subjects") or ()
            space = binding["metadata"].get("namespace", "")
            if (subject := next((each for each in subjects if _names(each, user, space)), None)) is not None:
                yield binding, subject

    def _rules(self, binding: Object) -> Iterable[Object] | None:
        """Return the rules of the role that a binding refers to, None when there is no such role."""
        reference, namespace = binding["roleRef"], binding["metadata"].get("namespace", "")
        storage = (GROUP, "clusterroles" if reference["kind"] == "ClusterRole" else "roles")
        role = self._store.get(storage, "" if reference["kind"] == "ClusterRole" else namespace, reference["name"])
        return None if role is None else role.object.get("rules") or ()


def forbidden_to(user: User, wanted: Attributes, reason: str = "") -> ApiError:
    """Return the error for who may not do something."""
    why = f": {reason}" if reason else ""
    if wanted.path:
        message = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{why}'
        return ApiError(403, "Forbidden", message, {})
    qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    named = f' "{wanted.name}"' if wanted.name else ""
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    message = (
        f'{qualified}{named} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {where}{why}'
    )
    details = {"name": wanted.name, "group": wanted.group, "kind": wanted.resource}
    return ApiError(403, "Forbidden", message, {key: value for key, value in details.items() if value})


def _names(subject: Object, user: User, namespace: str) -> bool:
    """Return whether a subject is somebody; a service account without a namespace is of the binding's."""
    if subject["kind"] == "User":
        return bool(subject["name"] == user.name)
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    space = subject.get("namespace") or namespace
    return user.name == f"{ACCOUNT}{space}:{subject['name']}"


def _allows(rule: Object, wanted: Attributes) -> bool:
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_covers(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    resources = {wanted.full_resource, f"*/{wanted.subresource}"} if wanted.subresource else {wanted.resource}
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and any(_has(rule.get("resources"), each) for each in resources)
        and (not names or wanted.name in names)
    )


def _has(allowed: list[str] | None, wanted: str) -> bool:
    return wanted in (allowed or ()) or "*" in (allowed or ())


def _covers(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _missing(binding: Object) -> str:
    reference = binding["roleRef"]
    return f'{reference["kind"].lower()}.{GROUP} "{reference["name"]}" not found'


def _because(binding: Object, subject: Object) -> str:
    metadata, role = binding["metadata"], binding["roleRef"]
    named = f"{metadata['name']}/{metadata['namespace']}" if metadata.get("namespace") else metadata["name"]
    who = f"{subject['name']}/{subject['namespace']}" if subject.get("namespace") else subject["name"]
    return (
        f'RBAC: allowed by {binding["kind"]} "{named}" of {role["kind"]} "{role["name"]}" to {subject["kind"]} "{who}"'
    )
