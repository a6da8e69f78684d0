"""What a run leaves about its configuration: the resolved file, where each value came from, the presets applied.

    config.yaml              every layer applied; references, and so secrets, as they are written
    config.provenance.yaml   for each key the layer, the line, and the preset with those that it came through
    config.schema.yaml       what the project declares about them, when it does
    presets_applied          ``preset[NAME] key --> value``, in order

Written anew by the library after each change. A block that has not changed is not dumped again: trees are never
changed in place, so it is the same object.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from projects.core.configuration.declarations import FILE as SCHEMA
from projects.core.configuration.document import Place, read_document
from projects.core.configuration.keys import KeyPath, format_key, leaves, name_of, parse_key
from projects.core.configuration.layers import Assignment, Configuration, Layer, Origin
from projects.core.configuration.presets import BLOCK, RESERVED
from projects.core.record.artifacts import write_atomically
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError
from projects.core.values.redaction import MASK, REDACTOR

MARK = "# Written by Foresail: every layer is applied in this file.\n"
CONFIG = "config.yaml"
PROVENANCE = "config.provenance.yaml"
PRESETS_APPLIED = "presets_applied"
_ONE_LINE = 1 << 30
_LONGEST_KEY = 100  # YAML writes a longer one as `? key`

Blocks = dict[KeyPath, tuple[Any, str]]


class _Dumper(yaml.CSafeDumper):
    """Writes a value out wherever it stands."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
        return True


class ResolvedFiles:
    """The files of one run.

    Args:
      directory: The run's root.
      mirror: A directory where the resolved file is written too, for the later steps of a CI job.
      applied: The lines of `presets_applied` that stay, from a process before.
    """

    def __init__(self, directory: Path, mirror: Path | None = None, *, applied: str = "") -> None:
        self.config = directory / CONFIG
        self._directory = directory
        self._mirror = mirror
        self._applied = applied
        self._secrets = 0
        self._dumped: Blocks = {}
        self._traced: Blocks = {}
        self._written: dict[Path, str] = {}

    def check(self) -> None:
        """Refuse a directory whose `config.yaml` is somebody's own, such as a project's.

        Raises:
          ConfigError: it is.
        """
        if self.config.exists() and not is_resolved(self.config):
            raise ConfigError(
                f"the artifact directory holds a {CONFIG} that no run has written; it would be overwritten",
                hint="let ARTIFACT_DIR name another directory",
                place=self.config,
            )

    def write(self, configuration: Configuration) -> None:
        """Write the files of a configuration, each atomically."""
        if self._secrets != len(REDACTOR.values):
            self._secrets = len(REDACTOR.values)
            self._dumped, self._traced = {}, {}
        text = MARK + self._dump(configuration)
        self._replace(self.config, text)
        if self._mirror:
            self._replace(self._mirror / CONFIG, text)
        self._replace(self._directory / PROVENANCE, self._trace(configuration))
        if configuration.schema:
            self._replace(self._directory / SCHEMA, yaml_text(configuration.schema.data))
        applied = self._applied + REDACTOR.redact("".join(presets_applied(configuration)))
        if applied or (self._directory / PRESETS_APPLIED).exists():
            self._replace(self._directory / PRESETS_APPLIED, applied)

    def _replace(self, file: Path, text: str) -> None:
        if self._written.get(file) != text:
            write_atomically(file, text)
            self._written[file] = text

    def _dump(self, configuration: Configuration) -> str:
        schema = configuration.schema

        def text_of(path: KeyPath, value: Any) -> str:
            if schema and schema.has_secrets:
                value = schema.masked(value, tuple(map(name_of, path)), MASK)
            dumped = REDACTOR.redact(yaml_text({path[-1]: value}))
            return dumped if len(path) == 1 else textwrap.indent(dumped, "  ")

        self._dumped = {
            path: _known(self._dumped, path, value) or (value, text_of(path, value))
            for path, value in _blocks(configuration.data)
        }
        lines = []
        around: KeyPath = ()
        for path, (_, text) in self._dumped.items():
            if len(path) > 1 and path[:1] != around:
                around = path[:1]
                lines.append(yaml_text({around[0]: 0}).replace(": 0\n", ":\n"))
            lines.append(text)
        return "".join(lines)

    def _trace(self, configuration: Configuration) -> str:
        within: set[KeyPath] = {path for path in configuration.origins if any(isinstance(step, int) for step in path)}

        def text_of(block: KeyPath, value: Any) -> str:
            path = tuple(map(name_of, block))
            paths = [leaf for leaf, _ in leaves(value, path)] + sorted(
                each for each in within if each[: len(path)] == path
            )
            return "".join(_traced(each, configuration.origin(each)) for each in dict.fromkeys(paths))

        traced = {}
        for path, value in _blocks(configuration.data):
            if path[0] == BLOCK and (len(path) == 1 or path[1] not in RESERVED):
                continue  # a preset's definition sets nothing
            known = _known(self._traced, path, value) if isinstance(value, dict | list) else None
            traced[path] = known or (value, REDACTOR.redact(text_of(path, value)))
        self._traced = traced
        return "".join(text for _, text in traced.values())


def is_resolved(file: Path) -> bool:
    """Tell whether a file was written by `ResolvedFiles`, so that no layer is missing in it."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.readline() == MARK
    except OSError:
        return False  # whoever reads it next says what is wrong with it


def yaml_text(value: Any) -> str:
    """Return a value as YAML, its keys in their order, each scalar on one line."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_ONE_LINE
    )
    return str(text)


def presets_applied(configuration: Configuration) -> Iterator[str]:
    """Give a line for each value that a preset set."""
    for assignment in configuration.history:
        if assignment.origin.presets:
            value = _without_secrets(configuration, assignment)
            shown = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
            yield f"preset[{assignment.origin.presets[-1]}] {assignment.key} --> {shown}\n"


def _without_secrets(configuration: Configuration, assignment: Assignment) -> Any:
    """Return what an assignment sets, without the secrets that stand in it."""
    schema, path = configuration.schema, parse_key(assignment.key) or ()
    return schema.masked(assignment.value, path, MASK) if schema and schema.has_secrets else assignment.value


def read_provenance(directory: Path) -> dict[KeyPath, Origin]:
    """Return what set each value of the resolved file in a directory, as it was written beside it.

    Raises:
      ConfigError: the file cannot be read.
    """
    file = directory / PROVENANCE
    if not file.exists():
        return {}
    entries = read_document(file).data.items()
    known = {path: told for key, told in entries if (path := parse_key(name_of(key))) and isinstance(told, dict)}
    return {path: _origin(told) for path, told in known.items() if told.get("layer") in set(Layer)}


def applied_before(directory: Path) -> str:
    """Return the lines of `presets_applied` in a directory, for a process that goes on there."""
    file = directory / PRESETS_APPLIED
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _origin(told: dict[str, Any]) -> Origin:
    file, _, line = str(told.get("place", "")).rpartition(":")
    place = Place(ROOT / file, int(line)) if file and line.isdecimal() else None
    return Origin(Layer(told["layer"]), place, tuple(told.get("presets", ())))


def _blocks(data: dict[Any, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """Give the parts that are dumped on their own: the members of a top-level mapping, else the top-level value.

    Their paths hold the keys as the mappings have them, which need not be text.
    """
    for key, value in data.items():
        if isinstance(value, dict) and value and isinstance(key, str) and len(key) < _LONGEST_KEY and key.isprintable():
            for name, member in value.items():
                yield (key, name), member
        else:
            yield (key,), value


def _known(blocks: Blocks, path: KeyPath, value: Any) -> tuple[Any, str] | None:
    known = blocks.get(path)
    return known if known is not None and known[0] is value else None


def _traced(path: KeyPath, origin: Origin | None) -> str:
    told: dict[str, Any] = {}
    if origin:
        told["layer"] = str(origin.layer)
        if origin.place:
            told["place"] = str(origin.place)
        if origin.presets:
            told["presets"] = list(origin.presets)
    fields = ", ".join(f"{name}: {_quoted(value)}" for name, value in told.items())
    return f"{_quoted(format_key(path))}: {{{fields}}}\n"


def _quoted(value: Any) -> str:
    """Return text, or a list of texts, as YAML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_quoted, value))}]"
    if value.isascii() and value.isprintable():
        return json.dumps(value)
    return str(yaml.dump(value, Dumper=_Dumper, default_style='"', allow_unicode=True, width=_ONE_LINE)).strip()
