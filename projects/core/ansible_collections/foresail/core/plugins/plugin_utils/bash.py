"""Running a bash script so that nothing of it outlives the task. Called by the action `shell`.

The script has its own process group, which is killed when it has ended, when its time is over, and when the worker is
terminated. A worker that is killed outright cannot do that, so a guard in the group reads a pipe whose other end the
worker holds: it ends with the worker, and takes the group with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from projects.core.values.errors import TimedOut, UsageError
from projects.core.values.redaction import REDACTOR

_GRACE = 2.0
_TAIL = 4000
# The guard is started by a first bash, which the script's own bash then replaces: a bare `wait` in the script does
# not know of it. It holds neither output, so that reading them ends with the script.
_GUARDED = """
(exec >/dev/null 2>&1; read -r -u "$0"; kill -KILL 0) &
exec bash -o errexit -o nounset -o pipefail -c "$1"
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a script ended and what it wrote."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def tail(self) -> str:
        """The end of what it said, without secrets, which a cut would make unknown: stderr, or stdout when that is empty."""
        return REDACTOR.redact(self.stderr.strip() or self.stdout.strip())[-_TAIL:]

    @property
    def how(self) -> str:
        """How it ended, in words."""
        if self.returncode < 0:
            return f"was killed by {signal.Signals(-self.returncode).name}"
        return f"exited with {self.returncode}"


def run_script(
    script: str,
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
    stdin: str | None = None,
    timeout: float,
) -> Finished:
    """Run a bash script with errexit, nounset and pipefail.

    Args:
      script: The script.
      environment: Its whole environment.
      directory: Where it runs.
      stdin: What it reads.
      timeout: Seconds that it may take.

    Returns:
      How it ended and what it wrote.

    Raises:
      TimedOut: it took longer; the message holds its last lines.
      UsageError: it cannot be started there.
    """
    guard, held = os.pipe()
    try:
        process = _start(script, environment, directory, guard, reads=stdin is not None)
    finally:
        os.close(guard)
    try:
        with _killed_with_us(process):
            return _finish(process, stdin, timeout, script)
    finally:
        _kill_group(process, signal.SIGKILL)
        os.close(held)


def _start(
    script: str, environment: Mapping[str, str], directory: Path | None, guard: int, *, reads: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["bash", "-c", _GUARDED, str(guard), script],
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=directory,
            pass_fds=(guard,),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"the script cannot be started: {error}", place=directory) from error


def _finish(process: subprocess.Popen[bytes], stdin: str | None, timeout: float, script: str) -> Finished:
    output = _Output(process, stdin)
    deadline = time.monotonic() + timeout
    try:
        returncode = process.wait(timeout)
    except subprocess.TimeoutExpired:
        _kill_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        _kill_group(process, signal.SIGKILL)
        process.wait()
        so_far = Finished(process.returncode, *output.text())
        said = f"; its last lines:\n{so_far.tail}" if so_far.tail else ", and had written nothing"
        raise TimedOut(f"timed out after {timeout:g} s: `{_first_line(script)}` was killed{said}") from None
    # What the script has left in the background holds its outputs open; it has until the deadline no more than that.
    output.wait(min(_GRACE, max(0.0, deadline - time.monotonic())))
    _kill_group(process, signal.SIGKILL)
    return Finished(returncode, *output.text())


class _Output:
    """What a process writes, read in threads so that neither stream can block the other."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: str | None) -> None:
        self._parts: tuple[list[bytes], list[bytes]] = ([], [])
        self._threads = [
            threading.Thread(target=_read, args=(stream, parts), daemon=True)
            for stream, parts in zip((process.stdout, process.stderr), self._parts, strict=True)
        ]
        if stdin is not None:
            self._threads.append(threading.Thread(target=_write, args=(process.stdin, stdin), daemon=True))
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until both streams have ended, or for so long."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def text(self) -> tuple[str, str]:
        """Return stdout and stderr; the process has ended."""
        self.wait(_GRACE)
        stdout, stderr = (b"".join(parts).decode(errors="replace") for parts in self._parts)
        return stdout, stderr


def _read(stream: Any, parts: list[bytes]) -> None:
    with stream:
        while chunk := stream.read1(1 << 16):
            parts.append(chunk)


def _write(stream: Any, text: str) -> None:
    with contextlib.suppress(BrokenPipeError), stream:  # a script need not read what it is given
        stream.write(text.encode())


@contextlib.contextmanager
def _killed_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process group when this process is told to end, then do what would have been done."""
    before: dict[signal.Signals, Any] = {}

    def end(signum: int, frame: FrameType | None) -> None:
        _kill_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        _kill_group(process, signal.SIGKILL)
        handler = before[signal.Signals(signum)]
        if callable(handler):
            handler(signum, frame)
        else:
            signal.signal(signum, handler or signal.SIG_DFL)
            os.kill(os.getpid(), signum)

    if threading.current_thread() is not threading.main_thread():
        yield  # handlers belong to the main thread; in a worker this is it
        return
    for signum in (signal.SIGTERM, signal.SIGINT):
        before[signum] = signal.signal(signum, end)
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _kill_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    # The group outlives its leader as long as the guard is in it, so that the number is not given away.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


def _first_line(script: str) -> str:
    lines = [line for line in script.strip().splitlines() if line.strip()]
    return lines[0] + (" …" if len(lines) > 1 else "") if lines else ""
