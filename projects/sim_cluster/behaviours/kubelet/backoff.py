"""How long to wait before the next try, as client-go's ``flowcontrol.Backoff`` reckons. Used for pulls and for restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_FIRST: Final = 10.0
_MOST: Final = 300.0


@dataclass(slots=True)
class BackOff:
    """Doubles from 10 seconds to five minutes; forgets what is more than twice the longest ago."""

    step: float = 0.0
    raised: float = 0.0

    def left(self, since: float, now: float) -> float:
        """Return how long to wait still after something that went wrong at `since`; nothing the first time."""
        return max(0.0, since + self.step - now) if self.step and not self._is_over(now) else 0.0

    def raise_(self, now: float) -> None:
        """Make the next wait longer: another try begins."""
        self.step = _FIRST if not self.step or self._is_over(now) else min(self.step * 2, _MOST)
        self.raised = now

    def _is_over(self, now: float) -> bool:
        return now - self.raised > 2 * _MOST
