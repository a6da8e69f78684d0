"""Lines of a listing: redacted, and on a terminal coloured and cut to its width. Used by the verbs that look at runs.

No rich here: a listing is there before that is imported.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

from projects.core.console.terminal import is_plain
from projects.core.record.artifacts import clean
from projects.core.values.outcomes import Status

Part = str | tuple[str, str]
"""Some text, or some text and its style."""

_CODES: Mapping[str, str] = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}
STYLES: Mapping[str, str] = {
    Status.RUNNING: "cyan",
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.TIMED_OUT: "red",
    Status.INTERRUPTED: "red",
    Status.CANCELLED: "yellow",
    Status.SKIPPED: "dim",
    "killed": "red",
    "cut off": "red",
    "ok": "green",
    "warning": "yellow",
    "problem": "red",
}
"""The style of a status, of a state of a run, of a finding."""
_NARROWEST = 40
WIDTH = 80


class Paper:
    """Where lines are printed: standard output, as it is when this is made."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self.coloured = not is_plain(sys.stdout)
        columns = shutil.get_terminal_size((WIDTH, 24)).columns if self.terminal else WIDTH
        self.width = max(columns, _NARROWEST)

    def line(self, *parts: Part, indent: int = 0) -> None:
        """Print one line; on a terminal what does not fit is cut off."""
        pieces = [(part, "") if isinstance(part, str) else part for part in parts]
        cleaned = [(" ".join(clean(text).splitlines()), style) for text, style in pieces]
        if self.terminal:
            cleaned = _cut([(" " * indent, ""), *cleaned], self.width)
            indent = 0
        print(" " * indent + "".join(self._painted(text, style) for text, style in cleaned).rstrip())

    def text(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Print a text of any length, its own lines kept, wrapped at the width."""
        for line in clean(text).splitlines():
            own = len(line) - len(line.lstrip())
            filled = textwrap.wrap(
                line.strip(),
                max(self.width - indent - own, _NARROWEST),
                break_long_words=False,
                break_on_hyphens=False,
            )
            for each in filled or [""]:
                print((" " * (indent + own) + self._painted(each, style)).rstrip())

    def columns(self, head: Sequence[tuple[str, str]], text: str, *, indent: int = 0) -> None:
        """Print what stands in the first columns, each with its style, and beside it a text of any length."""
        width = indent + sum(len(each) for each, _ in head)
        wrapped = textwrap.wrap(
            clean(text), max(self.width - width, _NARROWEST), break_long_words=False, break_on_hyphens=False
        )
        first = " " * indent + "".join(self._painted(clean(each), style) for each, style in head)
        for line in wrapped or [""]:
            print((first + line).rstrip())
            first = " " * width

    def verbatim(self, text: str, *, indent: int = 0) -> None:
        """Print lines as they stand, such as those of a log."""
        for line in clean(text).splitlines():
            print((" " * indent + line).rstrip())

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and text.strip() and self.coloured else text


def _cut(pieces: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Return pieces that are no longer than the width together; what was cut ends with an ellipsis."""
    if sum(len(text) for text, _ in pieces) <= width:
        return pieces
    kept: list[tuple[str, str]] = []
    left = width - 1
    for text, style in pieces:
        kept.append((text[:left], style))
        left -= len(kept[-1][0])
    return [*kept, ("…", "dim")]
