"""An operator on kopf, as its users write them: run by `test_kopf` as ``kopf run``, on the simulated API and on the real one."""

import asyncio
import itertools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import kopf
from kubernetes import client

GROUP, VERSION, PLURAL = "kopf.example.dev", "v1", "caches"
_TICKS = itertools.count(1)
#: Handlers of two pods run side by side: what was read first must not be written last.
_IN_TURN = asyncio.Lock()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.persistence.finalizer = "kopf.example.dev/held"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="kopf.example.dev")
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="kopf.example.dev")
    settings.watching.server_timeout = 5  # so that watches are taken up again while the test runs
    settings.posting.loggers = True  # what handlers log becomes events, too


def _deployment(name: str, size: int) -> dict[str, Any]:
    labels = {"cache": name}
    container = {"name": "cache", "image": "registry.example.com/cache:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": size, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _unless_it_is_there(create: Callable[..., Any], namespace: str | None, made: Any) -> None:
    """Create something; kopf may call a handler that has succeeded once more, when what it has seen since is older than that."""
    try:
        create(namespace, made)
    except client.ApiException as error:
        if error.status != HTTPStatus.CONFLICT:
            raise


@kopf.on.create(GROUP, VERSION, PLURAL)
def make_deployment(
    spec: kopf.Spec, name: str | None, namespace: str | None, body: kopf.Body, retry: int, **_: Any
) -> dict[str, Any]:
    if retry == 0:
        raise kopf.TemporaryError("the first attempt always fails", delay=0.2)
    child = _deployment(str(name), spec["size"])
    kopf.adopt(child)
    apps = client.AppsV1Api()
    _unless_it_is_there(apps.create_namespaced_deployment, namespace, child)
    made = apps.read_namespaced_deployment(name, namespace)
    kopf.info(body, reason="Made", message=f"Deployment {made.metadata.name} with {spec['size']} pods")
    return {"deployment": made.metadata.name, "uid": made.metadata.uid}


@kopf.on.field(GROUP, VERSION, PLURAL, field="spec.size")
def resize(old: Any, new: Any, name: str | None, namespace: str | None, patch: kopf.Patch, **_: Any) -> None:
    if old is not None:
        client.AppsV1Api().patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": new}})
        patch.status["resized"] = f"{old} to {new}"


@kopf.on.delete(GROUP, VERSION, PLURAL)
def say_farewell(name: str | None, namespace: str | None, **_: Any) -> None:
    record = {"metadata": {"name": f"{name}-was-here"}, "data": {"by": "kopf"}}
    _unless_it_is_there(client.CoreV1Api().create_namespaced_config_map, namespace, record)


@kopf.timer(GROUP, VERSION, PLURAL, interval=0.3, initial_delay=0.1)
def tick(patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = next(_TICKS)


@kopf.daemon(GROUP, VERSION, PLURAL, cancellation_timeout=5)
async def attend(stopped: kopf.DaemonStopped, name: str | None, namespace: str | None, **_: Any) -> None:
    kept = {"metadata": {"name": f"{name}-attended"}, "data": {"until": "it stops"}}
    kopf.adopt(kept)
    await asyncio.to_thread(_unless_it_is_there, client.CoreV1Api().create_namespaced_config_map, namespace, kept)
    await stopped.wait()


@kopf.index("pods", labels={"cache": kopf.PRESENT})
def pods_of_caches(labels: kopf.Labels, name: str | None, status: kopf.Status, **_: Any) -> dict[str, Any]:
    return {labels["cache"]: (name, status.get("phase"))}


@kopf.on.event("pods", labels={"cache": kopf.PRESENT})
async def follow(namespace: str | None, labels: kopf.Labels, **kwargs: Any) -> None:
    async with _IN_TURN:
        found = kwargs["pods_of_caches"].get(labels["cache"], ())
        body = {"status": {"running": sorted(name for name, phase in found if phase == "Running")}}
        try:
            await asyncio.to_thread(
                client.CustomObjectsApi().patch_namespaced_custom_object_status,
                group=GROUP, version=VERSION, namespace=str(namespace), plural=PLURAL, name=labels["cache"], body=body,
            )  # fmt: skip
        except client.ApiException as error:
            if error.status != 404:  # the pods outlive their cache for a moment
                raise
