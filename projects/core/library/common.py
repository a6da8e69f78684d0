"""Steps that many orchestrations share. Imported by orchestrations as `common`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from projects.core.library import run

logger = logging.getLogger(__name__)


@contextmanager
def captured(suffix: str = "", *, enabled: bool = True) -> Iterator[None]:
    """Capture the environment after the block, whether it passed or failed.

    What the block raised is raised; a capture that fails after it is recorded and logged, and hides nothing.

    Args:
      suffix: End of the name of the capture's artifact directory, such as ``_after``.
      enabled: Whether to capture at all; a configuration usually says.
    """
    capture = functools.partial(run.run_toolbox, "cluster", "capture_environment", artifact_dir_suffix=suffix)
    try:
        yield
    except (Exception, run.ParallelFailed):
        if enabled:
            run.run_and_catch(None, capture)
        raise
    if enabled:
        capture()
