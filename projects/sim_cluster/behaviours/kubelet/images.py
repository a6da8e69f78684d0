"""Pulling the image of a container: what it takes, and what a kubelet says when it fails. Called by `containers`."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.memory import Run
from projects.sim_cluster.behaviours.kubelet.turn import Turn

PULL_FAILED: Final = "ErrImagePull"
PULL_BACK_OFF: Final = "ImagePullBackOff"
_NOTICED: Final = 1.0


def is_pulled(turn: Turn, container: Object, run: Run, reason: str) -> Object | None:
    """Pull an image: an empty dict when it is there, None when it takes longer, else how the container waits."""
    image = container["image"]
    if reason == PULL_FAILED:
        return (
            None if turn.waits(run.pull_failed + _NOTICED - turn.now) else _back_off(turn, container, run.pull_message)
        )
    present = _is_present(turn, container)
    if run.pull_since is None:
        run.pull_since = turn.now
        if not present:
            turn.tell("Pulling", f'Pulling image "{image}"', container)
    takes = turn.world.timings.pod_start
    if turn.waits(run.pull_since + takes - turn.now):
        return None
    run.pull_since = None
    if not present and (fault := turn.strike(container, pulls=True)) is not None:
        return _fail(turn, container, run, fault.message)
    if present:
        turn.tell("Pulled", f'Container image "{image}" already present on machine', container)
    else:
        turn.tell(
            "Pulled", f'Successfully pulled image "{image}" in {takes:g}s ({takes:g}s including waiting)', container
        )
    turn.memory.keep_image(turn.pod["spec"]["nodeName"], image)
    return {}


def _is_present(turn: Turn, container: Object) -> bool:
    policy = container.get("imagePullPolicy", "IfNotPresent")
    has = turn.memory.has_image(turn.pod["spec"]["nodeName"], container["image"])
    return policy == "Never" or (policy == "IfNotPresent" and has)


def _fail(turn: Turn, container: Object, run: Run, message: str) -> Object:
    image = container["image"]
    why = message or (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )
    run.pulls.raise_(turn.now)
    run.pull_failed, run.pull_message = turn.now, why
    turn.tell("Failed", f'Failed to pull image "{image}": {why}', container, warning=True)
    turn.tell("Failed", f"Error: {PULL_FAILED}", container, warning=True)
    return {"reason": PULL_FAILED, "message": why}


def _back_off(turn: Turn, container: Object, why: str) -> Object:
    image = container["image"]
    turn.tell("BackOff", f'Back-off pulling image "{image}"', container)
    turn.tell("Failed", f"Error: {PULL_BACK_OFF}", container, warning=True)
    return {"reason": PULL_BACK_OFF, "message": f'Back-off pulling image "{image}": {PULL_FAILED}: {why}'}
