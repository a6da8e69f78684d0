"""Some work in a process of its own: a run belongs to a process, and a rehearsal of several scenarios has several. Called by `cli`."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def apart(work: Callable[[], int], directory: Path, log: Path | None) -> int:
    """Do some work in a forked process, and wait for it; signals are handed on to it.

    Args:
      work: What to do; its exit status.
      directory: The artifact directory of what it does.
      log: Where what it prints goes; None for where ours goes.

    Returns:
      The exit status of the process, as a shell says it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_apart(work, directory, log)

    def hand_on(number: int, _frame: FrameType | None) -> None:
        os.kill(pid, number)

    # What a terminal sends goes to both of us.
    before = {each: signal.signal(each, signal.SIG_IGN if each == signal.SIGINT else hand_on) for each in _SIGNALS}
    try:
        _, status = os.waitpid(pid, 0)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _be_apart(work: Callable[[], int], directory: Path, log: Path | None) -> None:
    """Become the process; never returns."""
    code = 1
    try:
        os.environ["ARTIFACT_DIR"] = str(directory)
        if log is not None:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
        code = work()
    except BaseException:  # noqa: BLE001 - it must not run on in the code of the process that it was forked from
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
