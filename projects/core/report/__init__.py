"""The report of a run: one HTML file at its root, made from the record and the files around it."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "report.html"


def write_report(root: Path, *, exit_code: int | None = None) -> Path:
    """Write the report of a run, ended or not.

    Args:
      root: The run's root.
      exit_code: What the process ends with, when that is not what the record says.

    Returns:
      The file: self-contained, its links are relative and lead into the artifacts.
    """
    from projects.core.record.artifacts import write_atomically  # noqa: PLC0415 - see below
    from projects.core.report.page import render  # noqa: PLC0415 - templates, models and plots take 0.2 s to import

    path = root / FILE_NAME
    write_atomically(path, render(root, exit_code=exit_code))
    return path
