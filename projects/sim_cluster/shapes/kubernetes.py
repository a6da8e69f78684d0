"""What every cluster starts with: namespaces, priority classes, roles, the API's own service; on Kubernetes also its nodes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any, Final

from projects.sim_cluster.api.recorded import record
from projects.sim_cluster.behaviours.instance_types import Size, size_of
from projects.sim_cluster.behaviours.node_objects import KUBERNETES, MACHINE_TYPE, node, node_status
from projects.sim_cluster.options import Settled

Object = dict[str, Any]
_NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
_SIZE: Final = Size(8, 32)


def base_objects() -> Iterator[Object]:
    """Yield the objects that any cluster has."""
    for name in _NAMESPACES:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
        }
    yield from copy.deepcopy(record().policy)
    yield {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    }  # fmt: skip


def worker_nodes(options: Settled, now: str) -> Iterator[Object]:
    """Yield the ready nodes of a plain Kubernetes cluster; those of a machine type say which."""
    kinds = chain(repeat("", options.nodes), *(repeat(kind, count) for kind, count in options.machines))
    for number, kind in enumerate(kinds):
        name = f"worker-{number}"
        labels = {"node-role.kubernetes.io/worker": ""} | ({MACHINE_TYPE: kind} if kind else {})
        address = f"192.168.{number // 250}.{number % 250 + 2}"
        status = node_status(name, address, size_of(kind) if kind else _SIZE, KUBERNETES, now, ready=True)
        yield node(name, labels) | {"status": status}
