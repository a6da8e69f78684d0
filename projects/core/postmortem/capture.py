"""The evidence of a failure, kept at the moment when it happens: one bundle per cause below `_failures/` at the run's root.

Called by `library.commands` before the error of a toolbox command leaves it, so that no `finally` block has deleted yet
what tells why. Branches and processes that fail by the same cause at the same time share a bundle: the first makes it, the
others wait for it as long as they have time, since what they would clean up is what is being read.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from projects.core.execution.cancellation import current_token
from projects.core.postmortem.bundle import LAST_LINES, Files, write_bundle
from projects.core.postmortem.evidence import Evidence
from projects.core.postmortem.fingerprint import fingerprint
from projects.core.postmortem.reading import Reading
from projects.core.postmortem.touched import involved_in
from projects.core.record.artifacts import ANSIBLE_LOG, append, clean, last_lines, read_tail, write_atomically
from projects.core.record.bundles import BUNDLE, BUNDLES, LINK
from projects.core.record.steps import Cause, Step, timestamp

logger = logging.getLogger(__name__)
SECONDS = 10.0
"""How long a capture may take, unless less is left."""
SECONDS_OF_THE_GRACE = 3.0
"""How long it may take when the run's time is over and `finally` blocks wait for their share of the grace."""
OCCURRENCES = "occurrences"
"""In a bundle: a line for each step that failed by its cause, the first one first."""
_LINES = 100
_LOOK_S = 0.05


def capture(root: Path, step: Step, cause: Cause, directory: Path, *, seconds: float = SECONDS) -> Path | None:
    """Keep what tells why a step failed, unless that is kept already.

    Args:
      root: The run's root.
      step: The step.
      cause: Why it failed.
      directory: Its artifact directory; a toolbox command's events say which objects it had to do with.
      seconds: How long this may take.

    Returns:
      The bundle, which the directory leads to from now on; None when it could not be written.
    """
    try:
        return _capture(root, step, cause, directory, time.monotonic() + seconds)
    except Exception:
        # What tells of a failure must not take its place.
        logger.exception("the evidence of why %s failed could not be kept", step.name)
        return None


def _capture(root: Path, step: Step, cause: Cause, directory: Path, deadline: float) -> Path:
    involved = involved_in(directory)
    bundle = root / BUNDLES / fingerprint(cause, [each.target for each in involved], root=str(root))
    bundle.mkdir(parents=True, exist_ok=True)
    _note(bundle, step)
    with _alone(bundle, deadline) as alone:
        if alone and not (bundle / BUNDLE).exists():
            files = Files(bundle)
            if tail := last_lines(read_tail(directory / ANSIBLE_LOG), _LINES):
                files.write(LAST_LINES, tail + "\n", "the last lines of the step")
            _gather_into(files, step, cause, Evidence(Reading(deadline, current_token()), involved))
    write_atomically(directory / LINK, os.path.relpath(bundle, directory) + "\n")
    return bundle


def _gather_into(files: Files, step: Step, cause: Cause, evidence: Evidence) -> None:
    if evidence.involved:
        evidence.gather()
    write_bundle(files, evidence, step, cause)


def _note(bundle: Path, step: Step) -> None:
    """Add a line to the list of the steps that failed by this cause."""
    line = clean(f"{timestamp()}  {step.directory}  {step.kind} '{step.name}'")
    append(bundle / OCCURRENCES, f"{line}\n")


@contextlib.contextmanager
def _alone(bundle: Path, deadline: float) -> Iterator[bool]:
    """Hold a bundle against other threads and processes; say whether it is held when there is no time to wait any more."""
    descriptor = os.open(bundle, os.O_RDONLY | os.O_CLOEXEC)
    pause = threading.Event()
    try:
        while not (held := _locked(descriptor)) and time.monotonic() < deadline and not current_token().cancelled:
            pause.wait(_LOOK_S)
        yield held
    finally:
        os.close(descriptor)  # which gives the lock back, as a kill does


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: two may then write the same, each file whole
    return True
