"""What a test measured: `kpis.json` in any artifact directory, written by orchestrations, gathered by the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from projects.core.record.artifacts import write_atomically
from projects.core.record.steps import redacted
from projects.core.values.errors import UsageError

FILE_NAME = "kpis.json"


class Kpi(BaseModel):
    """One measured figure.

    Attributes:
      name: What was measured, the same in each run.
      value: The figure that counts.
      unit: Its unit, such as ``s`` or ``pods/s``.
      help: What it means, in a sentence.
      better: Which direction is an improvement.
      labels: What tells it from another figure of the same name, such as ``{"model": "granite"}``.
      samples: The single measurements behind the value; the report shows how they spread.
      series: Named curves of points (x, y), such as ``{"ready": [(0.5, 1), (0.9, 2)]}``; the report draws them.
      x: What the curves' x is, with its unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1)
    value: float
    unit: str = ""
    help: str = ""
    better: Literal["higher", "lower", "none"] = "none"
    labels: dict[str, str] = {}
    samples: list[float] = []
    series: dict[str, list[tuple[float, float]]] = {}
    x: str = ""


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile by the nearest-rank method: the smallest value with at least `percent` % at or below it.

    Args:
      values: At least one, in any order.
      percent: From 1 to 100.
    """
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1]


_LIST = TypeAdapter(list[Kpi])


def write_kpis(directory: Path, kpis: Iterable[Kpi]) -> Path:
    """Write what was measured into an artifact directory; a second call replaces the first.

    Args:
      directory: The artifact directory.
      kpis: The figures, in the order in which the report shows them.

    Returns:
      The file.
    """
    path = directory / FILE_NAME
    document = redacted(_LIST.dump_python(list(kpis), mode="json", exclude_defaults=True))
    write_atomically(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path


def read_kpis(root: Path) -> dict[str, list[Kpi]]:
    """Return all that a run measured.

    Args:
      root: The run's root.

    Returns:
      The figures per directory relative to the root, in order of the directories.

    Raises:
      UsageError: a file is not what `write_kpis` writes.
    """
    files = sorted(root.rglob(FILE_NAME))
    return {path.parent.relative_to(root).as_posix(): read_kpi_file(path) for path in files}


def read_kpi_file(path: Path) -> list[Kpi]:
    """Return the figures of one file.

    Raises:
      UsageError: it is not what `write_kpis` writes.
    """
    try:
        return _LIST.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"KPIs cannot be read: {where}: {first['msg']}", place=path) from error
