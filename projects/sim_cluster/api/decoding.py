"""From the bytes of a request to an object of a kind: parsed, of the right types, without unknown fields.

`resources` calls it for every body; the messages are those of Kubernetes' decoders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from projects.sim_cluster.api.errors import bad_request
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.quantities import canonical
from projects.sim_cluster.api.schema import Schema

_GO_TYPES: Final = {"string": "string", "integer": "int32", "boolean": "bool", "number": "float64"}
_QUANTITY_MESSAGE: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


class UnfitError(Exception):
    """An object that does not fit its kind; `refusals` words it."""


class WrongTypeError(UnfitError):
    """A value that cannot stand where it stands, in the words of Go's decoder."""

    def __init__(self, message: str, value: Any = None, path: str = "", wanted: str = "", go_type: str = "") -> None:
        super().__init__(message)
        self.value, self.path, self.wanted, self.go_type = value, path, wanted, go_type


class StrictError(UnfitError):
    """Unknown fields and fields that are there twice, where the client asked that there be none."""

    def __init__(self, unknown: list[str], twice: Sequence[str] = ()) -> None:
        super().__init__("strict decoding error: " + ", ".join(doubts(unknown, twice)))
        self.unknown, self.twice = unknown, twice


def doubts(unknown: Sequence[str], twice: Sequence[str]) -> list[str]:
    """Return what is doubtful about a body, in words."""
    return [*(f'duplicate field "{path}"' for path in twice), *(f'unknown field "{path}"' for path in unknown)]


def doubt_order(warning: str) -> str:
    """Return by what the warnings about a patch are ordered: its fields, which have no order of their own; then what else is said."""
    return warning if warning.startswith("unknown field ") else "~"


def fields_twice(body: bytes) -> list[str]:
    """Return the paths of the fields that stand twice in a JSON object of a body."""
    repeated = False

    def check(pairs: list[tuple[str, Any]]) -> Object:
        nonlocal repeated
        made = dict(pairs)
        repeated = repeated or len(made) != len(pairs)
        return made

    json.loads(body, object_pairs_hook=check)
    return list(_twice(json.loads(body, object_pairs_hook=_Pairs), "")) if repeated else []


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written."""


def _twice(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, item in value:
            below = f"{path}.{key}" if path else key
            if key in seen:
                yield below
            seen.add(key)
            yield from _twice(item, below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _twice(item, f"{path}[{index}]")


@dataclass
class Conformed:
    """An object made to fit its schema, and the fields that did not belong there."""

    object: Object
    unknown: list[str] = field(default_factory=list)


def parse_json(body: bytes, kind: Kind) -> Any:
    """Return the parsed body of a create or an update."""
    try:
        return json.loads(body)
    except ValueError as error:
        reason = "unexpected end of JSON input" if not body.strip() or _is_cut_off(error) else f"invalid JSON: {error}"
        shown = body.decode("utf-8", "replace")
        message = f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind; "
        raise bad_request(f"{message}json parse error: {reason} ({shown})") from None


def _is_cut_off(error: ValueError) -> bool:
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip())


def parse_yaml(body: bytes) -> Any:
    """Return the parsed YAML (or JSON, which it includes) of an apply patch."""
    import yaml  # noqa: PLC0415 - not needed for start-up

    try:
        if body.lstrip()[:1] == b"{":
            return json.loads(body)
        return yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding YAML: {error}") from None


def check_type(obj: Any, kind: Kind) -> Object:
    """Return the object if it is one of the kind, with the kind filled in."""
    if not isinstance(obj, dict):
        raise bad_request(f"{kind.kind} in version {_quoted(kind.version)} cannot be handled as a {kind.kind}: json: cannot "
                          f"unmarshal {_json_type(obj)} into Go value of type {kind.version}.{kind.kind}")  # fmt: skip
    found = (obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind)
    if found == (kind.api_version, kind.kind):
        return {"kind": kind.kind, "apiVersion": kind.api_version} | obj
    version = found[0].rpartition("/")[2]
    if found[1] != kind.kind and not kind.custom:
        ours, theirs = f"{version}.{found[1]}", f"{kind.group.split('.')[0] or 'core'}.{kind.kind}"
        raise bad_request(f'{found[1]} in version "{version}" cannot be handled as a {kind.kind}: converting ({ours}) to '
                          f"({theirs}): unknown conversion")  # fmt: skip
    raise bad_request(f"the API version in the data ({found[0]}) does not match the expected API version "
                      f"({kind.api_version})" if found[1] == kind.kind else
                      f"the kind in the data ({found[1]}) does not match the expected kind ({kind.kind})")  # fmt: skip


def conform(obj: Object, kind: Kind, *, complete: bool = True, settled: AbstractSet[str] = frozenset()) -> Conformed:
    """Return the object without nulls and unknown fields; raise `WrongTypeError` for a value of the wrong type.

    A `complete` object has the structs that Go always encodes; what is applied is left as it was said. Fields that are
    `settled` are those of an object that was made to fit before, and stay as they are.
    """
    visit = _Visit(lenient=kind.custom, complete=complete and not kind.custom)
    name = kind.schema.short_name or kind.kind
    if not settled:
        return Conformed(visit.struct(obj, kind.schema, "", name, ""), visit.unknown)
    given = {key: value for key, value in obj.items() if key not in settled}
    shaped = {key: value for key, value in obj.items() if key in settled}
    return Conformed(shaped | visit.fields(given, kind.schema, "", name, ""), visit.unknown)


class _Visit:
    """One walk over an object beside its schema."""

    def __init__(self, *, lenient: bool, complete: bool) -> None:
        self.lenient, self.complete = lenient, complete
        self.unknown: list[str] = []

    def value(self, value: Any, schema: Schema | None, path: str, struct: str, go_path: str) -> Any:
        if schema is None or value is None:
            return value
        if schema.type == "array" or schema.items is not None:
            return self.array(value, schema, path, struct, go_path)
        if isinstance(value, dict) and schema.type in {"object", ""}:
            return self.struct(value, schema, path, schema.short_name or struct, go_path)
        if not self.lenient:
            try:
                _check_scalar(value, schema, struct, go_path)
            except WrongTypeError as error:
                error.path = path
                raise
        return canonical(str(value)) if schema.is_quantity and self.complete else value

    def array(self, value: Any, schema: Schema, path: str, struct: str, go_path: str) -> Any:
        if not isinstance(value, list):
            if self.lenient:
                return value
            item = schema.items.short_name if schema.items is not None else ""
            go_type = f"[]{item or _GO_TYPES.get(schema.items.type if schema.items else '', 'string')}"
            raise _mismatch(value, struct, go_path, go_type, "array")
        return [self.value(item, schema.items, f"{path}[{i}]", struct, go_path) for i, item in enumerate(value)]

    def struct(self, value: Object, schema: Schema, path: str, struct: str, go_path: str) -> Object:
        shaped = self.fields(value, schema, path, struct, go_path)
        if self.complete:
            self._fill_structs(shaped, schema)
        return shaped

    def fields(self, value: Object, schema: Schema, path: str, struct: str, go_path: str) -> Object:
        shaped: Object = {}
        omitted = schema.omitted_when_empty if self.complete else ()
        for key, item in value.items():
            child = schema.child(key)
            if child is not None and type(item) is child.plain:
                if item or key not in omitted:
                    shaped[key] = item
                continue
            if (
                child is None
                and not schema.is_open
                and not (schema.is_embedded and key in {"apiVersion", "kind", "metadata"})
            ):
                self.unknown.append(f"{path}.{key}" if path else key)
                continue
            if item is None and not self.lenient:
                if schema.is_map and child is not None and child.type == "string" and not child.is_quantity:
                    shaped[key] = ""  # as Go has it
                continue
            inner = go_path if schema.is_map else f"{go_path}.{key}" if go_path else key
            kept = self.value(item, child, f"{path}.{key}" if path else key, struct, inner)
            if kept or key not in omitted:
                shaped[key] = kept
        return shaped

    def _fill_structs(self, shaped: Object, schema: Schema) -> None:
        """Put in the structs and the times that Go always encodes."""
        for key in schema.null_times - shaped.keys():
            shaped[key] = None
        for key, value in schema.never_left_out.items():
            shaped.setdefault(key, value)
        for key in schema.always_there - shaped.keys():
            child = schema.child(key)
            filled: Object = {}
            shaped[key] = filled
            if child is not None:
                self._fill_structs(filled, child)


def _check_scalar(value: Any, schema: Schema, struct: str, path: str) -> None:
    if schema.is_quantity and canonical(str(value)) is None:
        raise WrongTypeError(_QUANTITY_MESSAGE)
    if schema.is_quantity or schema.is_int_or_string or (schema.is_open and schema.type == ""):
        return
    wanted = schema.type
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }.get(wanted, not wanted)
    if not fits:
        go_type = "int64" if schema.node.get("format") == "int64" else _GO_TYPES.get(wanted, f"v1.{schema.short_name}")
        if schema.is_map:
            go_type = "map[string]string"
        raise _mismatch(value, struct, path, go_type, wanted)
    if schema.node.get("format") == "byte":
        _check_base64(value)


def _check_base64(text: str) -> None:
    wrong = re.search(r"[^A-Za-z0-9+/=\r\n]", text)
    if wrong or len(text.replace("\n", "").replace("\r", "")) % 4:
        place = wrong.start() if wrong else len(text) // 4 * 4
        raise WrongTypeError(f"illegal base64 data at input byte {place}")


def _mismatch(value: Any, struct: str, path: str, go_type: str, wanted: str) -> WrongTypeError:
    shown = f"number {value}" if isinstance(value, float) else _json_type(value)
    message = f"json: cannot unmarshal {shown} into Go struct field {struct}.{path} of type {go_type}"
    return WrongTypeError(message, value, path, wanted, go_type)


def _json_type(value: Any) -> str:
    names = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _quoted(text: str) -> str:
    return f'"{text}"'
