"""What a loaded cluster has although the capture does not: nodes, namespaces, the rest of a platform.

`preparing` and `restoring` call it. A capture of one namespace names nodes that it does not hold; one of the nodes knows of
no operators. An orchestration expects a whole cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.behaviours.instance_types import Size
from projects.sim_cluster.behaviours.node_objects import KUBERNETES, OPENSHIFT, node, node_status
from projects.sim_cluster.captures.state import State
from projects.sim_cluster.options import Platform
from projects.sim_cluster.shapes import kubernetes as plain

Object = dict[str, Any]
_SIZE: Final = Size(8, 32)
_EPOCH: Final = "1970-01-01T00:00:00Z"
_WORKER: Final = {"node-role.kubernetes.io/worker": ""}
#: The nodes are those that were captured, and nothing is added that makes more.
_NEVER: Final = frozenset({"Node", "Machine", "MachineSet", "CustomResourceDefinition"})


def nodes_of_pods(objects: list[Object], platform: Platform) -> Iterator[Object]:
    """Yield the nodes that pods name, when no node at all was captured."""
    if any(_is(obj, "Node") for obj in objects):
        return
    pods = [obj for obj in objects if _is(obj, "Pod") and (obj.get("spec") or {}).get("nodeName")]
    addresses = {pod["spec"]["nodeName"]: (pod.get("status") or {}).get("hostIP") for pod in pods}
    traits = OPENSHIFT if platform == "openshift" else KUBERNETES
    for name, address in sorted(addresses.items()):
        times = [pod["metadata"].get("creationTimestamp") or _EPOCH for pod in pods if pod["spec"]["nodeName"] == name]
        status = node_status(name, address or "127.0.0.1", _SIZE, traits, min(times), ready=True)
        yield node(name, _WORKER) | {"status": status}


def _kind(obj: Object) -> tuple[str, str]:
    return obj["apiVersion"].rpartition("/")[0], obj["kind"]


def _is(obj: Object, kind: str) -> bool:
    return (obj["apiVersion"], obj["kind"]) == ("v1", kind)


def additions(api: Api, state: State, shape: Iterable[Object]) -> Iterator[Object]:
    """Yield, in order, what the restored part of a cluster lacks, as the shape of its platform has it.

    A kind of which the capture has anything is left as the capture has it.
    """
    captured = {_kind(obj) for obj in state.objects}
    rest = [obj for obj in shape if obj["kind"] not in _NEVER and (_is(obj, "Namespace") or _kind(obj) not in captured)]
    spaces = [obj for obj in rest if _is(obj, "Namespace")]
    made: set[tuple[str, ...]] = set()
    for obj in chain(spaces, _namespaces([*state.objects, *rest]), plain.base_objects(), rest):
        kind = api.registry.of_object(obj["apiVersion"], obj["kind"])
        place = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        if kind is not None and (obj["kind"], *place) not in made and api.store.get(kind.storage, *place) is None:
            made.add((obj["kind"], *place))
            yield obj


def _namespaces(objects: Iterable[Object]) -> Iterator[Object]:
    """Yield the namespaces in which objects lie."""
    for name in sorted({obj["metadata"].get("namespace", "") for obj in objects} - {""}):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
