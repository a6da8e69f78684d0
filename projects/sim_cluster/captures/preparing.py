"""A capture made into a state that a fresh API can take as it is. Called by `verbs`, before anything is started.

Whatever can be wrong with a capture is found here: `restoring` only puts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.crds import STORAGE
from projects.sim_cluster.api.decoding import UnfitError
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.api.requests import WriteOptions
from projects.sim_cluster.api.store import Storage
from projects.sim_cluster.captures.definitions import fits, is_definition, permissive, platform_definitions
from projects.sim_cluster.captures.errors import CaptureError
from projects.sim_cluster.captures.moments import latest_time
from projects.sim_cluster.captures.reading import Capture, Found, identity_of
from projects.sim_cluster.captures.secrets import is_redacted, with_readable_values
from projects.sim_cluster.captures.state import State
from projects.sim_cluster.captures.substitutes import nodes_of_pods
from projects.sim_cluster.clock import RunningClock
from projects.sim_cluster.options import Platform
from projects.sim_cluster.shapes import openshift

Object = dict[str, Any]
_OPENSHIFT: Final = "config.openshift.io"
_AS_STORED: Final = WriteOptions(validation="Warn")
_SHOWN: Final = 5


def prepare(capture: Capture) -> State:
    """Return the state that a capture describes.

    Raises:
      CaptureError: an object cannot be one of the kind that it says.
    """
    platform = platform_of(capture)
    api = Api(RunningClock(1))
    if platform == "openshift":
        openshift.add_kinds(api)
    draft = _Draft(api, platform)
    draft.define(capture)
    for found in capture.objects:
        draft.add(found)
    return draft.state(complete=capture.complete)


def platform_of(capture: Capture) -> Platform:
    """Return what kind of cluster was captured: OpenShift has a configuration of its own."""
    groups = {
        (each.object.get("spec") or {}).get("group") if is_definition(each.object) else identity_of(each.object)[0]
        for each in capture.objects
    }
    return "openshift" if _OPENSHIFT in groups else "kubernetes"


@dataclass
class _Draft:
    """A state that grows."""

    api: Api
    platform: Platform
    definitions: list[Object] = field(default_factory=list)
    objects: dict[tuple[Storage, str, str], Object] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    _kinds: dict[tuple[str, str], Kind | None] = field(default_factory=dict)

    def note(self, what: str, which: str) -> None:
        """Tell something about one object more."""
        listed = self.notes.setdefault(what, [])
        if which not in listed:
            listed.append(which)

    def define(self, capture: Capture) -> None:
        """Serve the kinds of the capture's objects."""
        for found in capture.objects:
            if is_definition(found.object) and fits(self.api, found.object):
                self._serve(found.object)
            elif is_definition(found.object):
                self.note("definitions that cannot be served as they are", found.object["metadata"]["name"])
        if self.platform == "openshift" and not capture.complete:
            for made in platform_definitions(self.api, self.definitions):
                self._serve(made)
        unknown: dict[tuple[str, str], list[Found]] = {}
        for found in capture.objects:
            group, kind, *_ = identity_of(found.object)
            if not is_definition(found.object) and self._kind(found.object) is None and not self._is_built_in(group):
                unknown.setdefault((group, kind), []).append(found)
        for (_, kind), instances in sorted(unknown.items()):
            made = permissive(kind, instances)
            self.note("kinds whose definition was not captured, which now accept any field", made["metadata"]["name"])
            self._serve(made)
        self._kinds.clear()

    def _serve(self, definition: Object) -> None:
        self.definitions.append(definition)
        given_away = _with_identity(definition, {})
        self.api.store.put(STORAGE, given_away | {"metadata": dict(given_away["metadata"])})

    def _is_built_in(self, group: str) -> bool:
        return any(kind.group == group and not kind.custom for kind in self.api.registry)

    def _kind(self, obj: Object) -> Kind | None:
        """Return the kind of an object, in its version or in the one that is served in its stead."""
        key = obj["apiVersion"], obj["kind"]
        if key not in self._kinds:
            group = key[0].rpartition("/")[0]
            others = (kind for kind in self.api.registry if (kind.group, kind.kind) == (group, key[1]))
            self._kinds[key] = self.api.registry.of_object(*key) or next(others, None)
        return self._kinds[key]

    def add(self, found: Found) -> None:
        """Take an object over, unless it cannot be served or is another's second face."""
        if is_definition(found.object):
            return
        kind = self._kind(found.object)
        named = f"{found.object['apiVersion']} {found.object['kind']}"
        if kind is None:
            self.note("kinds that this API does not serve", named)
            return
        shaped = self._shaped(kind, found)
        metadata = shaped["metadata"]
        key = kind.storage, metadata.get("namespace", "") if kind.namespaced else "", metadata["name"]
        if kind.store is None or key not in self.objects:
            self.objects[key] = kind.stored(shaped)

    def _shaped(self, kind: Kind, found: Found) -> Object:
        obj = found.object | {"apiVersion": kind.api_version}
        if kind.storage == ("", "secrets"):
            obj = with_readable_values(obj)
            if is_redacted(obj):
                self.note("Secrets whose values the capture does not have; placeholders stand for them", _name(obj))
        if kind.namespaced and not obj["metadata"].get("namespace"):
            raise CaptureError(f"expected metadata.namespace in the {kind.kind} {_name(obj)}, found none", found.place)
        unknown: list[str] = []
        try:
            shaped = self.api.resources.writer.shape(obj, kind, _AS_STORED, unknown)
        except UnfitError as error:
            raise CaptureError(f"expected a {kind.kind}, found in {_name(obj)}: {error}", found.place) from None
        for field_said in unknown:
            self.note("fields that this API does not know, left out", f"{kind.kind}: {field_said}")
        return shaped

    def state(self, *, complete: bool) -> State:
        """Return what has grown."""
        objects = list(self.objects.values())
        if made := list(nodes_of_pods(objects, self.platform)):
            objects += made
            for node in made:
                self.note("nodes that were not captured, made since pods are on them", node["metadata"]["name"])
        everything = [*self.definitions, *objects]
        uids = _referenced_uids(everything)
        known = [_with_identity(obj, uids) for obj in everything]
        return State(
            self.platform,
            known[: len(self.definitions)],
            known[len(self.definitions) :],
            latest_time(known),
            frozenset(uids.values()),
            complete,
            [_worded(what, which) for what, which in self.notes.items()],
        )


def _referenced_uids(objects: Iterable[Object]) -> dict[tuple[str, ...], str]:
    """Return the uids by which objects name their owners, by what the reference says of them."""
    found: dict[tuple[str, ...], str] = {}
    for obj in objects:
        for owner in obj["metadata"].get("ownerReferences") or ():
            for namespace in ("", obj["metadata"].get("namespace", "")):
                found[owner["apiVersion"].rpartition("/")[0], owner["kind"], namespace, owner["name"]] = owner["uid"]
    return found


def _with_identity(obj: Object, uids: dict[tuple[str, ...], str]) -> Object:
    """Return an object with a uid: its own, the one by which others know it, or one made of its name."""
    if obj["metadata"].get("uid"):
        return obj
    identity = identity_of(obj)
    uid = uids.get(identity) or str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(identity)))
    return obj | {"metadata": obj["metadata"] | {"uid": uid}}


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _worded(what: str, which: list[str]) -> str:
    more = f" and {len(which) - _SHOWN} more" if len(which) > _SHOWN else ""
    return f"{what}: {', '.join(which[:_SHOWN])}{more}"
