"""`runs open` and `runs report`: the HTML report of a run."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from projects.core.record.standing import Run, read_run
from projects.core.report import FILE_NAME, write_report
from projects.core.values.errors import UsageError

_DESKTOP = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")


def open_(directory: Path) -> None:
    """Open the report of a run in a browser, and print where it is.

    Args:
      directory: Artifact directory of the run.
    """
    path = read_run(directory.absolute()).root / FILE_NAME
    if not path.is_file():
        raise UsageError(
            "there is no report yet: it is written when a run ends",
            hint=f"write it with `run_toolbox.py runs report {directory}`",
            place=path,
        )
    print(path)
    if not _opened(path):
        print("there is no browser here: open that file where there is one", file=sys.stderr)


def report(directory: Path, *, compare: Path | None = None) -> None:
    """Write the report of a run again, from its record, and print where it is.

    Args:
      directory: Artifact directory of the run.
      compare: Artifact directory of an earlier run, which it is compared with.
    """
    run = read_run(directory.absolute())
    earlier = read_run(compare.absolute()).root if compare else None
    print(write_report(run.root, exit_code=_exit_code(run), compare_with=earlier))


def _exit_code(run: Run) -> int | None:
    return int(run.exit_code) if run.conclusion else None


def _opened(path: Path) -> bool:
    """Open a file in a browser of the desktop; without one, a browser of the terminal would take that."""
    if sys.platform != "darwin" and not any(os.environ.get(name) for name in _DESKTOP):
        return False
    try:
        return webbrowser.open(path.as_uri())
    except webbrowser.Error:
        return False
