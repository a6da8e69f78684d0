"""Writes by who has no event loop: they have to be done at once. Called by whoever fills a cluster before it runs, and by quotas."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what some work returns that has nothing to wait for, as no write has where no webhook is asked.

    Raises:
      RuntimeError: it would have to wait.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("a write that is to be done at once would have to wait for an admission webhook")
