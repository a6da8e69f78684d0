"""The discovery documents of the API server, asked for and read. Called by `discovery`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.cluster.failures import NotModified
from projects.core.values.errors import ForesailError

if TYPE_CHECKING:
    from projects.core.cluster.session import Session

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
_ROOTS = ("/api", "/apis")


@dataclass(frozen=True, slots=True)
class Served:
    """One kind in one version of one group."""

    group: str
    version: str
    preferred: bool
    kind: str
    plural: str
    singular: str
    namespaced: bool
    verbs: list[str]
    short_names: list[str]

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def answers_to(self, name: str) -> bool:
        """Return whether people call this kind so."""
        lower = name.lower()
        qualified = f"{self.plural}.{self.group}" if self.group else self.plural
        return (
            name == self.kind
            or lower in (self.plural, self.singular, self.kind.lower(), qualified)
            or lower in self.short_names
        )


def matching(served: list[Served], name: str, api_version: str | None) -> list[Served]:
    """Return the kinds that `name` may mean, best first.

    Without an API version the core group wins over the others, and the preferred version over its siblings.
    """
    found = [each for each in served if each.answers_to(name) and api_version in (None, each.api_version)]
    if api_version is None and any(not each.group for each in found):
        found = [each for each in found if not each.group]
    return sorted(found, key=lambda each: (not each.preferred, each.kind != name))


def ask(session: Session, etags: dict[str, str]) -> tuple[list[Served], dict[str, str]] | None:
    """Ask the server what it serves.

    Args:
      session: The session that asks.
      etags: The ETags of what is known already.

    Returns:
      What it serves and the ETags, or None when nothing has changed since.
    """
    # One after the other: an unchanged answer takes less time than opening a second connection.
    answers = [_ask_root(session, root, etags.get(root)) for root in _ROOTS]
    if all(answer is None for answer in answers):
        return None
    if any(answer is None for answer in answers):
        return ask(session, {})  # one of two changed: both are needed to write the whole
    served: list[Served] = []
    found: dict[str, str] = {}
    for root, answer in zip(_ROOTS, answers, strict=True):
        assert answer is not None
        document, etag = answer
        if document.get("kind") == "APIGroupDiscoveryList":
            served += _read_aggregated(document)
            if etag:
                found[root] = etag
        else:
            served += _ask_each(session, root, document)
    return served, found


def _ask_root(session: Session, root: str, etag: str | None) -> tuple[dict[str, Any], str | None] | None:
    headers = {"Accept": _AGGREGATED} | ({"If-None-Match": etag} if etag else {})
    try:
        document, answered = session.document("GET", root, headers=headers)
    except NotModified:
        return None
    return document, answered.get("ETag")


def _read_aggregated(document: dict[str, Any]) -> list[Served]:
    return [
        Served(
            group=group["metadata"].get("name", ""),
            version=version["version"],
            preferred=position == 0,  # the versions stand in order of preference
            kind=(each.get("responseKind") or {}).get("kind", ""),
            plural=each["resource"],
            singular=each.get("singularResource") or "",
            namespaced=each.get("scope") == "Namespaced",
            verbs=each.get("verbs") or [],
            short_names=each.get("shortNames") or [],
        )
        for group in document.get("items") or []
        for position, version in enumerate(group.get("versions") or [])
        for each in version.get("resources") or []
    ]


def _ask_each(session: Session, root: str, document: dict[str, Any]) -> list[Served]:
    """Read the older form of discovery: a list of versions, and a document for each."""
    if root == "/api":
        wanted = [("", version, True) for version in document.get("versions") or []]
    else:
        wanted = [
            (group["name"], version["version"], version == (group.get("preferredVersion") or version))
            for group in document.get("groups") or []
            for version in group.get("versions") or []
        ]
    if not wanted:
        return []
    with ThreadPoolExecutor(min(8, len(wanted))) as pool:
        lists = pool.map(lambda each: _ask_version(session, root, *each), wanted)
    return [served for part in lists for served in part]


def _ask_version(session: Session, root: str, group: str, version: str, preferred: bool) -> list[Served]:
    path = "/".join(filter(None, (root, group, version)))
    try:
        resources = session.json("GET", path, repeat=False).get("resources") or []
    except ForesailError:
        return []  # an aggregated API whose server is down hides its own kinds, not those of the others
    return [
        Served(
            group=group,
            version=version,
            preferred=preferred,
            kind=each["kind"],
            plural=each["name"],
            singular=each.get("singularName") or "",
            namespaced=bool(each.get("namespaced")),
            verbs=each.get("verbs") or [],
            short_names=each.get("shortNames") or [],
        )
        for each in resources
        if "/" not in each["name"]
    ]
