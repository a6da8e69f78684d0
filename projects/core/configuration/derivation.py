"""A JSON Schema of a project's configuration, for editors. Called by ``configure schema``.

It is derived from the root's and the project's `config.yaml` (kinds, defaults, comments), and what `config.schema.yaml`
declares is laid over it. It describes values as they are written: where one is declared as a reference, text may stand.
"""

from __future__ import annotations

from typing import Any

from projects.core.configuration.comments import comments_of
from projects.core.configuration.data import copied, is_reference
from projects.core.configuration.explanation import shown
from projects.core.configuration.keys import KeyPath, find, format_key, leaves, name_of
from projects.core.configuration.layers import Configuration, merged
from projects.core.configuration.presets import BLOCK, EXTENDS, HIDDEN, RESERVED, Presets
from projects.core.configuration.references import Resolver
from projects.core.values.errors import ConfigError
from projects.core.values.redaction import MASK

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_REFERENCE = {"type": "string", "pattern": r"^@|^\*\$@|\{@"}


def derived(configuration: Configuration, presets: Presets, title: str) -> dict[str, Any]:
    """Return the schema of a configuration.

    Args:
      configuration: The configuration; what its files declare counts, no preset.
      presets: Its presets.
      title: What the schema is called.
    """
    comments: dict[KeyPath, str] = {}
    for _, file in configuration.base.documents:
        comments |= comments_of(file)
    whole = _described(configuration, (), comments)
    properties = whole.get("properties", {})
    properties[BLOCK] = _presets(presets, properties.get(BLOCK, {}), comments)
    definitions = {"reference": _REFERENCE, "preset": _preset(configuration, presets)}
    document = {"$schema": DIALECT, "title": title, **whole, "$defs": definitions}
    return merged(document, configuration.schema.data if configuration.schema else {})


def _described(configuration: Configuration, path: KeyPath, comments: dict[KeyPath, str]) -> dict[str, Any]:
    """Return the schema of what is declared at a path."""
    value = find(configuration.declared, path)
    schema: dict[str, Any] = {}
    if kinds := _kinds(configuration, value, path):
        schema["type"] = kinds
    if path in comments:
        schema["description"] = comments[path]
    if isinstance(value, dict):
        names = [name_of(key) for key in value]
        schema["properties"] = {name: _described(configuration, (*path, name), comments) for name in names}
    elif (default := shown(configuration, path, value)) != MASK:
        schema["default"] = copied(default)
    return schema


def _kinds(configuration: Configuration, value: Any, path: KeyPath) -> str | list[str] | None:
    """Return the keyword ``type``; None for what null is declared as, which may be anything."""
    if not is_reference(value):
        return _TYPES.get(type(value))
    try:
        kind = _TYPES.get(type(Resolver(configuration).resolve(value, path)))
    except ConfigError:
        return "string"
    return None if kind is None else "string" if kind == "string" else [kind, "string"]


def _presets(presets: Presets, block: dict[str, Any], comments: dict[KeyPath, str]) -> dict[str, Any]:
    """Return the schema of the block of presets."""
    described = block.get("properties", {})
    own = {name: each for name, each in described.items() if name in RESERVED or name.startswith(HIDDEN)}
    named = {name: {"$ref": "#/$defs/preset"} | _about(comments, (BLOCK, name)) for name in presets}
    return {
        "type": "object",
        **_about(comments, (BLOCK,)),
        "properties": {**own, **named},
        "additionalProperties": {"$ref": "#/$defs/preset"},
    }


def _preset(configuration: Configuration, presets: Presets) -> dict[str, Any]:
    """Return the schema of a preset: it sets keys with dots, each to what the key may be, or to a list of such."""
    keys = {
        format_key(path): {"anyOf": [_pointer(path), {"type": ["array", "null"]}, {"$ref": "#/$defs/reference"}]}
        for path, _ in leaves(configuration.declared)
        if path and path[0] != BLOCK
    }
    names: dict[str, Any] = {"enum": list(presets)}
    extends = {"anyOf": [names, {"type": "array", "items": names}]}
    return {"type": "object", "properties": {EXTENDS: extends, **keys}}


def _about(comments: dict[KeyPath, str], path: KeyPath) -> dict[str, Any]:
    return {"description": comments[path]} if path in comments else {}


def _pointer(path: KeyPath) -> dict[str, str]:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return {"$ref": "#" + "".join(f"/properties/{step}" for step in steps)}
