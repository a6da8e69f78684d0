"""How values and origins of the configuration are written on the terminal. Called by the verbs of `configure`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from projects.core.configuration.keys import MISSING
from projects.core.configuration.layers import Origin
from projects.core.configuration.resolved_files import yaml_text
from projects.core.console.paper import Paper
from projects.core.values.redaction import MASK

_LONGEST = 100
_KINDS = {dict: "mapping", type(None): "null"}


def kind_of(value: Any) -> str:
    """Return the name of a value's kind, such as ``str``."""
    return _KINDS.get(type(value), type(value).__name__)


def on_one_line(value: Any) -> str:
    """Return a value as one line: text in quotes, a large list or mapping by its size."""
    if value is MISSING:
        return "(taken away)"
    if value == MASK:
        return "(a secret)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, dict | list) and len(text) > _LONGEST:
        return f"{kind_of(value)} of {len(value)}"
    return text


def as_yaml(value: Any) -> str:
    """Return a list or a mapping as YAML."""
    return yaml_text(value).rstrip("\n")


def layer_of(origin: Origin | None) -> str:
    """Return who set a value: the layer, and the presets that it came through, the applied one first."""
    if origin is None:
        return ""
    return " ".join([str(origin.layer), *([" > ".join(origin.presets)] if origin.presets else [])])


def place_of(origin: Origin | None) -> str:
    """Return where a value was set, nothing when it stands in no file."""
    return str(origin.place) if origin and origin.place else ""


def row(paper: Paper, head: Sequence[tuple[str, str]], text: str, *, indent: int = 0) -> None:
    """Print a row whose last column is of any length: wrapped on a terminal, else on one line, so that it can be searched."""
    if paper.terminal:
        paper.columns(head, text, indent=indent)
    else:
        paper.line(*head, text, indent=indent)
