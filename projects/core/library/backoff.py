"""How long to wait between two looks or two attempts, and waiting itself, which an interruption ends. Used by `wait`."""

from __future__ import annotations

from collections.abc import Iterator

from projects.core.cluster.session import current_clock
from projects.core.execution.cancellation import SIGNAL_LOOK_S, current_token
from projects.core.values.errors import UsageError

_GROWTH = 1.6


def pauses(shortest: float, longest: float) -> Iterator[float]:
    """Yield the seconds between one look and the next: growing, and never quite the same, so that nobody looks in step.

    Args:
      shortest: What the first one is, give or take a quarter.
      longest: What they grow to, give or take a quarter.

    Raises:
      UsageError: they are not a positive number and one that is not smaller.
    """
    if not 0 < shortest <= longest:
        raise UsageError(
            f"expected 0 < interval <= longest, found an interval of {shortest} s, {longest} s at the longest"
        )
    return _growing(shortest, longest)


def _growing(seconds: float, longest: float) -> Iterator[float]:
    while True:
        yield seconds * current_clock().jitter()
        seconds = min(seconds * _GROWTH, longest)


def pause(seconds: float) -> None:
    """Wait, unless the run is interrupted or cancelled meanwhile.

    Args:
      seconds: How long.

    Raises:
      Stop: it was; at once, not after the pause.
    """
    token, clock = current_token(), current_clock()
    end = clock.now() + seconds
    while (left := end - clock.now()) > 0 and not token.cancelled:
        clock.wait(left, lambda left: token.wait(min(left, SIGNAL_LOOK_S)))
    token.check()
