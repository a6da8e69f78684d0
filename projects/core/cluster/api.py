"""What can be done to objects: read, list, apply, patch, delete, logs, tables. Called by the action plugins and the rooms above.

Objects are plain dictionaries, as YAML and JSON write them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from projects.core.cluster import planned
from projects.core.cluster.failures import Expired, KindGone
from projects.core.cluster.operations import patch_once
from projects.core.cluster.session import Session, connect
from projects.core.record.plan_notes import is_planning
from projects.core.values.errors import Conflict, NotFound, UsageError

Object = dict[str, Any]
Result = TypeVar("Result")
FieldValidation = Literal["Strict", "Warn", "Ignore"]
PatchType = Literal["merge", "strategic", "json"]

FIELD_MANAGER = "foresail"
_PAGE = 500
_BOOKKEEPING = ("managedFields", "resourceVersion")
_APPLY = "application/apply-patch+yaml"
_PATCHES: dict[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass(frozen=True, slots=True)
class Target:
    """Which objects are meant: one by its name, or those of a namespace or of all, by their labels and fields."""

    kind: str
    api_version: str | None = None
    name: str | None = None
    namespace: str | None = None
    labels: str | None = None
    fields: str | None = None

    def __str__(self) -> str:
        """Return it as people write it: ``Pod default/redis``, ``Pods of app=redis in default``."""
        if self.name:
            return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
        chosen = " and ".join(filter(None, (self.labels, self.fields)))
        return (
            f"{self.kind} objects"
            + (f" of {chosen}" if chosen else "")
            + (f" in {self.namespace}" if self.namespace else "")
        )


@dataclass(frozen=True, slots=True)
class Change:
    """An object before and after; None where it does not exist."""

    before: Object | None
    after: Object | None

    @property
    def changed(self) -> bool:
        """Whether something was written.

        The resourceVersion does not tell: it stays the same in a dry run, and changes when a manager enters its
        name and when a controller writes the status in between.
        """
        if self.before is None or self.after is None:
            return self.before is not self.after
        return _content(self.before) != _content(self.after)


def _content(thing: Object) -> Object:
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _BOOKKEEPING}
    kept = {key: value for key, value in thing.items() if key != "status"}
    return {**kept, "metadata": metadata}


def target_of(manifest: Mapping[str, Any], namespace: str | None = None) -> Target:
    """Return which object a manifest describes.

    Raises:
      UsageError: it has no apiVersion, kind or name.
    """
    metadata = manifest.get("metadata") or {}
    lacking = [key for key in ("apiVersion", "kind") if not manifest.get(key)]
    lacking += [] if metadata.get("name") else ["metadata.name"]
    if lacking:
        raise UsageError(f"a manifest lacks {', '.join(lacking)}: {str(dict(manifest))[:200]}")
    return Target(
        kind=str(manifest["kind"]),
        api_version=str(manifest["apiVersion"]),
        name=str(metadata["name"]),
        namespace=metadata.get("namespace") or namespace,
    )


class Cluster:
    """The objects of one cluster.

    Args:
      session: The session to use; without one, that of the environment.
    """

    def __init__(self, session: Session | None = None) -> None:
        self._plans = session is None and is_planning()
        self._session = None if self._plans else session or connect()

    @property
    def session(self) -> Session:
        """The session.

        Raises:
          UnknownValue: this is a plan, which asks no cluster.
        """
        return self._session or connect()

    def path(self, target: Target) -> str:
        """Return the path of an object, or of a collection when the target has no name.

        Raises:
          NotFound: the server does not serve the kind.
        """
        resource = self.session.discovery.find(target.kind, target.api_version)
        namespace = target.namespace
        if resource.namespaced and target.name and not namespace:
            namespace = self.session.access.namespace
        return str(resource.path(name=target.name, namespace=namespace if resource.namespaced else None))

    def located(self, target: Target) -> Target:
        """Return the target with the kind's own name and API version, and with a namespace only where there is one."""
        resource = self.session.discovery.find(target.kind, target.api_version)
        namespace = target.namespace if resource.namespaced else None
        if resource.namespaced and target.name and not namespace:
            namespace = self.session.access.namespace
        return Target(resource.kind, resource.group_version, target.name, namespace, target.labels, target.fields)

    def get(self, target: Target) -> Object | None:
        """Return an object, or None when it, or its kind, does not exist."""
        try:
            return self.read(target)
        except NotFound:
            return None

    def read(self, target: Target) -> Object:
        """Return an object.

        Raises:
          NotFound: it does not exist.
        """
        found: Object = self._at(target, lambda path: self.session.json("GET", path))
        return found

    def objects(self, target: Target) -> list[Object]:
        """Return the objects of a target; none when the kind does not exist."""
        try:
            return self.snapshot(target)[0]
        except NotFound:
            return []

    def snapshot(self, target: Target) -> tuple[list[Object], str]:
        """Return the objects of a target and the resourceVersion of the list, from which a watch goes on.

        Raises:
          NotFound: the kind does not exist.
        """
        items: list[Object] = []
        version = ""
        for page in self._pages(target, {}, {}):
            kind = str(page.get("kind", "")).removesuffix("List")
            items += [{"apiVersion": page.get("apiVersion"), "kind": kind, **item} for item in page.get("items") or []]
            version = page["metadata"].get("resourceVersion", "")
        return items, version

    def table(self, target: Target) -> Object:
        """Return the server's table of a target, as kubectl prints it, with the objects in its rows.

        Raises:
          NotFound: the kind, or the one object that is asked for, does not exist.
        """
        whole: Object = {}
        for page in self._pages(target, {"includeObject": "Object"}, {"Accept": _TABLE}):
            if not whole:
                whole = page
            else:
                whole["rows"] = [*(whole.get("rows") or []), *(page.get("rows") or [])]
        return whole

    def apply(
        self,
        manifest: Object,
        *,
        namespace: str | None = None,
        dry_run: bool = False,
        validation: FieldValidation = "Strict",
    ) -> Change:
        """Make an object as a manifest says (server-side apply; what others own in the same fields is taken over).

        Args:
          manifest: The manifest.
          namespace: Namespace of a manifest that names none.
          dry_run: Ask the server what would be, write nothing.
          validation: What the server does about fields that the schema does not know.

        Returns:
          The object before and after.

        Raises:
          Invalid: the server rejects it.
        """
        if self._plans:
            planned.note_write("apply", target_of(manifest, namespace), manifest)
            return Change(None, manifest)
        target = self.located(target_of(manifest, namespace))
        body = {**manifest, "metadata": {**manifest["metadata"]}}
        if target.namespace:
            body["metadata"]["namespace"] = target.namespace
        query = {
            "fieldManager": FIELD_MANAGER,
            "force": True,
            "fieldValidation": validation,
            "dryRun": "All" if dry_run else None,
        }
        before = self.get(target)
        after: Object = self._at(
            target, lambda path: self.session.json("PATCH", path, query, body=body, content_type=_APPLY)
        )
        if after.get("kind") == "CustomResourceDefinition":
            self.session.discovery.expire()
        return Change(before, after)

    def patch(
        self,
        target: Target,
        body: Any,
        *,
        kind: PatchType = "merge",
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Change:
        """Patch an object.

        Args:
          target: The object.
          body: The patch: a mapping, or a list of operations for ``json``.
          kind: How the server is to read it. ``strategic`` is known for built-in kinds only.
          subresource: ``status`` or ``scale``.
          dry_run: Ask the server what would be, write nothing.

        Raises:
          NotFound: the object does not exist.
        """
        if self._plans:
            operations = [f"{each.get('op')} {each.get('path')}" for each in body if isinstance(each, dict)]
            shown = {**body, "kind": target.kind} if isinstance(body, dict) else {"operations": operations}
            planned.note_write("patch", target, shown, subresource=subresource)
            return Change(None, shown)
        end = f"/{subresource}" if subresource else ""
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All" if dry_run else None}
        if kind == "json" and not dry_run:
            return Change(*self._at(target, lambda path: patch_once(self.session, path + end, body, query)))
        before: Object = self._at(target, lambda path: self.session.json("GET", path + end))
        after: Object = self._at(
            target,
            lambda path: self.session.json("PATCH", path + end, query, body=body, content_type=_PATCHES[kind]),
        )
        return Change(before, after)

    def delete(
        self,
        target: Target,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
        dry_run: bool = False,
    ) -> Object | None:
        """Delete an object.

        Args:
          target: The object.
          propagation: What happens to what it owns: ``Background``, ``Foreground`` or ``Orphan``.
          grace_seconds: Time that a pod is given to end; None is the object's own.
          dry_run: Ask the server what would be, write nothing.

        Returns:
          The object as it was, or None when it was not there.
        """
        if self._plans:
            planned.note_write("delete", target)
            return {"kind": target.kind, "metadata": {"name": target.name, "namespace": target.namespace}}
        before = self.get(target)
        if before is None:
            return None
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            # The same name may have been made anew since it was looked at; that one is not ours to delete.
            "preconditions": {"uid": before["metadata"]["uid"]},
            **({} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}),
            **({"dryRun": ["All"]} if dry_run else {}),
        }
        try:
            self._at(target, lambda path: self.session.json("DELETE", path, body=body))
        except NotFound:
            return None if dry_run else before
        except Conflict:
            now = self.get(target)
            if now is not None and now["metadata"]["uid"] == before["metadata"]["uid"]:
                raise
        return before

    def logs(
        self,
        pod: str,
        namespace: str,
        *,
        container: str | None = None,
        previous: bool = False,
        tail_lines: int | None = None,
    ) -> str:
        """Return the log of a pod's container.

        Raises:
          NotFound: the pod does not exist.
          Invalid: it has several containers and none was named, or no previous one.
        """
        path = self.path(Target("Pod", "v1", pod, namespace)) + "/log"
        query = {"container": container, "previous": previous or None, "tailLines": tail_lines}
        answer = self.session.send("GET", path, query, headers={"Accept": "text/plain, application/json"})
        text: str = answer.data.decode(errors="replace")
        return text

    def _pages(self, target: Target, query: Mapping[str, Any], headers: Mapping[str, str]) -> list[Object]:
        try:
            return list(self._by_page(target, query, headers, None if target.name else _PAGE))
        except Expired:  # the list changed for so long that its continuation is gone: then in one piece
            return list(self._by_page(target, query, headers, None))

    def _by_page(
        self, target: Target, query: Mapping[str, Any], headers: Mapping[str, str], limit: int | None
    ) -> Iterator[Object]:
        following: str | None = None
        while True:
            asked = {
                **query,
                "labelSelector": target.labels,
                "fieldSelector": target.fields,
                "limit": limit,
                "continue": following,
            }
            page = self._page(target, asked, headers)
            yield page
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return

    def _page(self, target: Target, query: Mapping[str, Any], headers: Mapping[str, str]) -> Object:
        page: Object = self._at(target, lambda path: self.session.json("GET", path, query, headers=headers))
        return page

    def _at(self, target: Target, act: Callable[[str], Result]) -> Result:
        """Call `act` with the target's path; once more when the cache of kinds turns out to be too old."""
        try:
            return act(self.path(target))
        except KindGone:
            self.session.discovery.expire()
            if not self.session.discovery.refresh():
                raise
            return act(self.path(target))
