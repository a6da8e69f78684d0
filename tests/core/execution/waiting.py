"""Waiting for what a test has set off, and looking for processes that it has left. Used by the tests of the core."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

LIMIT_S = 60.0


def wait_for(condition: Callable[[], object], what: str, limit: float = LIMIT_S) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + limit
    pause = threading.Event()  # /proc and files of other processes tell nobody that they have changed
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit:g} s for {what}"
        pause.wait(0.01)


def wait_for_file(path: Path) -> str:
    """Wait until another process has written a line into a file; return it without its newline."""
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"), f"{path.name}")
    return path.read_text().rstrip("\n")


def running(marker: str) -> list[str]:
    """The command lines of the living processes whose command line or environment holds a text, without our own."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in words:
            found.append(f"{entry.name} {words}")
    return found
