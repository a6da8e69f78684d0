"""Which words there are: entrypoints, flags, presets, keys, steps. Read from files for each word that is completed.

Python is parsed, never imported, so that a word is there within a tenth of a second.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from projects.core.values.checkout import ROOT

_RESERVED = frozenset({"name", "names", "to_apply", "variable_overrides", "local_config"})
_RECORD = "_steps.jsonl"


class Candidate(NamedTuple):
    """A word that may stand where the cursor is, and what it is for."""

    word: str
    text: str = ""


class Flag(NamedTuple):
    """A parameter of a function that can be written as a flag.

    Attributes:
      name: Without dashes.
      takes: What stands behind it, as it is annotated; `bool` needs nothing.
      positional: Whether it can stand without its name.
      choices: The values that it may have, where those are few.
      on: Whether it is on unless it is negated.
    """

    name: str
    takes: str
    positional: bool
    choices: tuple[str, ...] = ()
    on: bool = False


def orchestrations(root: Path = ROOT) -> Mapping[str, Sequence[Path]]:
    """Return the scripts of each project that can be run."""
    found: dict[str, list[Path]] = {}
    for path in sorted(root.glob("projects/*/testing/*")):
        if path.suffix in (".py", ".sh") and os.access(path, os.X_OK):
            found.setdefault(path.parents[1].name, []).append(path)
    return found


def entrypoints(script: Path) -> Iterator[tuple[Candidate, ast.FunctionDef]]:
    """Yield the entrypoints that a script declares."""
    for node in _parsed(script).body:
        if isinstance(node, ast.FunctionDef) and any("entrypoint" in ast.unparse(each) for each in node.decorator_list):
            yield Candidate(node.name, summary(node)), node


def function_in(module: Path, name: str) -> ast.FunctionDef | None:
    """Return a function or method of a module; one whose name is a builtin's ends with an underscore."""
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.FunctionDef) and node.name in (name, f"{name}_"):
            return node
    return None


def flags_of(node: ast.FunctionDef) -> list[Flag]:
    """Return the parameters of a function as flags."""
    arguments = node.args
    named = [each for each in arguments.args if each.arg != "self"]
    defaults = [None] * (len(named) - len(arguments.defaults)) + list(arguments.defaults)
    found = [_flag(each, default, positional=True) for each, default in zip(named, defaults, strict=True)]
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(_flag(each, default, positional=False))
    return found


def summary(node: ast.FunctionDef) -> str:
    """Return the first line of a function's docstring."""
    return (ast.get_docstring(node) or "").partition("\n")[0]


def presets(project: str, root: Path = ROOT) -> list[str]:
    """Return the presets that a project can apply."""
    return sorted(
        name
        for document in _configurations(project, root)
        for name in document.get("ci_presets") or {}
        if name not in _RESERVED and not name.startswith("__")
    )


def keys(project: str, root: Path = ROOT) -> list[str]:
    """Return the keys of a project's configuration, with dots."""
    return sorted(
        {
            key
            for document in _configurations(project, root)
            for key in _keys(document)
            if not key.startswith("ci_presets.")
        }
    )


def steps(directory: Path) -> list[str]:
    """Return the directories of the steps of a run; the room of the record takes too long to import."""
    found: dict[str, None] = {}
    for text in (directory / _RECORD).read_text(encoding="utf-8", errors="replace").splitlines():
        if '"directory"' in text:
            found[str(json.loads(text)["directory"])] = None
    return [name for name in found if name != "."]


def _keys(document: Mapping[str, Any], around: str = "") -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{around}{name}.")
        else:
            yield f"{around}{name}"


def _configurations(project: str, root: Path) -> Iterator[Mapping[str, Any]]:
    import yaml  # noqa: PLC0415 - 10 ms, which most words do not need

    for path in (root / "config.yaml", root / "projects" / project / "testing" / "config.yaml"):
        if path.is_file():
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            if isinstance(document, dict):
                yield document


def _flag(argument: ast.arg, default: ast.expr | None, *, positional: bool) -> Flag:
    takes = ast.unparse(argument.annotation) if argument.annotation else ""
    choices = tuple(
        str(each.value)
        for node in ast.walk(argument.annotation or ast.Constant(None))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal")
        for each in ast.walk(node.slice)
        if isinstance(each, ast.Constant)
    )
    on = isinstance(default, ast.Constant) and default.value is True
    return Flag(argument.arg.removesuffix("_"), takes, positional, choices, on)


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
