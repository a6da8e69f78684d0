"""A thread that works beside a block and ends with it. Used by the live board and by the heartbeat."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def beside(work: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run some work in a thread while the block runs.

    Args:
      work: What to do, until the event that it is given is set.
      name: The thread's name.
    """
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
