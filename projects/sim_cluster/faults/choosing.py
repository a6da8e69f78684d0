"""Decides which faults strike a request: by what it asks for, when, how often it was made before, and chance. Called by `layer`.

A decision depends on the seed, the fault, the request, and how many times that very request was made. So concurrent
clients get the same outcome however their requests interleave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from projects.sim_cluster.faults.asked import Asked
from projects.sim_cluster.faults.befalling import fits
from projects.sim_cluster.faults.chance import chance

if TYPE_CHECKING:
    from projects.sim_cluster.scenarios.api_faults import AnyApiFault, Requests


def is_one_of(requests: Requests, asked: Asked) -> bool:
    """Return whether a request is one of these."""
    return asked.about in requests.about and all((
        not requests.verbs or asked.verb in requests.verbs,
        not requests.groups or asked.group in requests.groups,
        not requests.resources or asked.resource in requests.resources,
        not requests.subresources or asked.subresource in requests.subresources,
        fits(asked.namespace, requests.namespaces),
        fits(asked.name, requests.names),
        fits(asked.user_agent, requests.user_agents),
    ))  # fmt: skip


class Chooser:
    """Decides for one fault.

    Args:
      fault: The fault.
      name: What it is called.
      seed: The seed of the cluster.
      elapsed: Tells the time of the cluster since its start.
    """

    def __init__(self, fault: AnyApiFault, name: str, seed: int, elapsed: Callable[[], float]) -> None:
        self.fault, self.name, self._seed, self._elapsed = fault, name, seed, elapsed
        self._made = Counter[str]()
        self.is_armed = fault.when.once_seen is None

    def answered(self, asked: Asked) -> None:
        """Take note that a request has been answered."""
        seen = self.fault.when.once_seen
        self.is_armed = self.is_armed or (seen is not None and is_one_of(seen, asked))

    def may_strike(self, asked: Asked) -> bool:
        """Return whether the fault is there now and is for this request; it may still be spared."""
        return self.is_armed and self._is_time() and is_one_of(self.fault.requests, asked) and self._can_hurt(asked)

    def strikes(self, asked: Asked) -> bool:
        """Return whether the fault strikes a request that it may strike; each call is one more time that it is made."""
        times = self.fault.times
        self._made[asked.identity] += 1
        number = self._made[asked.identity]
        if times.first is not None and number > times.first:
            return False
        if times.every is not None and (number - 1) % times.every:
            return False
        return self.rolled(asked) < self.fault.probability

    def rolled(self, asked: Asked, *about: str) -> float:
        """Return what chance says of this time that a request is made."""
        return chance(self._seed, self.name, asked.identity, self._made[asked.identity], *about)

    def _is_time(self) -> bool:
        when = self.fault.when
        return when.after <= self._elapsed() and (when.until is None or self._elapsed() < when.until)

    def _can_hurt(self, asked: Asked) -> bool:
        match self.fault.do:
            case "watch-cut":
                return asked.verb == "watch"
            case "expired":
                return asked.verb in {"list", "watch"} and bool(asked.version)
            case _:
                return True
