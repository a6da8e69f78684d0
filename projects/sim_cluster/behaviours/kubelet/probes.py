"""When a container counts as started and as ready: as its program says, or as its probes allow. Called by `containers`."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.memory import Run
from projects.sim_cluster.behaviours.kubelet.turn import Turn

_PERIOD: Final = 10
_UNREADY: Final = "Readiness probe failed: HTTP probe failed with statuscode: 503"


def _first_success(probe: Object | None) -> float:
    """Return after how many seconds a probe has succeeded as often as it has to, when it always does."""
    if not probe:
        return 0.0
    more = int(probe.get("successThreshold") or 1) - 1
    return float((probe.get("initialDelaySeconds") or 0) + more * (probe.get("periodSeconds") or _PERIOD))


def is_started(turn: Turn, container: Object, since: float) -> bool:
    """Return whether the startup probe of a container has succeeded."""
    return not turn.waits(since + _first_success(container.get("startupProbe")) - turn.now)


def is_ready(turn: Turn, container: Object, run: Run, since: float) -> bool:
    """Return whether a container that has started is ready."""
    program, probe = run.program, container.get("readinessProbe")
    if run.fault is not None and run.fault.kind == "never-ready":
        if not run.has_told_unready:
            run.has_told_unready = True
            turn.tell("Unhealthy", run.fault.message or _UNREADY, container, warning=True)
        return False
    after = program.ready_after if program is not None and program.ready_after is not None else None
    if after is None:
        after = _first_success(container.get("startupProbe")) + _first_success(probe)
    return not turn.waits(since + after - turn.now)
