"""Builds: a pod runs for as long as a build takes, then the image is in its stream. And the first build of a BuildConfig.

Later builds of a BuildConfig are asked for: `projects.sim_cluster.aggregated.builds` answers ``instantiate``.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.cache import Key
from projects.sim_cluster.behaviours.conditions import with_conditions
from projects.sim_cluster.behaviours.hooks import FAIL, HOLD, hook
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.openshift.image_streams import digest_of, repository_of, with_image
from projects.sim_cluster.behaviours.resources import BUILD_CONFIGS, BUILDS, IMAGE_STREAMS, PODS
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every, owner_keys, owner_reference

ENDED: Final = frozenset({"Complete", "Failed", "Error", "Cancelled"})
_API: Final = "build.openshift.io/v1"
_BUILDERS: Final = {"Docker": "docker-build", "Source": "sti-build", "Custom": "custom-build"}
_IMAGE: Final = "quay.io/openshift-release-dev/ocp-v4.0-art-dev:docker-builder"


def build_of(config: Object, request: Object | None = None) -> Object:
    """Return the next build of a BuildConfig, as a BuildRequest asks for it."""
    number = (config.get("status") or {}).get("lastVersion", 0) + 1
    name, namespace = config["metadata"]["name"], config["metadata"]["namespace"]
    labels = {
        "buildconfig": name,
        "openshift.io/build-config.name": name,
        "openshift.io/build.start-policy": config["spec"].get("runPolicy", "Serial"),
    }
    annotations = {"openshift.io/build-config.name": name, "openshift.io/build.number": str(number)}
    metadata = {"name": f"{name}-{number}", "namespace": namespace, "annotations": annotations, "ownerReferences": [owner_reference(config)],
                "labels": {**labels_of(config), **labels}}  # fmt: skip
    copied = (
        "serviceAccount",
        "source",
        "strategy",
        "output",
        "resources",
        "postCommit",
        "nodeSelector",
        "completionDeadlineSeconds",
        "revision",
    )
    spec = {key: config["spec"][key] for key in copied if key in config["spec"]}
    spec["triggeredBy"] = (request or {}).get("triggeredBy") or [{"message": "Manually triggered"}]
    if (request or {}).get("binary") is not None:
        spec["source"] = (spec.get("source") or {}) | {"type": "Binary", "binary": (request or {})["binary"]}
    return {"apiVersion": _API, "kind": "Build", "metadata": metadata, "spec": spec}


async def build_first(world: World, config: Object) -> None:
    """Start the first build of a BuildConfig that wants one when it is made."""
    triggers = {trigger.get("type") for trigger in config["spec"].get("triggers") or ()}
    if (
        (config.get("status") or {}).get("lastVersion")
        or "ConfigChange" not in triggers
        or config["metadata"].get("deletionTimestamp")
    ):
        return
    await world.ensure(BUILDS, build_of(config, {"triggeredBy": [{"message": "Build configuration change"}]}))
    await world.set_status(BUILD_CONFIGS, config, {"lastVersion": 1})


async def run(world: World, build: Object) -> float | None:
    """Take a build to its next phase: New, Pending, Running, Complete."""
    status = build.get("status") or {}
    phase = status.get("phase")
    if build["metadata"].get("deletionTimestamp") or phase in ENDED or hook(build, HOLD):
        return None
    if status.get("cancelled"):
        await _cancel(world, build)
        return None
    if phase in {None, "New"}:
        await _start(world, build)
        return None
    pod = world.cache(PODS).get(build["metadata"]["namespace"], pod_name(build))
    if pod is None:
        await _enter(
            world,
            build,
            "Error",
            reason="BuildPodDeleted",
            message="The pod for this build was deleted before the build completed.",
        )
        return None
    return await _go_on(world, build, pod)


async def _go_on(world: World, build: Object, pod: Object) -> float | None:
    """Take a build that has its pod on: to Running with it, to its end when it has run for as long as a build takes."""
    status = build["status"]
    if status["phase"] == "Pending":
        if (pod.get("status") or {}).get("phase") == "Running":
            await _enter(world, build, "Running", startTimestamp=world.timestamp)
            return world.timings.build_run
        return None
    if (left := seconds_of(status["startTimestamp"]) + world.timings.build_run - world.now) > 0:
        return left
    await _end(world, build, pod)
    return None


def pod_name(build: Object) -> str:
    """Return the name of the pod that builds."""
    return f"{build['metadata']['name']}-build"


def _stream_of(world: World, build: Object) -> tuple[Object | None, str]:
    """Return the stream and the tag that a build pushes to."""
    to = (build["spec"].get("output") or {}).get("to") or {}
    name, _, tag = to.get("name", "").partition(":")
    return world.cache(IMAGE_STREAMS).get(to.get("namespace") or build["metadata"]["namespace"], name), tag or "latest"


async def _start(world: World, build: Object) -> None:
    to = (build["spec"].get("output") or {}).get("to") or {}
    if to.get("kind") == "ImageStreamTag" and _stream_of(world, build)[0] is None:
        await _enter(
            world, build, "New", reason="InvalidOutputReference", message="Output image could not be resolved."
        )
        return
    await world.ensure(PODS, _pod(build))
    await _enter(world, build, "Pending", reason=None, message=None)


def _pod(build: Object) -> Object:
    kind = (build["spec"].get("strategy") or {}).get("type", "Docker")
    name = build["metadata"]["name"]
    container: Object = {"name": _BUILDERS.get(kind, "docker-build"), "image": _IMAGE}
    if resources := build["spec"].get("resources"):
        container["resources"] = resources
    metadata = {"name": pod_name(build), "namespace": build["metadata"]["namespace"], "labels": {"openshift.io/build.name": name},
                "annotations": {"openshift.io/build.name": name}, "ownerReferences": [owner_reference(build)]}  # fmt: skip
    spec: Object = {"restartPolicy": "Never", "containers": [container]}
    if selector := build["spec"].get("nodeSelector"):
        spec["nodeSelector"] = selector
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


async def _enter(world: World, build: Object, phase: str, **more: object) -> None:
    wanted = {"type": phase, "status": "True"}
    known = [
        {"type": each["type"], "status": "False"}
        for each in (build.get("status") or {}).get("conditions") or ()
        if each["type"] != phase
    ]
    conditions = with_conditions(build, world.timestamp, *known, wanted)
    await world.set_status(BUILDS, build, {"phase": phase, "conditions": conditions} | more)


async def _cancel(world: World, build: Object) -> None:
    pod = world.cache(PODS).get(build["metadata"]["namespace"], pod_name(build))
    if pod is not None:
        await world.delete(PODS, pod)
    told = {"reason": "CancelledBuild", "message": "The build was cancelled by the user."}
    await _enter(world, build, "Cancelled", completionTimestamp=world.timestamp, **told)


async def _end(world: World, build: Object, pod: Object) -> None:
    failure = hook(build, FAIL)
    await _finish_pod(world, pod, 1 if failure else 0)
    timing: Object = {
        "completionTimestamp": world.timestamp,
        "duration": int((world.now - seconds_of(build["status"]["startTimestamp"])) * 1e9),
    }
    if failure:
        await _enter(world, build, "Failed", reason="GenericBuildFailed", message=failure, logSnippet=failure, **timing)
        return
    digest = digest_of(build["metadata"]["uid"])
    stream, tag = _stream_of(world, build)
    more: Object = {"output": {"to": {"imageDigest": digest}}}
    if stream is not None:
        metadata = stream["metadata"]
        repository = repository_of(metadata["namespace"], metadata["name"])
        tags = with_image(
            list((stream.get("status") or {}).get("tags") or ()),
            tag,
            (f"{repository}@{digest}", digest),
            world.timestamp,
        )
        await world.set_status(IMAGE_STREAMS, stream, {"dockerImageRepository": repository, "tags": tags})
        more["outputDockerImageReference"] = f"{repository}:{tag}"
    await _enter(world, build, "Complete", **timing, **more)


async def _finish_pod(world: World, pod: Object, code: int) -> None:
    """Have the pod end as its container does."""
    now = world.timestamp
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    ended = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now}}
    false = [
        {"type": kind, "status": "False", "reason": "PodFailed" if code else "PodCompleted"}
        for kind in ("Ready", "ContainersReady")
    ]
    await world.set_status(PODS, pod, {
        "phase": "Failed" if code else "Succeeded", "conditions": with_conditions(pod, now, *false),
        "containerStatuses": [{**each, "ready": False, "started": False, "state": {"running": None, **ended}} for each in containers],
    })  # fmt: skip


def _build_of_pod(world: World, pod: Object) -> list[Key]:
    return list(owner_keys(world, pod)) if "openshift.io/build.name" in labels_of(pod) else []


BUILD: Final = Behaviour(
    "builds",
    BUILDS,
    run,
    manager="openshift-controller-manager",
    woken_by=(Wake(PODS, _build_of_pod), Wake(IMAGE_STREAMS, every(BUILDS))),
    component="build-controller",
)
BUILD_CONFIG: Final = Behaviour(
    "build configs", BUILD_CONFIGS, build_first, manager="openshift-controller-manager", reads=(BUILDS,)
)
