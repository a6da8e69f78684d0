"""A cluster on a real API: the tests of OpenShift's behaviours again, there; its life; the proxy before it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from projects.core.values.checkout import ROOT
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.real_api import control_plane as starting
from tests.sim_cluster.conftest import available, make_namespace, talking_to
from tests.sim_cluster.machine_sets import add_machine_set, machines_of
from tests.sim_cluster.talk import Client, config_map, deployment, named, says
from tests.sim_cluster.test_cli import ends, server_of
from tests.sim_cluster.test_openshift import (
    space,
    test_a_manual_plan_waits_and_a_starting_version_is_upgraded_step_by_step,
    test_an_install_mode_that_is_not_supported_fails,
    test_machine_sets_bring_and_take_nodes,
    test_machines_of_another_type,
    test_routes_are_admitted,
    test_the_project_template_can_be_edited,
    test_what_cannot_be_resolved_is_said,
    test_without_an_operator_group_nothing_is_installed,
)
from tests.simulated import COMMAND

__all__ = [
    "space",
    "test_a_manual_plan_waits_and_a_starting_version_is_upgraded_step_by_step",
    "test_an_install_mode_that_is_not_supported_fails",
    "test_machine_sets_bring_and_take_nodes",
    "test_machines_of_another_type",
    "test_routes_are_admitted",
    "test_the_project_template_can_be_edited",
    "test_what_cannot_be_resolved_is_said",
    "test_without_an_operator_group_nothing_is_installed",
]
pytestmark = [pytest.mark.envtest, pytest.mark.usefixtures("control_plane")]


@pytest.fixture(scope="session")
def control_plane() -> None:
    available("real")


@pytest.fixture(scope="session")
def openshift(control_plane: None) -> Iterator[Client]:
    """A raw client of OpenShift on the real API."""
    with talking_to(ClusterOptions(api="real")) as made:
        yield made


def test_it_is_a_real_api_with_the_shape_of_the_simulated_one(openshift: Client) -> None:
    assert openshift.get("/version")["gitVersion"].startswith("v1.")
    version = openshift.get("/apis/config.openshift.io/v1/clusterversions/version")
    assert version["status"]["history"][0]["state"] == "Completed"
    assert openshift.ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "x"}}).status == 422


def test_workloads_get_ready(openshift: Client, space: str) -> None:
    openshift.post(f"/apis/apps/v1/namespaces/{space}/deployments", deployment("web", space, 2))
    openshift.until(
        f"/apis/apps/v1/namespaces/{space}/deployments/web", lambda obj: obj["status"].get("readyReplicas") == 2
    )


def test_claims_get_volumes_and_volumes_go_with_them(openshift: Client, space: str) -> None:
    claims = f"/api/v1/namespaces/{space}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    openshift.post(claims, {"metadata": {"name": "c"}, "spec": spec})
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    containers = [{"name": "c", "image": "registry.invalid/c:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]
    openshift.post(
        f"/api/v1/namespaces/{space}/pods",
        {"metadata": {"name": "p"}, "spec": {"volumes": volumes, "containers": containers}},
    )
    openshift.until(f"/api/v1/namespaces/{space}/pods/p", lambda obj: obj["status"]["phase"] == "Running")
    bound = openshift.until(f"{claims}/c", says("phase", "Bound"))  # which is written after what lets the pod run
    volume = bound["spec"]["volumeName"]
    openshift.ask("DELETE", f"/api/v1/namespaces/{space}/pods/p")
    openshift.ask("DELETE", f"{claims}/c")
    openshift.gone(f"/api/v1/persistentvolumes?fieldSelector=metadata.name%3D{volume}")


def test_pods_of_a_lost_node_are_evicted_in_the_clusters_time(openshift: Client, space: str) -> None:
    """Three hundred seconds, as their tolerations say, by a clock that runs 60 times faster."""
    machines = add_machine_set(openshift, "lost")
    openshift.until(machines, says("readyReplicas", 1))
    (path,) = machines_of(openshift, "lost")
    machine = openshift.get(path)["status"]["nodeRef"]["name"]
    containers = [{"name": "c", "image": "registry.invalid/c:1"}]
    pod = f"/api/v1/namespaces/{space}/pods/p"
    openshift.post(
        pod.rpartition("/")[0], {"metadata": {"name": "p"}, "spec": {"nodeName": machine, "containers": containers}}
    )
    openshift.until(pod, lambda obj: obj["status"]["phase"] == "Running")
    lost = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }
    openshift.merge(f"/api/v1/nodes/{machine}/status", {"status": {"conditions": [lost]}})
    # The real controller looks at nodes every five seconds, and taints one in ten; those that join are tainted, too.
    openshift.until(pod, lambda obj: obj["metadata"].get("deletionTimestamp"), 120)
    openshift.ask("DELETE", machines)
    openshift.gone(named("/api/v1/nodes", machine))


def test_a_namespace_has_the_accounts_of_openshift(openshift: Client, space: str) -> None:
    for name in ("default", "builder", "deployer"):
        openshift.until(f"/api/v1/namespaces/{space}/serviceaccounts/{name}", lambda _: True)


def test_whoever_comes_is_who_they_are_behind_the_proxy(openshift: Client, space: str) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert openshift.post(reviews, review)["status"]["userInfo"]["username"] == "kubernetes-admin"
    token = openshift.post(f"/api/v1/namespaces/{space}/serviceaccounts/default/token", {"spec": {}})["status"]["token"]
    answer = openshift.ask("POST", reviews, review, token=token)
    assert answer.body["status"]["userInfo"]["username"] == f"system:serviceaccount:{space}:default"
    assert openshift.ask("GET", "/api/v1/namespaces", token="").status in {401, 403}
    assert openshift.ask("GET", "/api/v1/namespaces", token="nonsense").status == 401


def test_requests_and_answers_pass_the_proxy_as_they_are(openshift: Client, space: str) -> None:
    maps = f"/api/v1/namespaces/{space}/configmaps"
    answer = openshift.ask("POST", f"{maps}?fieldValidation=Warn", config_map("a") | {"nonsense": 1, "rubbish": 2})
    assert answer.status == 201
    assert "unknown field" in answer.headers["warning"]
    assert openshift.ask("GET", maps, accept="application/json;as=Table;v=v1;g=meta.k8s.io").body["kind"] == "Table"
    openshift.post(maps, config_map("big", {"text": "x" * 900_000}))
    assert len(openshift.get(f"{maps}/big")["data"]["text"]) == 900_000
    assert openshift.get(f"{maps}?fieldSelector=metadata.name%3Dbig&limit=1")["items"][0]["metadata"]["name"] == "big"


def test_a_watch_passes_the_proxy_as_it_happens_and_ends_when_it_should(openshift: Client, space: str) -> None:
    maps = f"/api/v1/namespaces/{space}/configmaps"
    version = openshift.get(maps)["metadata"]["resourceVersion"]
    seen = []
    openshift.post(maps, config_map("n0"))
    for event in openshift.watch(f"{maps}?watch=1&resourceVersion={version}&timeoutSeconds=100"):
        seen.append(event["object"]["metadata"]["name"])
        version = event["object"]["metadata"]["resourceVersion"]
        if len(seen) == 3:
            break
        openshift.post(maps, config_map(f"n{len(seen)}"))
    assert seen == ["n0", "n1", "n2"]
    assert not list(openshift.watch(f"{maps}?watch=1&resourceVersion={version}&timeoutSeconds=1"))


def test_upgrades_are_refused_in_words(openshift: Client) -> None:
    connection = openshift.connect()
    connection.request(
        "POST",
        "/api/v1/namespaces/default/services/s/proxy/",
        headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1"},
    )
    response = connection.getresponse()
    assert response.status == 501
    assert json.loads(response.read())["reason"] == "NotImplemented"
    connection.close()


def descendants(pid: int) -> set[int]:
    """Return the processes below one."""
    below: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), set()).add(int(stat.parent.name))
    found, pending = set[int](), {pid}
    while pending:
        found |= (children := set().union(*(below.get(each, set()) for each in pending)))
        pending = children
    return found


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_run_is_ended(tmp_path: Path, sent: signal.Signals) -> None:
    script = f'cp "$(dirname "$KUBECONFIG")/server.json" {tmp_path}; echo $$; exec sleep 100'
    line = [*COMMAND, "run", "--api", "real", "--platform", "kubernetes", "--nodes", "1", "--", "bash", "-c", script]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        started = descendants(server_of(tmp_path))
        assert len(started) >= 5
        process.send_signal(sent)
        process.wait(90)
        if sent is signal.SIGKILL:
            os.kill(child, signal.SIGKILL)  # the command itself is nobody's any more
    assert all(ends(pid) for pid in (server_of(tmp_path), *started))


def test_a_port_that_is_taken_meanwhile_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between asking for a free port and the server's use of it, anybody may have it."""
    ask, given = starting._free_port, list[int]()
    with socket.create_server(("127.0.0.1", 0)) as somebody:

        def free_port() -> int:
            given.append(somebody.getsockname()[1] if not given else ask())
            return given[-1]

        monkeypatch.setattr(starting, "_free_port", free_port)
        with talking_to(ClusterOptions(api="real", platform="kubernetes", nodes=1)) as client:
            assert len(client.get("/api/v1/nodes")["items"]) == 1
    assert len(given) >= 2  # or more, when somebody took the second one as well


def test_an_api_server_that_died_is_told_as_one(tmp_path: Path) -> None:
    line = [*COMMAND, "up", str(tmp_path), "--api", "real", "--platform", "kubernetes", "--nodes", "0"]
    subprocess.run(line, cwd=ROOT, capture_output=True, check=True)
    client = Client(tmp_path / "kubeconfig")
    for pid in descendants(server_of(tmp_path)):
        if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].endswith(b"kube-apiserver"):
            os.kill(pid, signal.SIGKILL)
            assert ends(pid)
    answer = client.ask("GET", "/api/v1/nodes")
    assert (answer.status, answer.body["reason"]) == (503, "ServiceUnavailable")
    client.close()
    subprocess.run([*COMMAND, "down", str(tmp_path)], cwd=ROOT, check=True)


def test_nothing_is_left_when_up_is_interrupted(tmp_path: Path) -> None:
    line = [*COMMAND, "up", str(tmp_path), "--api", "real", "--platform", "kubernetes", "--nodes", "0"]
    with subprocess.Popen(line, cwd=ROOT) as process:
        while len(started := descendants(process.pid)) < 3:  # the server, etcd, the API server
            assert process.poll() is None
        process.kill()
    assert all(ends(pid) for pid in started)


def test_down_leaves_nothing_but_logs(tmp_path: Path) -> None:
    line = [*COMMAND, "up", str(tmp_path), "--api", "real", "--platform", "kubernetes", "--nodes", "0"]
    up = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert up.stdout.strip() == str(tmp_path / "kubeconfig")
    started = descendants(server_of(tmp_path))
    subprocess.run([*COMMAND, "down", str(tmp_path)], cwd=ROOT, check=True)
    assert all(ends(pid, 0) for pid in started)
    assert {path.suffix for path in (tmp_path / "control-plane").iterdir()} == {".log"}


def test_a_namespace_that_is_deleted_goes(openshift: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("gone")
    make_namespace(openshift, name)
    openshift.ask("DELETE", f"/api/v1/namespaces/{name}")
    openshift.gone(f"/api/v1/namespaces?fieldSelector=metadata.name%3D{name}")
    assert openshift.ask("GET", f"/api/v1/namespaces/{name}").status == 404


NODE_POOL = """
apiVersion: karpenter.kwok.sh/v1alpha1
kind: KWOKNodeClass
metadata: {name: default}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      requirements: []
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
"""


def test_pods_without_a_node_bring_one_when_karpenter_is_there(tmp_path: Path) -> None:
    available("real", karpenter=True)
    with talking_to(ClusterOptions(api="real", platform="kubernetes", nodes=1, karpenter=True)) as client:
        for document in yaml.safe_load_all(NODE_POOL):
            group, kind = document["apiVersion"], f"{document['kind'].lower()}es".replace("pooles", "pools")
            client.post(f"/apis/{group}/{kind}", document)
        big = deployment("big", "default", 2)
        big["spec"]["template"]["spec"]["nodeSelector"] = {"karpenter.sh/nodepool": "default"}
        client.post("/apis/apps/v1/namespaces/default/deployments", big)
        path = "/apis/apps/v1/namespaces/default/deployments/big"
        client.until(path, lambda obj: obj["status"].get("readyReplicas") == 2, 120)
        assert len(client.get("/api/v1/nodes")["items"]) == 2
