"""The comments of a YAML file: what is said of a key above it, or behind it on its line. Called by `derivation`."""

from __future__ import annotations

import re

from projects.core.configuration.document import Document
from projects.core.configuration.keys import KeyPath

_COMMENT = re.compile(r"^\s*#(?!!)\s?(?P<text>.*)$")
_QUOTED = re.compile(r"""(?<![^\s\[{,])(?:"(?:[^"\\]|\\.)*"|'[^']*')""")
_BEHIND = re.compile(r"\s#\s?")


def comments_of(document: Document) -> dict[KeyPath, str]:
    """Return what a file says of its keys in comments."""
    lines = document.file.read_text(encoding="utf-8").splitlines()
    first: dict[int, KeyPath] = {}
    for path, line in document.lines.items():
        if isinstance(path[-1], str):
            first.setdefault(line, path)  # of several keys on one line, the outermost
    told = ((path, _said(lines, line)) for line, path in first.items())
    return {path: text for path, text in told if text}


def _said(lines: list[str], line: int) -> str:
    """Return the comment of a line: the whole lines of comment right above it, at its indentation, and what stands behind."""
    own = lines[line - 1]
    indent = len(own) - len(own.lstrip())
    above: list[str] = []
    for text in reversed(lines[: line - 1]):
        found = _COMMENT.match(text)
        if not found or len(text) - len(text.lstrip()) != indent:
            break
        above.insert(0, found["text"].strip())
    behind = _BEHIND.search(_QUOTED.sub(lambda found: "_" * len(found[0]), own))
    return " ".join(filter(None, [*above, own[behind.end() :].strip() if behind else ""]))
