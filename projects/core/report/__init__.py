"""The report of a run: one HTML file at its root, made from the record and the files around it."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "report.html"


def write_report(root: Path, *, exit_code: int | None = None, compare_with: Path | None = None) -> Path:
    """Write the report of a run, ended or not.

    Args:
      root: The run's root.
      exit_code: What the process ends with, when that is not what the record says.
      compare_with: The root of an earlier run, when it is to be compared with that.

    Returns:
      The file: self-contained, its links are relative and lead into the artifacts.

    Raises:
      UsageError: there is no earlier run to compare it with.
    """
    from projects.core.record.artifacts import write_atomically  # noqa: PLC0415 - see below
    from projects.core.report.page import render  # noqa: PLC0415 - templates, models and plots take 0.2 s to import

    path = root / FILE_NAME
    write_atomically(path, render(root, exit_code=exit_code, compare_with=compare_with))
    return path
