"""The scenarios that ship, by name, without reading them. Called by `pytest_plugin`, `cli` and `reading`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "named"
HEALTHY: Final = "healthy"
"""What a cluster goes through when nothing is said."""
SHIPPED: Final = (HEALTHY, "flaky-api", "slow-operator", "lost-node", "no-gpu-capacity", "stuck-namespace", "expired-credentials")  # fmt: skip
"""Their names, in the order in which they are told and rehearsed."""
_SUFFIXES: Final = (".yaml", ".yml")


class ScenarioError(ValueError):
    """A scenario that does not exist, or a file that is none: a mistake of whoever asks for it."""

    exit_code: Final = 2


def hint(name: str, known: Iterable[str]) -> str:
    """Return the end of a refusal: which of the names that there are may have been meant; empty when none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def file_of(name_or_path: str | Path) -> Path:
    """Return the file of a scenario: of one that ships, by its name, or what holds a ``/`` or ends with ``.yaml``.

    Raises:
      ScenarioError: none of that name ships, or there is no such file.
    """
    text = str(name_or_path)
    if text in SHIPPED:
        return DIRECTORY / f"{text}.yaml"
    path = Path(text)
    is_path = isinstance(name_or_path, Path) or "/" in text or path.suffix in _SUFFIXES
    if is_path and path.is_file():
        return path
    wanted = "a scenario's file" if is_path else "the name of a scenario or a file"
    raise ScenarioError(f"expected {wanted}, found {text!r}{hint(text, SHIPPED)} (there is: {', '.join(SHIPPED)})")
