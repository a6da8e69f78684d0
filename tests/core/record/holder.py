"""Another process that holds the lock of a run, as the one that began it does. Used by the tests of what looks at runs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from projects.core.values.checkout import ROOT

_HOLD = "import sys; from pathlib import Path; from projects.core.record import lock; lock.hold(Path(sys.argv[1])); print(flush=True); sys.stdin.read()"


@contextlib.contextmanager
def held(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process hold the lock of a run in the block, or until it is killed there."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        yield process
        process.stdin.close()
