"""Nodes that are not well: taints, readiness, eviction; in process."""

from typing import Any

from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.requests import WriteOptions
from tests.sim_cluster.talk import deployment
from tests.sim_cluster.test_workloads import Stage, play, status

LOST = {
    "type": "Ready",
    "status": "Unknown",
    "reason": "NodeStatusUnknown",
    "message": "Kubelet stopped posting node status.",
}


def taints(stage: Stage, name: str) -> set[tuple[str, str]]:
    node = stage.get("nodes", name)
    return {(each["key"], each["effect"]) for each in (node or {})["spec"].get("taints") or ()}


def patch_node(stage: Stage, name: str, patch: dict[str, Any], subresource: str = "") -> None:
    options = WriteOptions("test", subresource=subresource)
    at_once(stage.cluster.api.resources.patch(stage.kind("nodes"), "", name, "strategic", patch, options))


def test_a_lost_node_is_tainted_and_its_pods_run_elsewhere() -> None:
    async def script(stage: Stage) -> None:
        stage.create("apps/deployments", deployment("d", "default", 2))
        await stage.until("ready", lambda: status(stage, "apps/deployments", "d").get("readyReplicas") == 2)
        pod = stage.pods()[0]
        name, uid = pod["spec"]["nodeName"], pod["metadata"]["uid"]
        patch_node(stage, name, {"status": {"conditions": [LOST]}}, "status")
        await stage.until("taints", lambda: taints(stage, name) == {
            ("node.kubernetes.io/unreachable", "NoSchedule"), ("node.kubernetes.io/unreachable", "NoExecute")})  # fmt: skip
        await stage.until("unready", lambda: status(stage, "apps/deployments", "d").get("readyReplicas") == 1)
        await stage.until("both elsewhere", lambda: status(stage, "apps/deployments", "d").get("readyReplicas") == 2)
        left = next(each for each in stage.all("pods") if each["metadata"]["uid"] == uid)
        assert left["metadata"]["deletionTimestamp"], "the kubelet of a lost node ends nothing"
        assert {each["spec"]["nodeName"] for each in stage.pods()}.isdisjoint({name})
        assert {"TaintManagerEviction", "NodeNotReady"} <= {event["reason"] for event in stage.all("events")}
        patch_node(
            stage, name, {"status": {"conditions": [LOST | {"status": "True", "reason": "KubeletReady"}]}}, "status"
        )
        await stage.until("no taints", lambda: taints(stage, name) == set())
        await stage.until(
            "the old pod to go", lambda: all(each["metadata"]["uid"] != uid for each in stage.all("pods"))
        )

    play(script)


def test_a_cordoned_node_is_tainted() -> None:
    async def script(stage: Stage) -> None:
        patch_node(stage, "worker-0", {"spec": {"unschedulable": True}})
        await stage.until(
            "a taint", lambda: taints(stage, "worker-0") == {("node.kubernetes.io/unschedulable", "NoSchedule")}
        )
        patch_node(stage, "worker-0", {"spec": {"unschedulable": None}})
        await stage.until("none", lambda: taints(stage, "worker-0") == set())

    play(script)


def test_a_taint_evicts_at_once_what_does_not_tolerate_it() -> None:
    async def script(stage: Stage) -> None:
        container = {"name": "c", "image": "i"}
        for name, more in (("goes", {}), ("stays", {"tolerations": [{"operator": "Exists"}]})):
            spec = {"containers": [container], "nodeName": "worker-0", **more}
            stage.create("pods", {"metadata": {"name": name}, "spec": spec})
        await stage.until("both run", lambda: all(pod["status"]["phase"] == "Running" for pod in stage.pods()))
        patch_node(stage, "worker-0", {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}})
        await stage.until("one to go", lambda: stage.get("pods", "goes") is None)
        assert stage.get("pods", "stays")["status"]["phase"] == "Running"  # type: ignore[index]

    play(script)
