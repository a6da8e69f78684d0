"""The verbs on every kind: get, list, create, update, patch, delete, deletecollection. The API without HTTP.

`http` calls it for requests, `in_process` for behaviours, `shapes` are written through it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Final

from projects.sim_cluster.api.apply import Apply, check_elements
from projects.sim_cluster.api.decoding import StrictError, UnfitError, check_type, conform, doubt_order
from projects.sim_cluster.api.deletes import Deleter, grace_of
from projects.sim_cluster.api.errors import (
    ApiError,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    not_found,
    required,
    unknown_format,
)
from projects.sim_cluster.api.identity import User
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.ownership import Manager
from projects.sim_cluster.api.pages import Pager
from projects.sim_cluster.api.patches import PatchFailedError, json_patch, merge_patch, rejected
from projects.sim_cluster.api.refusals import of_apply, of_body, of_patch, of_strategic_patch
from projects.sim_cluster.api.requests import DeleteOptions, ListOptions, Outcome, Page, PatchType, WriteOptions
from projects.sim_cluster.api.store import Store, Stored
from projects.sim_cluster.api.strategic import strategic_merge
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.write_warnings import telling
from projects.sim_cluster.api.writes import Writer, outcome, until_stored

_Told = list[str]  # a name for what the class below cannot name, which has a verb that is called so
#: What answers the create of a kind that stores nothing: reviews, requests.
Answerer = Callable[[str, Object, WriteOptions], Coroutine[Any, Any, Outcome]]


#: Kinds of which an update may find no object, and makes it.
_MADE_BY_UPDATE: Final = frozenset({
    "Service", "Endpoints", "Event", "LimitRange", "Lease", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "RuntimeClass",
})  # fmt: skip
#: Kinds of which an update has to say which version it is of, as it has of custom ones.
_NEEDS_VERSION: Final = frozenset({
    "PodDisruptionBudget", "Lease", "CSIStorageCapacity", "RuntimeClass", "CSIDriver", "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration", "CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
})  # fmt: skip
_CUSTOM_PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")


class Resources:
    """The verbs, on the kinds of a registry and the objects of a store."""

    def __init__(self, store: Store, registry: Registry, writer: Writer, deleter: Deleter) -> None:
        self.store, self.registry, self.writer, self.deleter = store, registry, writer, deleter
        self.pager = Pager(store)
        self.answerers: dict[tuple[str, str], Answerer] = {}

    def stored(self, kind: Kind, namespace: str, name: str) -> Stored:
        """Return a stored object; raise NotFound when there is none."""
        found = self.store.get(kind.storage, namespace if kind.namespaced else "", name)
        if found is None:
            raise not_found(kind, name)
        return found

    def get(self, kind: Kind, namespace: str, name: str) -> Outcome:
        """Return one object."""
        return outcome(kind, self.stored(kind, namespace, name))

    def list(self, kind: Kind, namespace: str, options: ListOptions) -> Page:
        """Return a list, or a page of it."""
        return self.pager.list(kind, namespace, options)

    async def create(self, kind: Kind, namespace: str, body: Any, options: WriteOptions) -> Outcome:
        """Create an object, or answer a review."""
        obj = _with_metadata(check_type(body, kind))
        given = obj["metadata"].get("namespace")
        if kind.namespaced and given and given != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if answerer := self.answerers.get((kind.group, kind.resource)):
            return await self._answered(answerer, kind, namespace, obj, options)
        return await self.writer.create(kind, namespace, obj, options)

    async def _answered(
        self, answerer: Answerer, kind: Kind, namespace: str, obj: Object, options: WriteOptions
    ) -> Outcome:
        """Answer a create that stores nothing; webhooks are asked about it too."""
        if options.internal or not self.writer.hooks.concern(kind):
            return await answerer(namespace, obj, options)
        with telling() as warnings:
            asked = self.writer.as_asked(kind, obj, options)
            admitted = await self.writer.hooks.admit_unstored(kind, namespace, "", asked, options, warnings)
            done = await answerer(namespace, obj if admitted is asked else admitted, options)
        return replace(done, warnings=[*warnings, *done.warnings])

    async def update(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        """Replace an object (PUT)."""
        return await until_stored(kind, name, lambda: self._update(kind, namespace, name, body, options))

    async def _update(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Outcome:
        obj = _with_metadata(check_type(body, kind))
        given = obj["metadata"].setdefault("name", name)
        if given != name:
            raise _misnamed(given, name)
        before = self.store.get(kind.storage, namespace if kind.namespaced else "", name)
        if before is None:
            return await self._made_by_update(kind, namespace, name, obj, options)
        try:
            if (kind.custom or kind.kind in _NEEDS_VERSION) and not obj["metadata"].get("resourceVersion"):
                conform(obj, kind)  # what does not fit at all is told first
                raise _needs_version(kind, name)
            return await self.writer.commit(kind, before, obj, options)
        except UnfitError as error:
            raise of_body(kind, error) from None

    async def _made_by_update(
        self, kind: Kind, namespace: str, name: str, obj: Object, options: WriteOptions
    ) -> Outcome:
        """Create what an update finds missing, of the kinds that are made so; refuse it of the others."""
        if not kind.custom and kind.kind in _MADE_BY_UPDATE and not obj["metadata"].get("resourceVersion"):
            return await self.writer.create(kind, namespace, obj, options)
        try:
            conform(obj, kind)
        except UnfitError as error:
            raise of_body(kind, error) from None
        raise not_found(kind, name)

    async def patch(
        self, kind: Kind, namespace: str, name: str, patch_type: PatchType, patch: Any, options: WriteOptions
    ) -> Outcome:
        """Patch an object; an apply creates it when it is missing."""
        if patch_type == "apply":
            return await until_stored(kind, name, lambda: self._apply(kind, namespace, name, patch, options))
        return await until_stored(kind, name, lambda: self._patch(kind, namespace, name, patch_type, patch, options))

    async def _patch(
        self, kind: Kind, namespace: str, name: str, patch_type: PatchType, patch: Any, options: WriteOptions
    ) -> Outcome:
        before = self.stored(kind, namespace, name)
        patched = _patched(kind.served(before.object), kind, patch_type, patch)
        obj = _with_metadata(check_type(patched, kind))
        try:
            if obj["metadata"].get("name") != name:
                conform(obj, kind)  # what does not fit at all is told first
                raise _misnamed(obj["metadata"].get("name"), name)
            done = await self.writer.commit(kind, before, obj, options)
            return replace(done, warnings=sorted(done.warnings, key=doubt_order))
        except UnfitError as error:
            refused = of_strategic_patch(patch, error) if patch_type == "strategic" else of_patch(patched, error)
            raise refused from None

    async def _apply(self, kind: Kind, namespace: str, name: str, patch: Any, options: WriteOptions) -> Outcome:
        _check_applied_type(patch, kind)
        obj = _with_metadata(check_type(patch, kind))
        given = obj["metadata"].get("namespace", "")
        found = self.store.get(kind.storage, namespace if kind.namespaced else "", name)
        if found is not None:
            obj["metadata"].setdefault("name", name)  # what is there says it
        self._check_applied(kind, namespace, name, obj, options)
        if found is None and options.subresource:
            raise not_found(kind, name)
        _check_applied_identity(kind, name, obj, found)
        applied = self._shape_applied(kind, obj, given)
        manager = Manager(options.manager, "Apply", kind.api_version, options.subresource)
        live = kind.served(found.object) if found else None
        merged = Apply(live, applied, kind, manager, timestamp(self.writer.now()), options.force).result()
        managed = merged["metadata"]["managedFields"]
        if found is None:
            return await self.writer.create(kind, namespace, merged, options, managed=managed)
        merged["metadata"].pop("resourceVersion", None)
        if version := obj["metadata"].get("resourceVersion"):
            merged["metadata"]["resourceVersion"] = version
        return await self.writer.commit(kind, found, merged, options, managed=managed)

    def _shape_applied(self, kind: Kind, obj: Object, given: str) -> Object:
        where = f"{given}/{obj['metadata'].get('name', '')}"
        try:
            shaped = conform(obj, kind, complete=False)
        except UnfitError as error:
            raise of_apply(kind, where, error) from None
        if shaped.unknown:  # an apply needs to know whose every field is
            raise of_apply(kind, where, StrictError(shaped.unknown))
        if twice := check_elements(shaped.object, kind.schema):
            raise of_apply(kind, where, UnfitError(twice))
        return shaped.object

    def _check_applied(self, kind: Kind, namespace: str, name: str, obj: Object, options: WriteOptions) -> None:
        if not options.manager:
            cause = required("fieldManager", "is required for apply patch")
            raise ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {cause.field}: {cause.message}',
                           {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause.as_dict()]})  # fmt: skip
        if "managedFields" in obj["metadata"]:
            raise bad_request("metadata.managedFields must be nil")
        if obj["metadata"].get("name") != name:
            raise _misnamed(obj["metadata"].get("name"), name)
        if kind.namespaced and obj["metadata"].setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")

    async def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions) -> Outcome:
        """Delete an object."""
        return await until_stored(
            kind, name, lambda: self._delete(kind, self.stored(kind, namespace, name), name, options)
        )

    async def _delete_one(self, kind: Kind, namespace: str, name: str, options: DeleteOptions) -> Outcome:
        """Delete an object as one of a collection."""
        return await self._delete(kind, self.stored(kind, namespace, name), "", options)

    async def _delete(self, kind: Kind, stored: Stored, asked_as: str, options: DeleteOptions) -> Outcome:
        """Delete an object, asked for by its name or (without one) as one of a collection."""
        if options.by is None or not self.writer.hooks.concern(kind):
            return self.deleter.delete(kind, stored, options)
        with telling() as warnings:
            self.deleter.check_preconditions(kind, stored, options)
            await self._ask_to_release(kind, stored, asked_as, options.by, options, warnings)
            done = self.deleter.delete(kind, stored, replace(options, by=None))  # it is admitted
        return replace(done, warnings=warnings)

    async def _ask_to_release(
        self, kind: Kind, stored: Stored, asked_as: str, by: User, options: DeleteOptions, warnings: _Told
    ) -> None:
        """Ask webhooks, and what else admits a delete in between; see to it that it is still about the same object."""
        hooks, obj, said = self.writer.hooks, kind.served(stored.object), options.said
        if kind.storage == ("", "pods"):
            said = said | {"gracePeriodSeconds": grace_of(kind, obj, options)}
        asked = hooks.release(kind, obj, asked_as, by, replace(options, said=said))
        await hooks.change_nothing(asked, warnings)
        warnings += self.deleter.check(kind, obj, options)
        await hooks.judge_release(asked, warnings)
        self.writer.check_place(kind, stored)

    async def delete_collection(self, kind: Kind, namespace: str, which: ListOptions, options: DeleteOptions) -> Page:
        """Delete what a list would show, and return that list."""
        page = self.pager.list(kind, namespace, which)
        warnings: list[str] = []
        for stored in page.items:
            metadata = stored.object["metadata"]
            space, name = metadata.get("namespace", ""), metadata["name"]
            try:
                done = await until_stored(kind, name, partial(self._delete_one, kind, space, name, options))
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
            else:
                warnings += done.warnings
        return replace(page, warnings=tuple(warnings))


def _misnamed(given: Any, name: str) -> ApiError:
    if given:
        return bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
    return bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")


def _check_applied_type(patch: Any, kind: Kind) -> None:
    """Refuse what is applied without saying its type, or as another one."""
    if isinstance(patch, dict):
        version, said = patch.get("apiVersion") or "", patch.get("kind") or ""
        if (version, said) != (kind.api_version, kind.kind):
            group, _, name = str(version).rpartition("/")
            raise bad_request(f"invalid object type: {group}/{name}, Kind={said}")


def _check_applied_identity(kind: Kind, name: str, obj: Object, found: Stored | None) -> None:
    """Refuse what is applied to another object, or to another version of it, than there is."""
    version, uid = obj["metadata"].get("resourceVersion"), obj["metadata"].get("uid")
    if found is None:
        obj["metadata"].pop("resourceVersion", None)
        if uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(kind, name, why)
    elif version and version != str(found.version):
        raise conflict(kind, name)


def _with_metadata(obj: Object) -> Object:
    metadata = obj.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
        found = {str: "string", bool: "bool", list: "array"}.get(type(metadata), "number")
        why = f"json: cannot unmarshal {found} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')
    return obj | {"metadata": dict(metadata or {})}


def _patched(live: Object, kind: Kind, patch_type: PatchType, patch: Any) -> Any:
    if patch_type == "json":
        try:
            return json_patch(live, patch)
        except PatchFailedError:
            raise rejected() from None
    if not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    if patch_type == "merge":
        return merge_patch(live, patch)
    if kind.custom:
        raise unknown_format(_CUSTOM_PATCHES)
    return strategic_merge(live, patch, kind.schema)


def _needs_version(kind: Kind, name: str) -> ApiError:
    cause = invalid_value("metadata.resourceVersion", "0", "must be specified for an update")
    error = invalid(kind, name, [cause])
    details = (error.details or {}) | {"kind": kind.resource}
    return ApiError(422, "Invalid", f'{kind.qualified} "{name}" is invalid: {cause.field}: {cause.message}', details)
