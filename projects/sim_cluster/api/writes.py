"""Every write goes through here: what may change, what is checked, who owns it, when it is stored or gone.

`resources` shapes the object that a create, an update or a patch asks for; `Writer.create` and `Writer.commit` do the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from projects.sim_cluster.api.admission import (
    KEEPS_STATUS,
    Admission,
    counts_generation,
    encode_string_data,
    random_suffix,
)
from projects.sim_cluster.api.admission_requests import AdmissionRequest, Check
from projects.sim_cluster.api.custom_validation import set_custom_defaults
from projects.sim_cluster.api.decoding import StrictError, UnfitError, conform, doubts
from projects.sim_cluster.api.defaults import set_defaults
from projects.sim_cluster.api.errors import Cause, already_exists, conflict, invalid, required
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.ownership import Manager, after_create, after_update
from projects.sim_cluster.api.refusals import of_body
from projects.sim_cluster.api.requests import Outcome, WriteOptions
from projects.sim_cluster.api.store import Store, Stored
from projects.sim_cluster.api.timestamps import timestamp
from projects.sim_cluster.api.updates import (
    is_noted,
    is_same,
    keep_metadata,
    owners_of,
    settled_fields,
    with_given_owners,
    with_kept_parts,
)
from projects.sim_cluster.api.validation import causes, differs
from projects.sim_cluster.api.webhooks.hooks import Webhooks
from projects.sim_cluster.api.webhooks.reviews import internal
from projects.sim_cluster.api.webhooks.writing import NewObject, WrittenObjects
from projects.sim_cluster.api.write_warnings import doubtful, telling

#: Ways to write a pod that may change what an update may not, and nothing else.
_UNCHECKED: Final = frozenset({"binding", "ephemeralcontainers", "resize"})
_ATTEMPTS: Final = 5
_NOT_STRICT: Final = WriteOptions(validation="Ignore")


class ChangedMeanwhileError(Exception):
    """An object that somebody else has changed while webhooks were asked: whoever made the new one has to make it again."""


async def until_stored(kind: Kind, name: str, write: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """Write what is made of a stored object; again, when that changes meanwhile, but not for ever."""
    for _attempt in range(_ATTEMPTS):
        try:
            return await write()
        except ChangedMeanwhileError:
            continue
    raise conflict(kind, name)


class Writer:
    """Writes objects to the store by the API's rules."""

    def __init__(self, store: Store, admission: Admission, webhooks: Webhooks, now: Callable[[], float]) -> None:
        self.store, self.admission, self.now = store, admission, now
        self.hooks = WrittenObjects(webhooks, admission)
        self.checks: list[Check] = []
        self.last_checks: list[Check] = []  # of what is new, when all others have let it pass

    def shape(
        self, obj: Object, kind: Kind, options: WriteOptions, warnings: list[str], old: Object | None = None
    ) -> Object:
        """Return the object with known fields of the right types and with its defaults.

        Nobody else holds what is filled; where it is only the status that is not the very `old` one, the rest is shared.
        """
        settled = settled_fields(kind, old, obj) if old is not None else frozenset()
        shaped = conform(obj, kind, settled=settled)
        if shaped.unknown or options.twice:
            if options.validation == "Strict":
                raise StrictError(shaped.unknown, options.twice)
            if options.validation != "Ignore":
                warnings += doubts(shaped.unknown, options.twice)
        result = shaped.object
        result["metadata"] = dict(result.get("metadata") or {})
        if settled:
            return result
        if (kind.group, kind.kind) == ("", "Secret"):
            encode_string_data(result)
        if kind.custom:
            set_custom_defaults(result, kind.schema)
        else:
            set_defaults(result, kind)
        return result

    async def create(
        self, kind: Kind, namespace: str, obj: Object, options: WriteOptions, *, managed: list[Any] | None = None
    ) -> Outcome:
        """Create an object from the body of a POST or from an apply that found none, which says who owns what."""
        with telling() as warnings:
            return await self._create(kind, namespace, obj, options, managed, warnings)

    async def _create(
        self,
        kind: Kind,
        namespace: str,
        obj: Object,
        options: WriteOptions,
        managed: list[Any] | None,
        warnings: list[str],
    ) -> Outcome:
        try:
            shaped = self.shape(obj, kind, options, warnings)
        except UnfitError as error:
            raise of_body(kind, error) from None
        if made_up := _generated(shaped["metadata"]):
            options = replace(options, generated=made_up)
        self.admission.check_namespace(kind, namespace, shaped["metadata"].get("name", ""))
        given = shaped["metadata"].pop("managedFields", None)
        status = shaped.pop("status", None) if kind.has_status and kind.kind not in KEEPS_STATUS else None
        self.admission.metadata(shaped, kind, namespace)
        if managed is None:
            maker = Manager(options.manager, "Update", kind.api_version)
            managed = after_create(shaped, kind.schema, maker, timestamp(self.now()), given)
        warnings += self.admission.admit(shaped, kind)
        concerned = self._concerned(kind, options)
        if concerned:
            unmade = NewObject(shaped, managed, status)
            shaped = await self.hooks.change_new(kind, unmade, options, self._settling(kind), warnings)
            managed = shaped["metadata"].pop("managedFields", None)
        if not shaped["metadata"].get("name"):
            raise invalid(kind, "", [required("metadata.name", "name or generateName is required")])
        self._validate(kind, None, shaped)
        asked = AdmissionRequest("CREATE", kind, None, shaped, "", options.by, options.dry_run)
        self._check(asked, warnings)
        if managed:
            shaped["metadata"]["managedFields"] = managed
        self.admission.first_status(shaped, kind)
        self.admission.prepare(shaped, kind)
        if concerned:
            await self.hooks.judge_new(kind, shaped, options, warnings)
        return self._keep_new(asked, warnings)

    def _keep_new(self, asked: AdmissionRequest, warnings: list[str]) -> Outcome:
        """Store a new object that everybody has admitted, unless there is no room for it."""
        for check in self.last_checks:
            check(asked)
        kind, name, made = asked.kind, asked.name, asked.after
        if (taken := self.store.get(kind.storage, asked.namespace, name)) is not None:
            raise already_exists(kind, name, leaving="deletionTimestamp" in taken.object["metadata"])
        if asked.dry_run:
            return Outcome(made, None, warnings, created=True)
        _null_empty(made, kind)
        stored = self.store.put(kind.storage, kind.stored(made))
        return outcome(kind, stored, warnings, created=True)

    def as_asked(self, kind: Kind, obj: Object, options: WriteOptions) -> Object:
        """Return an object that is answered and not stored, such as a review, as webhooks are shown it."""
        try:
            shaped = self.shape(obj, kind, replace(options, validation="Ignore"), [])
        except UnfitError as error:
            raise of_body(kind, error) from None
        maker = Manager(options.manager, "Update", kind.api_version)
        if managed := after_create(shaped, kind.schema, maker, timestamp(self.now()), None):
            shaped["metadata"]["managedFields"] = managed
        status = kind.schema.child("status") if "status" in kind.schema.always_there else None
        return shaped | ({"status": status.zero} if status is not None else {})

    def _settling(self, kind: Kind) -> Callable[[Object], Object]:
        """Return what gives an object that a webhook has changed its types and defaults."""

        def settle(changed: Object) -> Object:
            try:
                return self.shape(changed, kind, _NOT_STRICT, [])
            except UnfitError as error:
                raise internal(str(error)) from None

        return settle

    async def commit(
        self, kind: Kind, before: Stored, obj: Object, options: WriteOptions, *, managed: Any = None
    ) -> Outcome:
        """Put the object that an update or a patch made in the place of the one before."""
        with telling() as warnings:
            return await self._commit(kind, before, obj, options, managed, warnings)

    async def _commit(
        self, kind: Kind, before: Stored, obj: Object, options: WriteOptions, managed: Any, warnings: list[str]
    ) -> Outcome:
        old = kind.served(before.object)
        after = obj if options.subresource == "binding" else self.shape(obj, kind, options, warnings, old)
        given, concerned = dict(after["metadata"]), self._concerned(kind, options)
        if not concerned:
            self._check_version(kind, before, given)
        base = old if managed is not None else with_given_owners(old, after)
        after = with_kept_parts(kind, old, after, options.subresource)
        keep_metadata(old, after)
        if concerned:
            shown = given if managed is None else after["metadata"]  # an apply is made of what there is
            managed = self._owners_after(kind, old, base, after, options) if managed is None else managed
            after = await self._changed(kind, old, after, shown | {"managedFields": managed}, options, warnings)
            self._check_version(kind, before, given)  # who writes another version is told last, as by the real server
        asked = AdmissionRequest("UPDATE", kind, old, after, options.subresource, options.by, options.dry_run)
        if is_same(old, after) and managed is None and base is old:
            self._check(asked, warnings)
            return outcome(kind, before, warnings)
        if counts_generation(kind) and (differs(old, after) or is_noted(kind, old, after, options.subresource)):
            after["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if options.subresource not in _UNCHECKED:
            self._validate(kind, old, after)
        self._check(asked, warnings)
        after["metadata"]["managedFields"] = (
            managed if managed is not None else self._managed(kind, base, after, options)
        )
        if not after["metadata"]["managedFields"]:
            del after["metadata"]["managedFields"]
        if concerned:
            await self.hooks.judge(kind, old, after, options, warnings)
            self.check_place(kind, before)
        if managed is not None and is_same(old, after) and owners_of(old) == managed:
            return outcome(kind, before, warnings)
        return self._keep(kind, after, options, warnings)

    def _keep(self, kind: Kind, after: Object, options: WriteOptions, warnings: list[str]) -> Outcome:
        """Store an update that everybody has admitted."""
        if options.dry_run:
            return Outcome(after, None, warnings)
        return outcome(kind, self._store(kind, after), warnings)

    def _owners_after(self, kind: Kind, old: Object, base: Object, after: Object, options: WriteOptions) -> list[Any]:
        """Return who owns what of an update before webhooks change it: of their changes nobody is the owner."""
        unchanged = is_same(old, after) and base is old
        return owners_of(old) if unchanged else self._managed(kind, base, after, options)

    def _concerned(self, kind: Kind, options: WriteOptions) -> bool:
        """Return whether a webhook may have to be asked about a write."""
        return not options.internal and options.subresource != "binding" and self.hooks.concern(kind)

    async def _changed(
        self, kind: Kind, old: Object, after: Object, given: Object, options: WriteOptions, warnings: list[str]
    ) -> Object:
        """Return an object that is updated as webhooks leave it, where this way of writing can change it.

        They see the metadata that were given, without what the server keeps.
        """
        metadata = {key: value for key, value in given.items() if key != "managedFields" or value}
        metadata |= {key: old["metadata"][key] for key in ("name", "namespace") if key in old["metadata"]}
        visible = after | {"metadata": metadata}
        changed = await self.hooks.change(kind, old, visible, options, self._settling(kind), warnings)
        if changed is visible:
            return after
        changed = with_kept_parts(kind, old, changed, options.subresource)
        keep_metadata(old, changed)
        return changed

    def check_place(self, kind: Kind, before: Stored) -> None:
        """See to it that what is replaced is still what webhooks were asked about."""
        metadata = before.object["metadata"]
        if self.store.get(kind.storage, metadata.get("namespace", ""), metadata["name"]) is not before:
            raise ChangedMeanwhileError

    def _store(self, kind: Kind, after: Object) -> Stored:
        _null_empty(after, kind)
        shown = kind.stored(after)
        if is_finished(kind, shown):
            self.store.put(kind.storage, shown)
            return self.store.remove(kind.storage, shown)
        return self.store.put(kind.storage, shown)

    def _validate(self, kind: Kind, old: Object | None, after: Object) -> None:
        found: list[Cause] = causes(kind, old, after)
        if found:
            raise invalid(kind, after["metadata"]["name"], found)

    def _check(self, asked: AdmissionRequest, warnings: list[str]) -> None:
        """Ask all checks; add what they warn of to what the object itself gives reason to warn of."""
        if not asked.subresource:
            warnings += doubtful(asked.kind, asked.before, asked.after)
        for check in self.checks:
            warnings += check(asked) or ()

    def _check_version(self, kind: Kind, before: Stored, metadata: Object) -> None:
        name = before.object["metadata"]["name"]
        if (version := metadata.get("resourceVersion")) and version != str(before.version):
            raise conflict(kind, name)
        uid = before.object["metadata"]["uid"]
        if (given := metadata.get("uid")) and given != uid:
            raise conflict(kind, name, f"Precondition failed: UID in precondition: {given}, UID in object meta: {uid}")

    def _managed(self, kind: Kind, old: Object | None, after: Object, options: WriteOptions) -> list[Any]:
        subresource = options.subresource if old is not None else ""
        manager = Manager(options.manager, "Update", kind.api_version, subresource)
        time = (
            "" if subresource == "scale" else timestamp(self.now())
        )  # a Scale has no owners of its own to keep time for
        return after_update(old, after, kind.schema, manager, time)


def _null_empty(obj: Object, kind: Kind) -> None:
    """Make the empty lists null that come back from the store so: those at the top of an object, where people meet them."""
    if not kind.custom:
        for name in kind.schema.null_lists:
            if obj.get(name) == []:
                obj[name] = None


def outcome(kind: Kind, stored: Stored, warnings: list[str] | None = None, *, created: bool = False) -> Outcome:
    """Return what is answered for a stored object."""
    shown = kind.served(stored.object)
    return Outcome(shown, stored if shown is stored.object else None, warnings or [], created=created)


def is_finished(kind: Kind, obj: Object) -> bool:
    """Return whether an object that is being deleted has nothing left that holds it."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if kind.storage == ("", "namespaces"):
        return not (obj.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def _generated(metadata: Object) -> str:
    """Give a new object a name when it wants one; return that."""
    if metadata.get("name") or not (prefix := metadata.get("generateName")):
        return ""
    metadata["name"] = name = str(prefix[: 63 - 5] + random_suffix())
    return name
