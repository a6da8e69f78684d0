"""Where pods go, and what is said of those that fit nowhere; the words were asked of a real scheduler of Kubernetes 1.35."""

from functools import partial
from typing import Any

import pytest

from projects.sim_cluster.behaviours.demand import demand
from projects.sim_cluster.behaviours.quantities import amount
from tests.sim_cluster.comparing import Both
from tests.sim_cluster.talk import Client
from tests.sim_cluster.test_workloads import Stage, play, status

_HELPLESS = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
_VICTIMLESS = "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."


def pod(name: str, cpu: str = "", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "i"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"containers": [container], **spec}}


def term(kind: str, app: str, key: str = "kubernetes.io/hostname") -> dict[str, Any]:
    wanted = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [wanted]}}


def why(stage: Stage, name: str) -> str:
    conditions = status(stage, "pods", name).get("conditions", ())
    return next((c.get("message", "") for c in conditions if c["status"] == "False"), "")


def node_of(stage: Stage, name: str) -> str:
    return str((stage.get("pods", name) or {})["spec"].get("nodeName", ""))


def test_pods_that_ask_for_more_than_there_is_wait_until_there_is_room() -> None:
    async def script(stage: Stage) -> None:
        for number in range(3):
            stage.create("pods", pod(f"large-{number}", "7"))
        await stage.until("all placed", lambda: all(node_of(stage, f"large-{number}") for number in range(3)))
        assert len({node_of(stage, f"large-{number}") for number in range(3)}) == 3
        stage.create("pods", pod("more", "2"))
        await stage.until("a reason", lambda: why(stage, "more"))
        assert why(stage, "more") == (
            f"0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, {_VICTIMLESS}"
        )
        left = node_of(stage, "large-1")
        stage.delete("pods", "large-1", grace_seconds=0)
        await stage.until("placed", lambda: node_of(stage, "more"))
        assert node_of(stage, "more") == left

    play(script, speed=1)


def test_what_no_node_has_is_said_for_each_resource() -> None:
    async def script(stage: Stage) -> None:
        huge = pod("huge", "5000")
        huge["spec"]["containers"][0]["resources"]["requests"]["memory"] = "900Ti"
        stage.create("pods", huge)
        await stage.until("a reason", lambda: why(stage, "huge"))
        assert why(stage, "huge") == (
            "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. "
            f"no new claims to deallocate, {_HELPLESS}"
        )

    play(script)


def test_pods_keep_apart_and_together() -> None:
    async def script(stage: Stage) -> None:
        apart = term("podAntiAffinity", "apart", "kubernetes.io/os")
        stage.create("pods", pod("first", labels={"app": "apart"}, affinity=apart))
        await stage.until("placed", lambda: node_of(stage, "first"))
        stage.create("pods", pod("second", labels={"app": "apart"}, affinity=apart))
        stage.create("pods", pod("unwanted", labels={"app": "apart"}))
        stage.create("pods", pod("near", affinity=term("podAffinity", "late")))
        for name, said, helps in (
            ("second", "didn't match pod anti-affinity rules", _VICTIMLESS),
            ("unwanted", "didn't satisfy existing pods anti-affinity rules", _VICTIMLESS),
            ("near", "didn't match pod affinity rules", _HELPLESS),
        ):
            await stage.until(f"a reason for {name}", partial(why, stage, name))
            expected = f"0/3 nodes are available: 3 node(s) {said}. no new claims to deallocate, {helps}"
            assert why(stage, name) == expected
        stage.create("pods", pod("late", labels={"app": "late"}, nodeSelector={"kubernetes.io/hostname": "worker-2"}))
        await stage.until("joined", lambda: node_of(stage, "near"))
        assert node_of(stage, "near") == "worker-2"

    play(script, speed=1)


def test_the_first_pod_that_wants_its_like_is_placed() -> None:
    async def script(stage: Stage) -> None:
        for number in range(3):
            together = term("podAffinity", "pack")
            stage.create("pods", pod(f"pack-{number}", labels={"app": "pack"}, affinity=together))
        await stage.until("all placed", lambda: all(node_of(stage, f"pack-{number}") for number in range(3)))
        assert len({node_of(stage, f"pack-{number}") for number in range(3)}) == 1

    play(script)


def test_a_pod_of_a_node_that_is_not_there() -> None:
    async def script(stage: Stage) -> None:
        entry = {"key": "metadata.name", "operator": "In", "values": ["elsewhere"]}
        terms = {"nodeSelectorTerms": [{"matchFields": [entry]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        stage.create("pods", pod("p", affinity=affinity))
        await stage.until("a reason", lambda: why(stage, "p"))
        assert "3 node(s) didn't satisfy plugin(s) [NodeAffinity]. " in why(stage, "p")

    play(script)


@pytest.mark.parametrize(("text", "thousandths"), [
    ("1", 1000), ("100m", 100), ("1.5", 1500), ("2Ki", 2048000), ("1Gi", 1024**3 * 1000), ("1k", 10**6), ("1e3", 10**6), ("1n", 1), (None, 0),
])  # fmt: skip
def test_quantities_are_amounts(text: str | None, thousandths: int) -> None:
    assert amount(text) == thousandths


def test_a_pod_asks_for_its_containers_or_for_the_init_container_that_asks_for_more() -> None:
    def container(cpu: str, **more: Any) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    containers = [container("1"), container("500m")]
    assert demand({"containers": containers}) == {"cpu": 1500}
    assert demand({"containers": containers, "initContainers": [container("4")]}) == {"cpu": 4000}
    sidecar = container("1", restartPolicy="Always")
    assert demand({"containers": containers, "initContainers": [sidecar, container("2")]}) == {"cpu": 3000}
    assert demand({"containers": containers, "overhead": {"cpu": "250m"}}) == {"cpu": 1750}


def test_a_port_of_a_node_is_taken_once() -> None:
    async def script(stage: Stage) -> None:
        for name in ("first", "second"):
            taking = pod(name, nodeSelector={"kubernetes.io/hostname": "worker-0"})
            taking["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
            stage.create("pods", taking)
            await stage.until("placed or not", partial(settled, stage, name))
        assert why(stage, "second") == (
            "0/3 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, 2 node(s) didn't match "
            "Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: "
            "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
        )
        stage.delete("pods", "first", grace_seconds=0)
        await stage.until("placed", lambda: node_of(stage, "second"))

    play(script)


def settled(stage: Stage, name: str) -> bool:
    return bool(node_of(stage, name) or why(stage, name))


def spread(key: str, **more: Any) -> dict[str, Any]:
    constraint = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
                  "labelSelector": {"matchLabels": {"app": "x"}}} | more  # fmt: skip
    return {"topologySpreadConstraints": [constraint]}


def test_pods_are_spread_evenly() -> None:
    async def script(stage: Stage) -> None:
        for number in range(6):
            stage.create("pods", pod(f"p-{number}", labels={"app": "x"}, **spread("kubernetes.io/hostname")))
        await stage.until("all placed", lambda: all(node_of(stage, f"p-{number}") for number in range(6)))
        placed = [node_of(stage, f"p-{number}") for number in range(6)]
        assert sorted(map(placed.count, set(placed))) == [2, 2, 2]
        stage.create("pods", pod("nowhere", labels={"app": "x"}, **spread("zone")))
        await stage.until("a reason", lambda: why(stage, "nowhere"))
        assert why(stage, "nowhere") == (
            "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). "
            f"no new claims to deallocate, {_HELPLESS}"
        )
        uneven = pod("uneven", labels={"app": "x"}, **spread("kubernetes.io/hostname", nodeAffinityPolicy="Ignore"))
        uneven["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "worker-0"}
        stage.create("pods", uneven)
        await stage.until("placed", lambda: node_of(stage, "uneven") == "worker-0")
        uneven["metadata"]["name"] = "too-uneven"
        stage.create("pods", uneven)
        await stage.until(
            "refused", lambda: "1 node(s) didn't match pod topology spread constraints," in why(stage, "too-uneven")
        )

    play(script)


def _company_wish(weight: int, app: str) -> dict[str, Any]:
    return {"weight": weight, "podAffinityTerm": term("", app)[""]["requiredDuringSchedulingIgnoredDuringExecution"][0]}


def _node_wish(weight: int, name: str) -> dict[str, Any]:
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}
    return {"weight": weight, "preference": {"matchExpressions": [expression]}}


def _placed(api: Client, namespace: str) -> list[str]:
    """Create pods that prefer this or that; return where they are: the number of the node, or that it is not the second one."""
    nodes = sorted(node["metadata"]["name"] for node in api.get("/api/v1/nodes")["items"])

    def place(name: str, labels: dict[str, str] | None = None, **spec: Any) -> int:
        path = f"/api/v1/namespaces/{namespace}/pods"
        api.post(path, pod(name, labels=labels, **spec))
        return nodes.index(api.until(f"{path}/{name}", lambda seen: seen["spec"].get("nodeName"))["spec"]["nodeName"])

    def liking(name: str, **kinds: list[dict[str, Any]]) -> int:
        affinity = {kind: {"preferredDuringSchedulingIgnoredDuringExecution": wishes} for kind, wishes in kinds.items()}
        return place(name, affinity=affinity)

    for app in ("a", "b"):
        place(app, {"app": app}, nodeSelector={"kubernetes.io/hostname": nodes[1]})
    return [
        f"by a wish: {liking('one', nodeAffinity=[_node_wish(1, nodes[2])])}",
        f"by the greater wish: {liking('two', nodeAffinity=[_node_wish(10, nodes[0]), _node_wish(50, nodes[1])])}",
        f"near another: {liking('near', podAffinity=[_company_wish(1, 'a')])}",
        f"away from another: {liking('apart', podAntiAffinity=[_company_wish(1, 'a')]) != 1}",
        f"more away than near: {liking('torn', podAffinity=[_company_wish(1, 'a')], podAntiAffinity=[_company_wish(9, 'b')]) != 1}",
    ]  # fmt: skip


@pytest.mark.envtest
def test_pods_go_where_they_prefer(both: Both) -> None:
    for api in both.apis:
        assert _placed(api, both.namespace) == [
            "by a wish: 2", "by the greater wish: 1", "near another: 1", "away from another: True", "more away than near: True",
        ]  # fmt: skip


def test_a_node_that_asks_pods_to_stay_away_is_taken_last() -> None:
    async def script(stage: Stage) -> None:
        for number in range(2):
            taints = [{"key": "k", "effect": "PreferNoSchedule"}]
            stage.patch("nodes", f"worker-{number}", {"spec": {"taints": taints}})
        for number in range(3):
            stage.create("pods", pod(f"p-{number}", "2"))
            await stage.until("placed", partial(node_of, stage, f"p-{number}"))
            assert node_of(stage, f"p-{number}") == "worker-2"
        stage.create("pods", pod("unmoved", tolerations=[{"operator": "Exists"}]))
        await stage.until("placed", partial(node_of, stage, "unmoved"))
        assert node_of(stage, "unmoved") != "worker-2"

    play(script, speed=1)
