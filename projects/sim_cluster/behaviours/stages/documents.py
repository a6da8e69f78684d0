"""Reads ``Stage`` documents (kwok.x-k8s.io/v1alpha1). What they say that is not understood is refused: nothing is passed over.

`load_stages` reads files, `read_stages` a text; both raise `StageError`. `playing` makes behaviours of what they return.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

import yaml

from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.stages.functions import NAMES
from projects.sim_cluster.behaviours.stages.mistakes import ConstructError, StageError
from projects.sim_cluster.behaviours.stages.queries import Query, query
from projects.sim_cluster.behaviours.stages.templates import Template

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]
PatchType = Literal["json", "merge", "strategic"]
Read = TypeVar("Read")
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_PATCH_TYPES: Final = ("json", "merge", "strategic")


@dataclass(frozen=True)
class Requirement:
    """One entry of ``matchExpressions``."""

    find: Query
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True)
class Delay:
    """How long a stage waits: a number of seconds, or what the object says; up to the jitter when that is more."""

    seconds: float = 0.0
    seconds_from: Query | None = None
    jitter: float | None = None
    jitter_from: Query | None = None


@dataclass(frozen=True)
class Change:
    """A patch that a stage makes: of which subresource, below which field, as which template says."""

    subresource: str
    root: str
    type: PatchType
    template: Template


@dataclass(frozen=True)
class Finalizers:
    """What a stage does to finalizers."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    empty: bool = False


@dataclass(frozen=True)
class Stage:
    """One stage in the life of objects of a kind."""

    name: str
    resource: Resource
    labels: Object
    annotations: Object
    requirements: tuple[Requirement, ...]
    delay: Delay
    weight: int
    weight_from: Query | None
    changes: tuple[Change, ...]
    finalizers: Finalizers
    event: Object
    deletes: bool
    at_once: bool


def load_stages(paths: Iterable[Path]) -> list[Stage]:
    """Return the stages of some files.

    Raises:
      StageError: A document is none of a stage, or one that is not understood; it names file, stage and construct.
    """
    return [stage for path in paths for stage in read_stages(path.read_text(encoding="utf-8"), str(path))]


def read_stages(text: str, source: str) -> list[Stage]:
    """Return the stages of a text that came from somewhere."""
    try:
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError as error:
        raise StageError(source, "", f"no YAML: {error}") from error
    return [_stage(each, source) for each in documents]


def _stage(document: Any, source: str) -> Stage:
    name = ""
    try:
        body = _body(document)
        name = str((body.get("metadata") or {}).get("name", ""))
        return _of_spec(name, body.get("spec"))
    except ConstructError as error:
        raise StageError(source, name, str(error)) from error


def _body(document: Any) -> Object:
    body = _mapping(document, "the document", "apiVersion", "kind", "metadata", "spec", "status")
    found = f"{body.get('apiVersion')} {body.get('kind')}"
    if found != "kwok.x-k8s.io/v1alpha1 Stage":
        raise ConstructError(f"{found} is no kwok.x-k8s.io/v1alpha1 Stage")
    return body


def _of_spec(name: str, found: Any) -> Stage:
    spec = _mapping(
        found, "spec", "resourceRef", "selector", "delay", "weight", "weightFrom", "next", "immediateNextStage"
    )
    selector = _mapping(spec.get("selector"), "selector", "matchLabels", "matchAnnotations", "matchExpressions")
    follows = _mapping(
        spec.get("next"), "next", "event", "finalizers", "delete", "patches", "statusTemplate", "statusSubresource"
    )
    return Stage(
        name=name,
        resource=_resource(_mapping(spec.get("resourceRef"), "resourceRef", "apiGroup", "kind")),
        labels=selector.get("matchLabels") or {},
        annotations=selector.get("matchAnnotations") or {},
        requirements=tuple(map(_requirement, selector.get("matchExpressions") or ())),
        delay=_delay(spec.get("delay")),
        weight=int(spec.get("weight") or 0),
        weight_from=_expression(spec.get("weightFrom"), "weightFrom"),
        changes=tuple(_changes(follows)),
        finalizers=_finalizers(follows.get("finalizers")),
        event=_mapping(follows.get("event"), "event", "type", "reason", "message"),
        deletes=bool(follows.get("delete")),
        at_once=bool(spec.get("immediateNextStage")),
    )


def _mapping(value: Any, where: str, *allowed: str) -> Object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConstructError(f"{where} is no mapping")
    if unknown := sorted(set(map(str, value)) - set(allowed)):
        raise ConstructError(f"{where}.{unknown[0]} is not supported")
    return cast("Object", value)


def _at(where: str, read: Callable[[], Read]) -> Read:
    """Read something; say where what is wrong with it stands."""
    try:
        return read()
    except ConstructError as error:
        raise ConstructError(f"{where}: {error}") from error


def _resource(reference: Object) -> Resource:
    group, _, version = str(reference.get("apiGroup") or "v1").rpartition("/")
    kind = str(reference.get("kind") or "")
    if not kind:
        raise ConstructError("resourceRef names no kind")
    return Resource(group, version, plural(kind))


def plural(kind: str) -> str:
    """Return the resource of a kind, by the rules of English; a resource that is named otherwise cannot be meant."""
    lower = kind.lower()
    if lower.endswith(("s", "x", "ch", "sh")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") and lower[-2:-1] not in "aeiou" else f"{lower}s"


def _requirement(found: Any) -> Requirement:
    entry = _mapping(found, "matchExpressions", "key", "operator", "values")
    operator, key = entry.get("operator"), str(entry.get("key", ""))
    if operator not in _OPERATORS:
        raise ConstructError(f"the operator {operator!r} of {key} is not supported")
    values = tuple(map(scalar, entry.get("values") or ()))
    return Requirement(_at("matchExpressions", lambda: query(key)), cast("Operator", operator), values)


def scalar(value: Any) -> str:
    """Return a value as selectors compare it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _delay(found: Any) -> Delay:
    delay = _mapping(
        found, "delay", "durationMilliseconds", "durationFrom", "jitterDurationMilliseconds", "jitterDurationFrom"
    )
    jitter = delay.get("jitterDurationMilliseconds")
    return Delay(
        float(delay.get("durationMilliseconds") or 0) / 1000,
        _expression(delay.get("durationFrom"), "durationFrom"),
        None if jitter is None else float(jitter) / 1000,
        _expression(delay.get("jitterDurationFrom"), "jitterDurationFrom"),
    )


def _expression(found: Any, where: str) -> Query | None:
    text = _mapping(found, where, "expressionFrom").get("expressionFrom")
    return None if text is None else _at(where, lambda: query(str(text)))


def _changes(follows: Object) -> Iterable[Change]:
    if (text := follows.get("statusTemplate")) is not None:
        subresource = str(follows.get("statusSubresource", "status"))
        yield Change(subresource, "status", "strategic", _template(text, "statusTemplate"))
    for number, found in enumerate(follows.get("patches") or ()):
        where = f"patches[{number}]"
        patch = _mapping(found, where, "subresource", "root", "template", "type")
        kind = patch.get("type", "strategic")
        if kind not in _PATCH_TYPES:
            raise ConstructError(f"{where}.type {kind!r} is not supported")
        template = _template(patch.get("template"), where)
        yield Change(str(patch.get("subresource", "")), str(patch.get("root", "")), kind, template)


def _template(text: Any, where: str) -> Template:
    return _at(where, lambda: Template(str(text or ""), NAMES))


def _finalizers(found: Any) -> Finalizers:
    entry = _mapping(found, "finalizers", "add", "remove", "empty")
    added, removed = (
        tuple(str(_mapping(each, f"finalizers.{key}", "value").get("value", "")) for each in entry.get(key) or ())
        for key in ("add", "remove")
    )
    return Finalizers(added, removed, bool(entry.get("empty")))
