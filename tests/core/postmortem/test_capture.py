"""Bundles: what is kept of a failure, how long that may take, and that one cause has one."""

import base64
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.session import connect_until
from projects.core.execution.cancellation import CancelToken
from projects.core.postmortem import capture
from projects.core.postmortem.bundle import telling
from projects.core.postmortem.evidence import Evidence, _read
from projects.core.postmortem.reading import NO_TIME, Reading
from projects.core.record.bundles import BUNDLE, BUNDLES, bundle_of
from projects.core.record.failures import write_failure
from projects.core.values.redaction import Redactor
from tests.conftest import ROOT, RealCluster
from tests.core.postmortem.conftest import deploy, kubeconfig, silent_server
from tests.core.postmortem.failures import LOG, Failed, acts, ended, read, target

UNSCHEDULABLE = "node(s) didn't match Pod's node affinity/selector"


def waiting_for_web(namespace: str) -> list[dict[str, Any]]:
    web = target("wait", "Deployment", "web", apiVersion="apps/v1", namespace=namespace)
    return [acts("Wait", web), ended("Wait", "failed")]


def objects(bundle: Path | None) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in read(bundle)["objects"]}


def assert_tells_all_of_a_pod_that_fits_nowhere(bundle: Path | None, namespace: str) -> None:
    assert bundle is not None
    found = objects(bundle)
    assert set(found) == {"Deployment", "ReplicaSet", "Pod"}
    assert found["Deployment"]["relation"] == "waited for"
    assert [kind for kind, each in found.items() if each["telling"]] == ["Pod"]
    pod = found["Pod"]
    assert pod["condition"]["type"] == "PodScheduled"
    assert UNSCHEDULABLE in pod["condition"]["message"]
    assert pod["event"].startswith("FailedScheduling: 0/")
    written = yaml.safe_load((bundle / pod["file"]).read_text())
    assert written["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
    events = (bundle / "events.log").read_text()
    assert f"Warning  FailedScheduling  Pod {namespace}/web-" in events
    assert "ScalingReplicaSet  Deployment" in events
    nodes = yaml.safe_load((bundle / "nodes.yaml").read_text())["nodes"]
    assert {"Ready"} <= {condition["type"] for condition in nodes[0]["conditions"]}
    assert (bundle / "last-lines.log").read_text() == LOG
    index = (bundle / "INDEX").read_text()
    places = [
        index.index(name)
        for name in ("last-lines.log", pod["file"], found["Deployment"]["file"], "events.log", "nodes.yaml")
    ]
    assert places == sorted(places), f"not in reading order:\n{index}"
    assert read(bundle)["missing"] == {}


def test_a_pod_that_fits_nowhere(simulated: Cluster, failed: Failed) -> None:
    deploy(simulated, "nowhere")
    given = failed.command(waiting_for_web("nowhere"))
    bundle = capture(*given)
    assert_tells_all_of_a_pod_that_fits_nowhere(bundle, "nowhere")
    operators = yaml.safe_load((failed.root / bundle.relative_to(failed.root) / "operators.yaml").read_text())  # type: ignore[union-attr]
    assert "Available" in json.dumps(operators["ClusterOperators"])
    known = bundle_of(given[3])
    assert known is not None
    assert known.path == bundle
    assert UNSCHEDULABLE in str(known.telling)


@pytest.mark.envtest
def test_a_pod_that_fits_nowhere_on_the_real_one(real: Cluster, real_cluster: RealCluster, failed: Failed) -> None:
    namespace = real_cluster.namespace("postmortem")
    deploy(real, namespace)
    assert_tells_all_of_a_pod_that_fits_nowhere(capture(*failed.command(waiting_for_web(namespace))), namespace)


def test_logs_of_containers_that_are_not_ready_and_of_those_before(simulated: Cluster, failed: Failed) -> None:
    deploy(simulated, "crash")
    pod = simulated.objects(Target("Pod", "v1", namespace="crash"))[0]["metadata"]["name"]
    ended_once = {"terminated": {"exitCode": 1, "reason": "Error"}}
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    container = {"name": "c", "ready": False, "restartCount": 3, "image": "i", "imageID": "", "state": waits}
    status = {"status": {"containerStatuses": [container | {"lastState": ended_once}]}}
    simulated.patch(Target("Pod", "v1", pod, "crash"), status, subresource="status")
    bundle = capture(*failed.command([acts("Look", target("read", "Pod", namespace="crash")), ended("Look", "failed")]))
    assert "CrashLoopBackOff" in objects(bundle)["Pod"]["says"]
    kept = {**read(bundle)["files"], **read(bundle)["missing"]}
    assert any(f"{pod}__c.previous.log" in name or f"the log of Pod crash/{pod} c.previous" in name for name in kept)
    assert not any(name.endswith("__c.log") for name in kept), "a container that waits to start has no log"


def test_what_is_met_on_the_way_up_is_looked_at_for_its_own_sake(simulated: Cluster) -> None:
    deploy(simulated, "upwards")
    evidence = Evidence(Reading(time.monotonic() + 60, CancelToken()), [])
    evidence._cluster = simulated
    web = simulated.read(Target("Deployment", "apps/v1", "web", "upwards"))
    evidence._take([web], "owns Something upwards/x")
    assert len(evidence.reading._open) == 1, "its events"
    evidence._take([web], "waited for")
    evidence.reading.run()
    assert {item.thing["kind"]: item.relation.split()[0] for item in evidence.items.values()} == {
        "Deployment": "waited", "ReplicaSet": "made", "Pod": "made"
    }  # fmt: skip
    assert telling(list(evidence.items.values())).thing["kind"] == "Pod"  # type: ignore[union-attr]


def test_a_custom_resource_leads_to_what_it_owns(simulated: Cluster, failed: Failed) -> None:
    deploy(simulated, "owned")
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "owner", "namespace": "owned"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "x"},
    }  # fmt: skip
    made = simulated.apply(claim).after
    assert made is not None
    simulated.patch(
        Target("PersistentVolumeClaim", "v1", "owner", "owned"), {"status": {"phase": "Lost"}}, subresource="status"
    )
    reference = {"apiVersion": "v1", "kind": made["kind"], "name": "owner", "uid": made["metadata"]["uid"]}
    owned = {"metadata": {"ownerReferences": [reference]}}
    simulated.patch(Target("Deployment", "apps/v1", "web", "owned"), owned)
    events = [
        acts("Wait", target("wait", "PersistentVolumeClaim", "owner", namespace="owned")),
        ended("Wait", "failed"),
    ]
    found = objects(capture(*failed.command(events)))
    assert found["Deployment"]["relation"] == "made by PersistentVolumeClaim owned/owner"
    assert found["Pod"]["telling"]


def test_objects_that_are_gone_and_kinds_that_are_not_served(simulated: Cluster, failed: Failed) -> None:
    events = [
        acts(
            "Wait",
            target("wait", "Pod", "nobody", namespace="default"),
            target("delete", "Pod", "deleted", namespace="default"),
            target("wait", "Notebook", "n", namespace="default"),
            target("read", "ConfigMap", labels="app=none", namespace="default"),
        ),
        ended("Wait", "failed"),
    ]
    missing = read(capture(*failed.command(events)))["missing"]
    assert missing["Pod default/nobody"] == 'pods "nobody" not found'
    assert "does not serve the kind Notebook" in missing["Notebook default/n"]
    assert missing["ConfigMap objects of app=none in default"] == "there are none"
    assert "Pod default/deleted" not in missing


def test_no_secret_is_written(simulated: Cluster, failed: Failed, redactor: Redactor) -> None:
    redactor.register("known-before-4711")
    value = "only-in-the-cluster-4711"
    for kind, key in (("Secret", "data"), ("ConfigMap", "data")):
        text = base64.b64encode(value.encode()).decode() if kind == "Secret" else f"a {value} and known-before-4711"
        simulated.apply(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": "s", "namespace": "default"}, key: {"k": text}}
        )
    events = [acts("Apply", *(target("apply", kind, "s", namespace="default") for kind in ("Secret", "ConfigMap")))]
    bundle = capture(*failed.command(events, log="it says known-before-4711\n"))
    assert bundle is not None
    assert set(objects(bundle)) == {"Secret", "ConfigMap"}
    whole = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    for form in (value, base64.b64encode(value.encode()).decode(), "known-before-4711"):
        assert form.encode() not in whole


def test_a_command_without_objects_costs_no_connection(failed: Failed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    *_, directory = given = failed.command([ended("Fail", "failed")], code=1)
    bundle = capture(*given)
    assert bundle is not None
    assert sorted(path.name for path in bundle.iterdir()) == ["INDEX", BUNDLE, "last-lines.log", "occurrences"]
    assert bundle_of(directory) is not None
    script = (
        "import sys; from pathlib import Path; from projects.core.postmortem import capture;"
        "from tests.core.postmortem.failures import Failed; capture(*Failed(Path(sys.argv[1])).command());"
        "print([m for m in ('kubernetes', 'ansible', 'urllib3') if m in sys.modules])"
    )
    (failed.root / "other").mkdir()
    command = [sys.executable, "-c", script, str(failed.root / "other")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_server_that_never_answers(
    failed: Failed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, seconds: float
) -> None:
    with silent_server() as port:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", port, scheme)))
        began = time.monotonic()
        bundle = capture(*failed.command(waiting_for_web("n")), seconds=seconds)
        assert time.monotonic() - began < seconds + 30, "a question that is not given up takes a minute, or for ever"
    document = read(bundle)
    assert document["objects"] == []
    reason = document["missing"]["the cluster"]
    # The client takes half a second to import, and more on a busy machine: then even the first question comes too late.
    assert reason == NO_TIME or f"the API server at 127.0.0.1:{port} " in reason
    assert "last-lines.log" in document["files"]


def test_a_server_that_stops_answering(failed: Failed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers the first question, then nothing: all that is asked afterwards ends with the time."""
    with silent_server() as port:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", port, "http")))
        monkeypatch.setattr("projects.core.postmortem.evidence._connect", lambda _, deadline: _late(deadline))
        began = time.monotonic()
        bundle = capture(*failed.command(waiting_for_web("n")), seconds=1.5)
        assert time.monotonic() - began < 30
    assert set(read(bundle)["missing"]) >= {"Deployment n/web", "the conditions of the nodes"}


def _late(deadline: float) -> Cluster:
    return Cluster(connect_until(deadline))


@pytest.mark.parametrize("given", ["a closed port", "no kubeconfig", "half a kubeconfig"])
def test_no_server_at_all(failed: Failed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    path = tmp_path / "config"
    if given == "a closed port":
        kubeconfig(path, 1, "http")
    elif given == "half a kubeconfig":
        path.write_text("clusters: [")
    monkeypatch.setenv("KUBECONFIG", str(path))
    # Were its time waited for, this would take longer than the test may.
    bundle = capture(*failed.command(waiting_for_web("n")), seconds=300)
    assert list(read(bundle)["missing"]) == ["the cluster"]


def test_a_repeat_leads_to_the_first(simulated: Cluster, failed: Failed) -> None:
    deploy(simulated, "again")
    bundles = []
    for seconds in (5, 17):
        message = f"timed out after {seconds} s waiting for Deployment again/web to be ready"
        *_, directory = given = failed.command(waiting_for_web("again"), message=message)
        bundles.append(capture(*given))
        assert directory.joinpath("_bundle").read_text() == f"../{BUNDLES}/{bundles[0].name}\n"  # type: ignore[union-attr]
    other = capture(*failed.command(waiting_for_web("again"), message="the deployment was deleted by somebody"))
    assert bundles[0] == bundles[1] != other
    assert bundles[0] is not None
    lines = (bundles[0] / "occurrences").read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["000__server__deploy", "001__server__deploy"]
    assert len(list((failed.root / BUNDLES).iterdir())) == 2


def test_branches_that_fail_at_once_share_a_bundle(
    simulated: Cluster, failed: Failed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(simulated, "at-once")
    asked: list[object] = []
    monkeypatch.setattr("projects.core.postmortem.evidence._read", _counting(asked))
    given = [failed.command(waiting_for_web("at-once")) for _ in range(6)]
    found: list[Path | None] = []
    together = threading.Barrier(len(given))

    def fail(arguments: Any) -> None:
        together.wait()
        bundle = capture(*arguments)
        assert (bundle / BUNDLE).exists(), "whoever comes later waits until it is whole"  # type: ignore[operator]
        found.append(bundle)

    threads = [threading.Thread(target=fail, args=[each]) for each in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(given)
    assert len(set(found)) == 1
    assert_tells_all_of_a_pod_that_fits_nowhere(found[0], "at-once")
    assert asked.count("Deployment at-once/web") == 1
    assert len((found[0] / "occurrences").read_text().splitlines()) == len(given)  # type: ignore[operator]


def _counting(asked: list[object]) -> Callable[..., object]:
    def counted(cluster: Cluster, chosen: Target) -> object:
        asked.append(str(chosen))
        return _read(cluster, chosen)

    return counted


def _fail(root: Path, number: int) -> None:
    run = Failed(root)
    run._count = number
    # Enough for a busy machine: who has no time left to wait for the first goes on without its bundle.
    capture(*run.command(waiting_for_web("n")), seconds=60)


def test_processes_that_fail_at_once_share_a_bundle(
    failed: Failed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", 1, "http")))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fail, args=(failed.root, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    (bundle,) = (failed.root / BUNDLES).iterdir()
    assert list(read(bundle)["missing"]) == ["the cluster"]
    assert len((bundle / "occurrences").read_text().splitlines()) == 4


def test_what_a_kill_has_cut_off_is_made_again(failed: Failed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    given = failed.command()
    bundle = capture(*given)
    assert bundle is not None
    (bundle / BUNDLE).unlink()
    known = bundle_of(given[3])
    assert known is not None
    assert known.telling is None
    capture(*failed.command())
    assert read(bundle)["step"]["directory"] == "001__server__deploy"


def test_a_full_disk_costs_the_evidence_only(failed: Failed, caplog: pytest.LogCaptureFixture) -> None:
    given = failed.command()
    (failed.root / BUNDLES).write_text("in the way")
    assert capture(*given) is None
    assert "could not be kept" in caplog.text


def test_failure_names_the_bundle(failed: Failed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    root, step, cause, directory = failed.command()
    bundle = capture(root, step, cause, directory)
    write_failure(root, step, cause)
    assert bundle is not None
    assert f"  bundle: {os.path.relpath(bundle, directory)}\n" in (directory / "FAILURE").read_text()


@pytest.mark.parametrize("link", ["", "../_failures/gone", "/dev/null", "\0"])
def test_a_link_to_nothing(tmp_path: Path, link: str) -> None:
    assert bundle_of(tmp_path) is None
    (tmp_path / "_bundle").write_text(link)
    assert bundle_of(tmp_path) is None
