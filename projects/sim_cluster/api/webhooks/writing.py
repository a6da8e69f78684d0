"""Webhooks about what is stored: a create, an update, a delete as they are told of it. Called by `writes` and `resources`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from projects.sim_cluster.api.admission import Admission
from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.patches import merge_patch
from projects.sim_cluster.api.requests import DeleteOptions, WriteOptions
from projects.sim_cluster.api.scales import SCALE, replicas_patch, scale_of
from projects.sim_cluster.api.webhooks.attributes import Attributes, Form, Operation
from projects.sim_cluster.api.webhooks.hooks import Webhooks

Settle = Callable[[Object], Object]
#: What the server gives a new object only when nobody can change it any more.
_LATER: Final = ("uid", "creationTimestamp", "generation")
_SCALE_FORM: Final = Form("autoscaling", "v1", "Scale")


def options_of(operation: str, said: Object) -> Object:
    """Return the options of a request as a review holds them."""
    return {"kind": f"{operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1", **said}


class NewObject(NamedTuple):
    """An object that is about to be created: who owns what of it, and the status that it was given and cannot have."""

    object: Object
    managed: list[Any]
    status: Object | None


class WrittenObjects:
    """Asks webhooks about objects that are written and deleted."""

    def __init__(self, webhooks: Webhooks, admission: Admission) -> None:
        self.webhooks, self.admission = webhooks, admission

    def concern(self, kind: Kind) -> bool:
        """Return whether anybody may have to be asked about a kind."""
        return self.webhooks.concern(kind)

    async def change_new(
        self, kind: Kind, new: NewObject, options: WriteOptions, settle: Settle, warnings: list[str]
    ) -> Object:
        """Return a new object as webhooks leave it, with its owners. They see it without what it gets last; a generated name is such."""
        obj, given = new.object, new.object["metadata"]
        later = (*_LATER, "name") if options.generated else _LATER
        shown = {key: value for key, value in given.items() if key not in later}
        shown |= {"managedFields": new.managed} if new.managed else {}
        status = self.admission.empty_status(kind) if new.status is None else {"status": new.status}
        visible = obj | {"metadata": shown} | status
        asked = self._asked(kind, "CREATE", options, given, visible)
        asked.name = shown.get("name", "")
        await self.webhooks.mutate(asked, settle, lambda changed: self._again(changed, kind, warnings), warnings)
        after = asked.object
        assert after is not None
        if after is visible:
            return obj | {"metadata": given | ({"managedFields": new.managed} if new.managed else {})}
        metadata = {key: value for key, value in after["metadata"].items() if key not in _LATER}
        kept = {key: given[key] for key in (*_LATER, "namespace") if key in given}
        named = {"name": options.generated} if options.generated else {}
        after = {key: value for key, value in after.items() if key not in status}
        return after | {"metadata": {**named, **metadata, **kept}}

    def _again(self, obj: Object, kind: Kind, warnings: list[str]) -> Object:
        warnings += self.admission.admit(obj, kind)
        return obj

    async def judge_new(self, kind: Kind, obj: Object, options: WriteOptions, warnings: list[str]) -> None:
        """Let webhooks refuse a new object."""
        await self.webhooks.validate(self._asked(kind, "CREATE", options, obj["metadata"], obj), warnings)

    async def change(
        self, kind: Kind, old: Object, after: Object, options: WriteOptions, settle: Settle, warnings: list[str]
    ) -> Object:
        """Return an object that is updated as webhooks leave it."""
        if options.subresource == SCALE:
            return await self._scaled(kind, old, after, options, warnings)
        asked = self._asked(kind, "UPDATE", options, old["metadata"], after, old)
        await self.webhooks.mutate(asked, settle, settle, warnings)
        assert asked.object is not None
        return asked.object

    async def _scaled(
        self, kind: Kind, old: Object, after: Object, options: WriteOptions, warnings: list[str]
    ) -> Object:
        asked = self._of_scale(kind, old, after, options)
        seen = asked.object
        await self.webhooks.mutate(asked, _as_it_is, _as_it_is, warnings)
        if asked.object is seen or asked.object is None:
            return after
        replicas = (asked.object.get("spec") or {}).get("replicas", 0)
        scaled: Object = merge_patch(after, replicas_patch(kind, replicas))
        return scaled

    async def judge(self, kind: Kind, old: Object, after: Object, options: WriteOptions, warnings: list[str]) -> None:
        """Let webhooks refuse an update."""
        if options.subresource == SCALE:
            asked = self._of_scale(kind, old, after, options)
        else:
            asked = self._asked(kind, "UPDATE", options, old["metadata"], after, old)
        await self.webhooks.validate(asked, warnings)

    def release(self, kind: Kind, old: Object, name: str, by: User, options: DeleteOptions) -> Attributes:
        """Return what webhooks are told of a delete; the object has no name where it is one of a collection."""
        namespace, about = old["metadata"].get("namespace", ""), options_of("DELETE", options.said)
        return Attributes(kind, "DELETE", by, namespace, name, None, old, dry_run=options.dry_run, options=about)

    async def change_nothing(self, asked: Attributes, warnings: list[str]) -> None:
        """Ask those webhooks about a delete that change things: they may refuse it."""
        await self.webhooks.mutate(asked, _as_it_is, _as_it_is, warnings)

    async def judge_release(self, asked: Attributes, warnings: list[str]) -> None:
        """Let webhooks refuse a delete."""
        await self.webhooks.validate(asked, warnings)

    async def admit_unstored(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        obj: Object,
        options: WriteOptions,
        warnings: list[str],
        form: Form | None = None,
    ) -> Object:
        """Return what is created and never stored as webhooks leave it: a review, or (of a form of its own) a subresource."""
        part = options.subresource if form is not None else ""
        about = options_of("CREATE", options.said)
        asked = Attributes(kind, "CREATE", options.by, namespace, name, obj, subresource=part, form=form, dry_run=options.dry_run, options=about)  # fmt: skip
        await self.webhooks.admit(asked, _as_it_is, warnings)
        assert asked.object is not None
        return asked.object

    async def connect(self, kind: Kind, namespace: str, name: str, subresource: str, obj: Object, by: User) -> None:
        """Let webhooks refuse a connection."""
        if self.webhooks.concern(kind):
            form = Form("", "v1", obj["kind"])
            asked = Attributes(
                kind, "CONNECT", by, namespace, name, obj, subresource=subresource, form=form, options=None
            )
            await self.webhooks.admit(asked, _as_it_is, [])

    def _of_scale(self, kind: Kind, old: Object, after: Object, options: WriteOptions) -> Attributes:
        asked = self._asked(kind, "UPDATE", options, old["metadata"], scale_of(kind, after), scale_of(kind, old))
        asked.form = _SCALE_FORM
        return asked

    def _asked(
        self,
        kind: Kind,
        operation: Operation,
        options: WriteOptions,
        named: Object,
        obj: Object,
        old: Object | None = None,
    ) -> Attributes:
        return Attributes(
            kind,
            operation,
            options.by,
            named.get("namespace", ""),
            named.get("name", ""),
            obj,
            old,
            subresource=options.subresource if old is not None else "",
            dry_run=options.dry_run,
            options=options_of(operation, options.said),
        )


def _as_it_is(obj: Object) -> Object:
    return obj
