"""What lies in the artifact directory beside the record: KPI files and captured facts, found in one walk. Used by the page."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from projects.core.record.artifacts import read_tail
from projects.core.report import kpis

_FACT_SUFFIXES = (".version", ".git_version")
_FACT_NAMES = frozenset({"presets_applied", "version", "TEST_DESCRIPTION"})
_FACT_BYTES = 2000
_FACT_LINES = 3
_ROOT_FILES = (
    "FAILURES",
    "FINISHED",
    "run.log",
    "config.yaml",
    "variable_overrides.yaml",
    "junit_foresail.xml",
    "_steps.jsonl",
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a file or directory that exists."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A small captured file: its name, what it says, the link to it."""

    name: str
    value: str
    link: Link


@dataclass(slots=True)
class Survey:
    """What was found, in order of the paths."""

    facts: list[Fact] = field(default_factory=list)
    kpi_files: list[Path] = field(default_factory=list)
    files: list[Link] = field(default_factory=list)


def survey(root: Path) -> Survey:
    """Walk a run's directory once.

    Args:
      root: The run's root.

    Returns:
      What the report shows beside the steps. A fact that says the same in several places is named once.
    """
    found = Survey(files=[link for name in _ROOT_FILES if (link := link_to(root, name))])
    facts: dict[tuple[str, str], Fact] = {}
    for directory, subdirectories, names in os.walk(root):
        subdirectories.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if name == kpis.FILE_NAME:
                found.kpi_files.append(path)
            elif name in _FACT_NAMES or name.endswith(_FACT_SUFFIXES):
                value = "\n".join(read_tail(path, _FACT_BYTES).strip().splitlines()[:_FACT_LINES])
                if value and (link := link_to(root, path.relative_to(root).as_posix())):
                    facts.setdefault((name, value), Fact(name, value, link))
    found.facts = list(facts.values())
    return found


def link_to(root: Path, relative: str, text: str | None = None) -> Link | None:
    """Return a link to what lies below the root, None when nothing lies there."""
    path = root / relative
    if Path(relative).is_absolute() or not path.exists():
        return None
    return Link(text or relative, quote(relative) + ("/" if path.is_dir() else ""))
