"""The life of one container: waiting, running, terminated, waiting for its restart. `behaviour` takes it from step to step."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import controller_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.kubelet.images import PULL_BACK_OFF, is_pulled
from projects.sim_cluster.behaviours.kubelet.memory import Run
from projects.sim_cluster.behaviours.kubelet.probes import is_ready, is_started
from projects.sim_cluster.behaviours.kubelet.turn import Turn, image_id
from projects.sim_cluster.behaviours.programs import PodFault
from projects.sim_cluster.behaviours.timestamps import seconds_of, timestamp

CRASH_LOOP: Final = "CrashLoopBackOff"
_NOTICED: Final = 1.0  # a kubelet looks at what runs once a second
_KILLED: Final = 137


def waiting(container: Object, reason: str) -> Object:
    """Return the status of a container that has not been started."""
    return {
        "name": container["name"], "state": {"waiting": {"reason": reason}}, "lastState": {}, "ready": False,
        "restartCount": 0, "image": container["image"], "imageID": "", "started": False,
    }  # fmt: skip


def is_sidecar(container: Object) -> bool:
    """Return whether an init container stays beside the others."""
    return container.get("restartPolicy") == "Always"


def will_restart(turn: Turn, container: Object, exit_code: int) -> bool:
    """Return whether a container that has ended is started again."""
    policy = container.get("restartPolicy") or turn.pod["spec"].get("restartPolicy", "Always")
    if policy == "Always" and turn.place(container) == "initContainers" and not is_sidecar(container):
        policy = "OnFailure"
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def advance(turn: Turn, container: Object, status: Object) -> Object:
    """Take a container as far as the present time allows."""
    while (further := _step(turn, container, status)) is not None:
        status = further
    return status


def _step(turn: Turn, container: Object, status: Object) -> Object | None:
    state, run = status.get("state") or {}, turn.run(container)
    if "running" in state:
        return _watch_over(turn, container, status, run)
    if "terminated" in state:
        return _after_end(turn, container, status, run)
    return _bring_up(turn, container, status, run)


def _bring_up(turn: Turn, container: Object, status: Object, run: Run) -> Object | None:
    """Pull the image and start the container, unless either has to wait."""
    reason = ((status.get("state") or {}).get("waiting") or {}).get("reason", "")
    if reason == CRASH_LOOP:
        ended = seconds_of(status["lastState"]["terminated"]["finishedAt"])
        return None if turn.waits(run.restarts.left(ended, turn.now)) else _restart(turn, container, status, run)
    if reason == PULL_BACK_OFF and turn.waits(run.pulls.left(run.pull_failed, turn.now)):
        return None
    failed = is_pulled(turn, container, run, reason)
    if failed is None:
        return None
    if failed:
        return status | {"state": {"waiting": failed}}
    return _start(turn, container, status, run, status.get("restartCount", 0))


def _start(turn: Turn, container: Object, status: Object, run: Run, restarts: int) -> Object:
    run.fault, run.has_told_unready = turn.strike(container, pulls=False), False
    turn.tell("Created", f"Created container: {container['name']}", container)
    turn.tell("Started", f"Started container {container['name']}", container)
    return status | {
        "state": {"running": {"startedAt": timestamp(turn.now)}},
        "restartCount": restarts,
        "imageID": image_id(container["image"]),
        "containerID": turn.container_id(container, restarts),
        "ready": False,
        "started": False,
    }


def _restart(turn: Turn, container: Object, status: Object, run: Run) -> Object:
    run.restarts.raise_(turn.now)
    turn.tell("Pulled", f'Container image "{container["image"]}" already present on machine', container)
    ended = (status["state"].get("terminated")) or status["lastState"]["terminated"]
    status = status | {"lastState": {"terminated": ended}}
    return _start(turn, container, status, run, status.get("restartCount", 0) + 1)


def _watch_over(turn: Turn, container: Object, status: Object, run: Run) -> Object | None:
    """End a container whose time has come; otherwise say whether it has started and is ready."""
    since = seconds_of(status["state"]["running"]["startedAt"])
    if run.fault is not None and run.fault.kind in {"crash", "oom", "evicted"}:
        if not turn.waits(since + run.fault.after - turn.now):
            return _break(turn, status, run.fault)
    elif (lasts := _lasts(turn, container, run)) is not None and not turn.waits(since + lasts - turn.now):
        code = run.program.exit_code if run.program else 0
        return ended(turn, status, code, message=run.program.message if run.program else "")
    if turn.place(container) == "initContainers" and not is_sidecar(container):
        return None
    started = is_started(turn, container, since)
    ready = started and is_ready(turn, container, run, since)
    if (status.get("ready"), status.get("started")) == (ready, started):
        return None
    return status | {"ready": ready, "started": started}


def _lasts(turn: Turn, container: Object, run: Run) -> float | None:
    """Return how long a container runs; None when it runs on."""
    if run.program is not None and run.program.runs is not None:
        return run.program.runs
    if is_sidecar(container):
        return None
    if turn.place(container) == "initContainers":
        return turn.world.timings.init_container_run
    owner = controller_of(turn.pod)
    return turn.world.timings.job_pod_run if owner is not None and owner["kind"] == "Job" else None


def _break(turn: Turn, status: Object, fault: PodFault) -> Object:
    if fault.kind == "evicted":
        turn.evicted = fault
        return ended(turn, status, _KILLED)
    if fault.kind == "oom":
        return ended(turn, status, _KILLED, "OOMKilled")
    return ended(turn, status, fault.exit_code, message=fault.message)


def ended(turn: Turn, status: Object, code: int, reason: str = "", message: str = "") -> Object:
    """Return the status of a container that has just exited."""
    last = {
        "exitCode": code,
        "reason": reason or ("Error" if code else "Completed"),
        "startedAt": (status["state"].get("running") or {}).get("startedAt", timestamp(turn.now)),
        "finishedAt": timestamp(turn.now),
        "containerID": status.get("containerID", ""),
    }
    if message:
        last["message"] = message
    done = code == 0 and turn.place(status) == "initContainers"  # an init container that has done its work is ready
    return status | {"state": {"terminated": last}, "ready": done, "started": False}


def _after_end(turn: Turn, container: Object, status: Object, run: Run) -> Object | None:
    """Start a container again that is to be, at once the first time and later after a back-off."""
    last = status["state"]["terminated"]
    if turn.evicted or not will_restart(turn, container, last["exitCode"]):
        return None
    at = seconds_of(last.get("finishedAt") or timestamp(turn.now))
    if turn.waits(at + _NOTICED - turn.now):
        return None
    if run.restarts.left(at, turn.now) <= 0:
        return _restart(turn, container, status, run)
    metadata, name = turn.pod["metadata"], container["name"]
    pod = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    turn.tell("BackOff", f"Back-off restarting failed container {name} in pod {pod}", container, warning=True)
    wait = {
        "reason": CRASH_LOOP,
        "message": f"back-off {_span(run.restarts.step)} restarting failed container={name} pod={pod}",
    }
    return status | {"state": {"waiting": wait}, "lastState": {"terminated": last}, "ready": False}


def _span(seconds: float) -> str:
    """Return a duration as Go prints it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
