"""The reference page of scenarios, from the models and their words. A test proves that the page in the documentation is this one.

``python3 -m projects.sim_cluster.scenarios.reference`` writes it.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from projects.sim_cluster.scenarios.api_faults import AnyApiFault, ApiFault
from projects.sim_cluster.scenarios.cluster_faults import AnyClusterFault
from projects.sim_cluster.scenarios.fields import ClusterFault
from projects.sim_cluster.scenarios.model import Scenario
from projects.sim_cluster.scenarios.words import words

PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "scenario.md"
_Model = type[BaseModel]
_HEAD: Final = """# Scenarios

The keys of a scenario file; [write a scenario](../how-to/write-a-scenario.md) says how they go together. This page is generated from what reads them
(`python3 -m projects.sim_cluster.scenarios.reference`).

A *time* is a span of the cluster's time: a number of seconds, or text such as `90s`, `3m`, `1h30m`. Patterns are those of a shell; one of a list has to fit.

"""
_KINDS: Final[dict[str, tuple[_Model, Any]]] = {
    "api": (ApiFault, AnyApiFault),
    "cluster": (ClusterFault, AnyClusterFault),
}


def page() -> str:
    """Return the page."""
    parts = [_told("The file", Scenario)]
    parts += [_told(f"`{where}`", section) for where, section in _sections("", Scenario) if not _is_fault(section)]
    for name, (every, kinds) in _KINDS.items():
        where = f"faults.{name}[]"
        parts.append(_told(f"`{where}`", every))
        parts += [_told(f"`{inner}`", section) for inner, section in _sections(where, every)]
        for kind in typing.get_args(typing.get_args(kinds)[0]):
            title = f"`{where}` with `do: {_do(kind)}`"
            parts.append(_told(title, kind, without=every))
            parts += [
                _told(f"`{inner}` of `{_do(kind)}`", section) for inner, section in _own_sections(where, kind, every)
            ]
    return _HEAD + "\n".join(parts)


def _is_fault(section: _Model) -> bool:
    return issubclass(section, ApiFault | ClusterFault)


def _do(kind: _Model) -> str:
    return str(typing.get_args(kind.model_fields["do"].annotation)[0])


def _sections(where: str, section: _Model) -> Iterator[tuple[str, _Model]]:
    """Yield what stands in a section and has keys of its own, with its place."""
    for name, field in section.model_fields.items():
        origin = typing.get_origin(field.annotation)
        inner_where = f"{where}.{name}".lstrip(".") + (
            "[]" if origin is tuple else ".NAME" if origin is Mapping else ""
        )
        for inner in _models(field.annotation):
            if not _is_fault(inner):
                yield inner_where, inner
                yield from _sections(inner_where, inner)


def _own_sections(where: str, kind: _Model, every: _Model) -> Iterator[tuple[str, _Model]]:
    """Yield what stands in a kind of fault, but for what stands in all."""
    common = {inner for inner, _ in _sections(where, every)}
    return ((inner, section) for inner, section in _sections(where, kind) if inner not in common)


def _models(hint: Any) -> list[_Model]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return [hint]
    return [model for each in typing.get_args(hint) for model in _models(each)]


def _told(title: str, section: _Model, without: _Model | None = None) -> str:
    """Return the part of the page about a section, without the keys that all of its kind have."""
    schema = section.model_json_schema()
    said = words(section)
    left_out = {"do", *(without.model_fields if without else ())}
    rows = [
        f"| `{name}` | {_value(node)} | {_default(node)} | {said.get(name, '')} |".replace("\n", " ")
        for name, node in schema["properties"].items()
        if name not in left_out
    ]
    table = "\n".join(["", "| key | value | default | meaning |", "|---|---|---|---|", *rows, ""]) if rows else ""
    return f"## {title}\n\n{inspect.cleandoc(section.__doc__ or '')}\n{table}"


def _value(node: dict[str, Any]) -> str:
    """Return what a key takes, in words, from its JSON Schema."""
    if node.get("title") == "time":
        return "*time*"
    if "enum" in node or "const" in node:
        return ", ".join(f"`{each}`" if each != "" else '`""`' for each in node.get("enum", [node.get("const")]))
    if "anyOf" in node:
        return " or ".join(_value(each) for each in node["anyOf"] if each.get("type") != "null")
    match node.get("type"):
        case "array":
            return f"list of {_value(node['items'])}".replace("list of text", "list").replace("list of keys", "list")
        case "string":
            return "text"
        case "boolean":
            return "`true`, `false`"
        case "integer" | "number":
            return _number(node)
        case _:
            return "keys" if "$ref" in node or "oneOf" in node else "mapping"


def _number(node: dict[str, Any]) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    bounds = (f" from {low:g}" if low is not None else "") + (f" to {high:g}" if high is not None else "")
    return ("number" if node["type"] == "number" else "whole number") + bounds


def _default(node: dict[str, Any]) -> str:
    default = node.get("default")
    if default in (None, "", [], {}) or isinstance(default, dict) or "$ref" in node:
        return ""
    if isinstance(default, bool):
        return f"`{default}`".lower()
    if isinstance(default, list):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
