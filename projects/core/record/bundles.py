"""Failure bundles as files: where they are, how a step's directory leads to one, what one says in short.

Written by `postmortem` at the moment of a failure; read by whatever tells of it later, `failures` and the console among them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUNDLES = "_failures"
"""The directory of the bundles, at a run's root."""
BUNDLE = "bundle.json"
"""What a bundle holds, for programs; it is written last, so that who sees it sees the rest whole."""
LINK = "_bundle"
"""In a step's directory: the path from there to the bundle of its failure."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an object stood when a step failed.

    Attributes:
      name: The object, such as ``Pod default/redis``.
      says: How it stood, on one line.
      condition: Its last condition, as the API has it.
      event: Its last event of type Warning, in words.
    """

    name: str
    says: str
    condition: Mapping[str, Any] = field(default_factory=dict)
    event: str = ""

    def __str__(self) -> str:
        """Return it on one line, with the event when that says more."""
        more = f"; {self.event}" if self.event and self.event.partition(": ")[2] not in self.says else ""
        return " ".join(f"{self.name}: {self.says}{more}".split())


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says in short.

    Attributes:
      path: Its directory.
      telling: The object that tells most of why, None when there is none.
    """

    path: Path
    telling: Standing | None = None


def bundle_of(directory: Path) -> Bundle | None:
    """Return the bundle that a step's directory leads to.

    Args:
      directory: The step's artifact directory.

    Returns:
      The bundle, None when there is none. One whose capture was cut off tells nothing in short.
    """
    try:
        link = (directory / LINK).read_text(encoding="utf-8").strip()
        if not link:
            return None
        path = Path(os.path.normpath(directory / link))
        document = json.loads((path / BUNDLE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        cut_off = Path(str(error.filename)).name == BUNDLE
        return Bundle(path) if cut_off and path.is_dir() else None
    except (OSError, ValueError):
        return None
    found = next((each for each in document.get("objects", []) if each.get("telling")), None)
    return Bundle(path, _standing(found) if found else None)


def _standing(document: Mapping[str, Any]) -> Standing:
    return Standing(
        str(document.get("object", "")),
        str(document.get("says", "")),
        document.get("condition") or {},
        str(document.get("event") or ""),
    )
