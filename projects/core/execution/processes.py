"""Running a command of the shell. Called by `projects.core.library.run.run` and by the CI scripts."""

from __future__ import annotations

import codecs
import os
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from projects.core.execution.cancellation import CancelToken, interruption_deferred
from projects.core.execution.pump import TERM_GRACE_S, Pump
from projects.core.execution.reaper import REAPER, Ending

# Named, since /bin/sh knows no pipefail on Debian: a failure anywhere in the command fails it.
PROTECTED_BASH = ("bash", "-o", "errexit", "-o", "pipefail", "-o", "nounset", "-o", "errtrace", "-c")
PLAIN_BASH = ("bash", "-c")
KEPT = 64 * 1024
"""Bytes that are kept of an output that is handed on: hours of it must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status (negative: the signal) and what it wrote, as bytes.

    Of an output that was handed on while it ran, only the end is kept.
    """

    status: int
    stdout: bytes
    stderr: bytes


class Child:
    """A child process as `Pump` waits for it; who makes it closes its `exit_descriptor`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._ending: Ending | None = None
        self.exit_descriptor = os.pidfd_open(process.pid)

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.poll()

    def end(self, grace: float) -> None:
        """Have the reaper end it."""
        self._ending = REAPER.end(self._process.pid, grace)

    def wait_until_gone(self) -> None:
        """Wait until the reaper is done with it."""
        if self._ending is not None:
            self._ending.gone.wait()


def run_process(  # noqa: PLR0913 - each is one facet of a process, given by keyword
    argv: Sequence[str],
    *,
    token: CancelToken,
    environment: Mapping[str, str],
    cwd: Path | str | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    timeout: float | None = None,
    grace: float = TERM_GRACE_S,
    name: str = "",
    on_stdout: Callable[[str], object] | None = None,
    on_stderr: Callable[[str], object] | None = None,
) -> Ended:
    """Run a program in a process group of its own and wait for it.

    Args:
      argv: The program and its arguments.
      token: Cancelling it ends the process: TERM, then KILL, to it and to all that it started.
      environment: Its whole environment.
      cwd: Its working directory.
      stdin: What it reads.
      timeout: Seconds it is given; None for as long as it takes.
      grace: Seconds between TERM and KILL.
      name: What it is called in messages; its arguments when empty.
      on_stdout: Called with the text that it writes, as it writes it (decoded as UTF-8).
      on_stderr: Likewise for its standard error.

    Returns:
      How it ended.

    Raises:
      Cancelled: the token was cancelled.
      TimedOut: the time-out has passed.
      OSError: it could not be started.
    """
    token.check()
    with (
        interruption_deferred(),
        subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        stdout, stderr = Collector(on_stdout), Collector(on_stderr)
        child = Child(process)
        try:
            outputs = {process.stdout.fileno(): stdout.feed, process.stderr.fileno(): stderr.feed}
            status = Pump(child, outputs, token, timeout, name or " ".join(argv), grace).run()
        finally:
            os.close(child.exit_descriptor)
            stdout.close()
            stderr.close()
    return Ended(status, stdout.content, stderr.content)


class Collector:
    """Gathers the bytes of a descriptor and hands their text on, never half a character.

    Args:
      listener: Called with each piece of text; None to gather only.
    """

    def __init__(self, listener: Callable[[str], object] | None) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._cut = False
        self._listener = listener
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    @property
    def content(self) -> bytes:
        """What was gathered: all of it, or whole lines of its end, `KEPT` bytes or more, when it was handed on."""
        content = b"".join(self._chunks)
        # Half a line may be half a secret, which would not be known any more.
        whole_lines = content.partition(b"\n")[2] if self._cut else b""
        return whole_lines or content

    def feed(self, chunk: bytes) -> None:
        """Take some bytes."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._listener and self._size - len(self._chunks[0]) >= KEPT:
            self._size -= len(self._chunks.popleft())
            self._cut = True
        if self._listener and (text := self._decoder.decode(chunk)):
            self._listener(text)

    def close(self) -> None:
        """Hand on what is left of a character that was cut off."""
        if self._listener and (text := self._decoder.decode(b"", final=True)):
            self._listener(text)
