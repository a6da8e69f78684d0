"""YAML and JSON files of a capture as plain values, by the rules of Kubernetes' own reader. Called by `reading`.

PyYAML's loaders make a node of everything before they make a value of it. Captures hold hundreds of thousands of lines, so
values are built straight from the parser's events here, which takes a fifth of the time.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from projects.sim_cluster.captures.errors import CaptureError

_FLOAT: Final = re.compile(
    r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+"
)  # YAML 1.1 wants a dot in it; what writes these files does not
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"  # a string to Kubernetes
_PLAIN: dict[str, Any] = {}
_MOST_PLAIN: Final = 100_000


class _ForeignError(Exception):
    """The file has an anchor or a tag, which no writer of captures makes: the whole loader reads it."""


def documents_of(path: Path) -> list[Any]:
    """Return the documents of a file; a ``.gz`` is unpacked.

    Raises:
      CaptureError: the file cannot be read or parsed; the error names it, and the line.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = data.decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CaptureError(f"expected text, found what cannot be read: {error}", path) from None
    if ".json" in path.suffixes:
        return [_from_json(text, path)]
    try:
        return _from_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CaptureError(f"expected YAML, found {error.problem}", path, mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise CaptureError(f"expected YAML, found {error}", path) from None


def _from_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CaptureError(f"expected JSON, found {error.msg}", path, error.lineno) from None


def _from_yaml(text: str) -> list[Any]:
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    try:
        return [_value(events, next(events)) for event in events if isinstance(event, yaml.DocumentStartEvent)]
    except _ForeignError:
        return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def _value(events: Iterator[Any], event: Any) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None or event.tag is not None:
        raise _ForeignError
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events)
    return _mapping(events)


def _sequence(events: Iterator[Any]) -> list[Any]:
    found = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        found.append(_value(events, event))
    return found


def _mapping(events: Iterator[Any]) -> dict[str, Any]:
    found = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise _ForeignError
        key = event.value  # of whatever type it looks: keys are text in JSON
        found[key] = _value(events, next(events))
    return found


def _scalar(event: Any) -> Any:
    if event.anchor is not None or event.tag is not None:
        raise _ForeignError
    if not event.implicit[0]:  # it stands in quotes or in a block
        return event.value
    if event.value not in _PLAIN:
        if len(_PLAIN) >= _MOST_PLAIN:
            _PLAIN.clear()
        _PLAIN[event.value] = _plain(event.value)
    return _PLAIN[event.value]


def _plain(text: str) -> Any:
    """Return what a word without quotes stands for."""
    if _FLOAT.fullmatch(text):
        return float(text)
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return text if tag == _TIMESTAMP else loader.construct_object(yaml.ScalarNode(tag, text))
