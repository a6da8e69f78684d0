"""Processes that do not outlive who started them. Used by `control_plane`."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG: Final = 1
_LAST_LINES: Final = 15


class ProcessEndedError(Exception):
    """A process that was to run on has ended; the message holds the end of its log."""


class Processes:
    """Processes that write their logs into one directory; the kernel ends them when the thread that started them ends.

    Args:
      directory: Where they run, and where their logs go.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, program: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a program."""
        parent = os.getpid()

        def bind() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with self._log(program.name).open("ab") as log:
            self._running[program.name] = subprocess.Popen(
                [program, *arguments], cwd=self._directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": str(self._directory), **(environment or {})},
                preexec_fn=bind,  # noqa: PLW1509 - two calls into a library that is loaded already
            )  # fmt: skip

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def check(self) -> None:
        """Raise ProcessEndedError if one has ended."""
        for name, process in self._running.items():
            if (code := process.poll()) is not None:
                log = self._log(name)
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
                raise ProcessEndedError(f"{name} ended with {code}; the end of {log}:\n" + "\n".join(tail))

    def stop(self) -> None:
        """End all of them and wait until they are gone; nothing of them is to be kept, so none is asked to end gracefully."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()
