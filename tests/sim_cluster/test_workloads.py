"""Workload behaviours in process: no HTTP, a fast clock, what happened read from the store's own record."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.requests import DeleteOptions, WriteOptions
from projects.sim_cluster.api.store import Change
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.timings import Timings
from projects.sim_cluster.cluster import SimulatedCluster
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions
from tests.sim_cluster.talk import PATIENCE, deployment

BY = WriteOptions("test")
TEMPLATE: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}


@dataclass
class Stage:
    """A running cluster and what tests do to it."""

    cluster: SimulatedCluster
    changes: list[Change] = field(default_factory=list)

    def kind(self, path: str) -> Any:
        group, _, resource = path.rpartition("/")
        return next(kind for kind in self.cluster.api.registry if (kind.group, kind.resource) == (group, resource))

    def create(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        return at_once(self.cluster.api.resources.create(self.kind(path), "default", obj, BY)).object

    def patch(self, path: str, name: str, patch: dict[str, Any], subresource: str = "") -> None:
        options = WriteOptions("test", subresource=subresource)
        at_once(self.cluster.api.resources.patch(self.kind(path), "default", name, "merge", patch, options))

    def delete(self, path: str, name: str, **options: Any) -> None:
        at_once(self.cluster.api.resources.delete(self.kind(path), "default", name, DeleteOptions(**options)))

    def get(self, path: str, name: str) -> dict[str, Any] | None:
        kind = self.kind(path)
        found = self.cluster.api.store.get(kind.storage, "default" if kind.namespaced else "", name)
        return found.object if found else None

    def all(self, path: str) -> list[dict[str, Any]]:
        return [stored.object for stored in self.cluster.api.store.list(self.kind(path).storage)]

    def pods(self) -> list[dict[str, Any]]:
        return [pod for pod in self.all("pods") if not pod["metadata"].get("deletionTimestamp")]

    async def until(self, what: str, done: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait for writes until something holds."""
        changed = asyncio.Event()
        listener = lambda _change: changed.set()  # noqa: E731
        self.cluster.api.store.listeners.append(listener)
        try:
            async with asyncio.timeout(seconds):
                while not (found := done()):
                    changed.clear()
                    await changed.wait()
                return found
        except TimeoutError:
            pytest.fail(
                f"{what} did not happen; pods: {[(p['metadata']['name'], p['status']) for p in self.pods()][:5]}"
            )
        finally:
            self.cluster.api.store.listeners.remove(listener)


Script = Callable[[Stage], Coroutine[Any, Any, None]]


def play(script: Script, speed: float = MAX_SPEED, **timings: Any) -> None:
    """Run a script on a plain cluster of three nodes."""
    play_with(script, Settings(Timings(**timings)), speed)


def play_with(script: Script, settings: Settings, speed: float = MAX_SPEED) -> None:
    """Run a script on a plain cluster with settings of its own."""
    play_on(script, ClusterOptions(platform="kubernetes", speed=speed, settings=settings))


def play_on(script: Script, options: ClusterOptions) -> None:
    """Run a script on a cluster."""

    async def run() -> None:
        cluster = SimulatedCluster(options)
        stage = Stage(cluster)
        cluster.api.store.listeners.append(stage.changes.append)
        cluster.runtime.start()
        try:
            await script(stage)
        finally:
            await cluster.runtime.stop()

    asyncio.run(run())


def status(stage: Stage, path: str, name: str) -> dict[str, Any]:
    return (stage.get(path, name) or {}).get("status") or {}


def test_a_rollout_keeps_within_its_bounds() -> None:
    async def script(stage: Stage) -> None:
        spec = deployment("d", "default", 6)
        spec["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}
        stage.create("apps/deployments", spec)
        await stage.until("available", lambda: status(stage, "apps/deployments", "d").get("availableReplicas") == 6)
        begun = len(stage.changes)
        stage.patch(
            "apps/deployments", "d", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}]}}}}
        )
        await stage.until("rolled out", lambda: status(stage, "apps/deployments", "d").get("observedGeneration") == 2
                          and status(stage, "apps/deployments", "d").get("updatedReplicas") == 6
                          and status(stage, "apps/deployments", "d").get("replicas") == 6)  # fmt: skip
        assert {pod["spec"]["containers"][0]["image"] for pod in stage.pods()} == {"i:2"}
        assert_bounds(stage.changes, begun, most=8, least=5)
        sets = stage.all("apps/replicasets")
        assert sorted(rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for rs in sets) == ["1", "2"]

    play(script)


def assert_bounds(changes: list[Change], begun: int, most: int, least: int) -> None:
    alive: set[str] = set()
    ready: set[str] = set()
    for number, change in enumerate(changes):
        if change.storage != ("", "pods"):
            continue
        pod = change.now.object
        uid, leaving = pod["metadata"]["uid"], pod["metadata"].get("deletionTimestamp")
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
        (alive.discard if leaving or change.type == "DELETED" else alive.add)(uid)
        (ready.add if is_ready and not leaving and change.type != "DELETED" else ready.discard)(uid)
        assert len(alive) <= most
        assert number < begun or len(ready) >= least, f"only {len(ready)} pods were Ready"


def test_recreate_has_no_two_revisions_at_once() -> None:
    async def script(stage: Stage) -> None:
        spec = deployment("d", "default", 3)
        spec["spec"]["strategy"] = {"type": "Recreate"}
        stage.create("apps/deployments", spec)
        await stage.until("available", lambda: status(stage, "apps/deployments", "d").get("availableReplicas") == 3)
        stage.patch(
            "apps/deployments", "d", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}]}}}}
        )
        seen: list[set[str]] = []
        stage.cluster.api.store.listeners.append(
            lambda _: seen.append({p["spec"]["containers"][0]["image"] for p in stage.all("pods")})
        )
        await stage.until("rolled out", lambda: status(stage, "apps/deployments", "d").get("observedGeneration") == 2
                          and status(stage, "apps/deployments", "d").get("updatedReplicas") == 3
                          and status(stage, "apps/deployments", "d").get("availableReplicas") == 3)  # fmt: skip
        assert max(map(len, seen)) == 1

    play(script)


def test_daemon_sets_follow_nodes() -> None:
    async def script(stage: Stage) -> None:
        stage.create(
            "apps/daemonsets",
            {"metadata": {"name": "ds"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}},
        )
        await stage.until("on all", lambda: status(stage, "apps/daemonsets", "ds").get("numberAvailable") == 3)
        assert {pod["spec"]["nodeName"] for pod in stage.pods()} == {"worker-0", "worker-1", "worker-2"}
        node = next(node for node in stage.all("nodes") if node["metadata"]["name"] == "worker-0")
        fresh = {
            "metadata": {"name": "worker-9", "labels": node["metadata"]["labels"]},
            "spec": {},
            "status": node["status"],
        }
        stage.create("nodes", fresh)
        await stage.until("on the new one", lambda: status(stage, "apps/daemonsets", "ds").get("numberAvailable") == 4)
        stage.delete("nodes", "worker-0")
        await stage.until(
            "off the lost one",
            lambda: {p["spec"].get("nodeName") for p in stage.pods()} == {"worker-1", "worker-2", "worker-9"},
        )
        stage.patch(
            "apps/daemonsets",
            "ds",
            {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}}}}},
        )
        await stage.until(
            "on one",
            lambda: (
                status(stage, "apps/daemonsets", "ds").get("desiredNumberScheduled") == 1 and len(stage.pods()) == 1
            ),
        )

    play(script)


def test_stateful_sets_go_one_by_one() -> None:
    async def script(stage: Stage) -> None:
        stage.create("storage.k8s.io/storageclasses", {
            "metadata": {"name": "disk", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "example.com/disk"})  # fmt: skip
        claim = {
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        spec = {
            "serviceName": "s",
            "replicas": 3,
            "selector": {"matchLabels": {"a": "b"}},
            "template": TEMPLATE,
            "volumeClaimTemplates": [claim],
        }
        stage.create("apps/statefulsets", {"metadata": {"name": "s"}, "spec": spec})
        await stage.until("ready", lambda: status(stage, "apps/statefulsets", "s").get("readyReplicas") == 3)
        made = [
            c.now.object["metadata"]["name"] for c in stage.changes if c.storage == ("", "pods") and c.type == "ADDED"
        ]
        assert made == ["s-0", "s-1", "s-2"]
        await stage.until(
            "claims bound",
            lambda: [c["status"].get("phase") for c in stage.all("persistentvolumeclaims")] == ["Bound"] * 3,
        )
        stage.delete("persistentvolumeclaims", "data-s-2")
        assert len(stage.all("persistentvolumeclaims")) == 3, "a claim goes only when no pod uses it any more"
        stage.patch("apps/statefulsets", "s", {"spec": {"replicas": 1}})
        await stage.until("smaller", lambda: [p["metadata"]["name"] for p in stage.all("pods")] == ["s-0"])
        await stage.until("its volume gone", lambda: len(stage.all("persistentvolumes")) == 2)

    play(script)


def test_jobs_of_many_pods() -> None:
    async def script(stage: Stage) -> None:
        template = {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never"}}
        spec = {"completions": 5, "parallelism": 2, "completionMode": "Indexed", "template": template}
        stage.create("batch/jobs", {"metadata": {"name": "j"}, "spec": spec})
        await stage.until("complete", lambda: status(stage, "batch/jobs", "j").get("succeeded") == 5)
        indexes = {
            pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for pod in stage.all("pods")
        }
        assert indexes == {"0", "1", "2", "3", "4"}
        active = [c.now.object["status"].get("active", 0) for c in stage.changes if c.storage == ("batch", "jobs")]
        assert max(active) == 2

    play(script)


def test_jobs_end_by_deadline_suspension_and_time_to_live() -> None:
    async def script(stage: Stage) -> None:
        stuck = {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never", "nodeSelector": {"no": "node"}}}
        stage.create(
            "batch/jobs", {"metadata": {"name": "late"}, "spec": {"activeDeadlineSeconds": 600, "template": stuck}}
        )
        quick = {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never"}}
        stage.create(
            "batch/jobs", {"metadata": {"name": "gone"}, "spec": {"ttlSecondsAfterFinished": 60, "template": quick}}
        )
        stage.create("batch/jobs", {"metadata": {"name": "held"}, "spec": {"suspend": True, "template": quick}})
        await stage.until(
            "late",
            lambda: any(
                c["reason"] == "DeadlineExceeded" for c in status(stage, "batch/jobs", "late").get("conditions", ())
            ),
        )
        await stage.until("gone", lambda: stage.get("batch/jobs", "gone") is None)
        assert any(
            c["type"] == "Suspended" and c["status"] == "True"
            for c in status(stage, "batch/jobs", "held")["conditions"]
        )
        stage.patch("batch/jobs", "held", {"spec": {"suspend": False}})
        await stage.until("resumed", lambda: status(stage, "batch/jobs", "held").get("succeeded") == 1)

    play(script, speed=1200)


def test_pods_that_fit_nowhere_say_why_and_start_when_they_fit() -> None:
    async def script(stage: Stage) -> None:
        stage.patch("nodes", "worker-0", {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}})
        stage.create("pods", {"metadata": {"name": "p"}, "spec": TEMPLATE["spec"] | {"nodeSelector": {"disk": "fast"}}})

        def why() -> str:
            return next(
                (
                    c.get("message", "")
                    for c in status(stage, "pods", "p").get("conditions", ())
                    if c["status"] == "False"
                ),
                "",
            )

        await stage.until("a reason", why)
        assert why().startswith(
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector."
        )
        stage.patch("nodes", "worker-1", {"metadata": {"labels": {"disk": "fast"}}})
        await stage.until("running", lambda: status(stage, "pods", "p").get("phase") == "Running")
        assert (stage.get("pods", "p") or {})["spec"]["nodeName"] == "worker-1"

    play(script)


def test_pods_stop_before_they_go() -> None:
    async def script(stage: Stage) -> None:
        stage.create("pods", {"metadata": {"name": "p"}, "spec": TEMPLATE["spec"]})
        await stage.until("running", lambda: status(stage, "pods", "p").get("phase") == "Running")
        stage.delete("pods", "p")
        leaving = stage.get("pods", "p") or {}
        assert leaving["metadata"]["deletionGracePeriodSeconds"] == 30
        await stage.until("gone", lambda: stage.get("pods", "p") is None)

    play(script)


def test_a_namespace_waits_for_what_is_held() -> None:
    async def script(stage: Stage) -> None:
        stage.create("namespaces", {"metadata": {"name": "doomed"}})
        maps = stage.kind("configmaps")
        resources = stage.cluster.api.resources
        at_once(
            resources.create(maps, "doomed", {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}, BY)
        )
        stage.delete("namespaces", "doomed")

        def remaining() -> Any:
            return next(
                (
                    c
                    for c in status(stage, "namespaces", "doomed").get("conditions", ())
                    if c["type"] == "NamespaceFinalizersRemaining"
                ),
                None,
            )

        found = await stage.until("conditions", remaining)
        assert (
            found["message"]
            == "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
        )
        at_once(resources.patch(maps, "doomed", "held", "merge", {"metadata": {"finalizers": None}}, BY))
        await stage.until("gone", lambda: stage.get("namespaces", "doomed") is None)
        assert not [o for o in stage.all("configmaps") if o["metadata"]["namespace"] == "doomed"]

    play(script)


def condition_of(stage: Stage, path: str, name: str, kind: str) -> tuple[str, str]:
    found = [each for each in status(stage, path, name).get("conditions") or () if each["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


def test_a_quota_holds_a_deployment_until_it_is_raised() -> None:
    async def script(stage: Stage) -> None:
        stage.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}})
        spec = deployment("d", "default", 3)
        spec["spec"]["progressDeadlineSeconds"] = 30
        stage.create("apps/deployments", spec)
        path = "apps/deployments"
        await stage.until(
            "late", lambda: condition_of(stage, path, "d", "Progressing") == ("False", "ProgressDeadlineExceeded")
        )
        assert condition_of(stage, path, "d", "ReplicaFailure") == ("True", "FailedCreate")
        message = next(
            each["message"] for each in status(stage, path, "d")["conditions"] if each["type"] == "ReplicaFailure"
        )
        assert message.endswith("is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")
        assert any(event["message"] == f"Error creating: {message}" for event in stage.all("events"))
        stage.patch("resourcequotas", "q", {"spec": {"hard": {"pods": "10"}}})
        await stage.until(
            "done", lambda: condition_of(stage, path, "d", "Progressing") == ("True", "NewReplicaSetAvailable")
        )
        assert condition_of(stage, path, "d", "ReplicaFailure") == ("", "")

    play(script)


def test_a_paused_deployment_takes_its_size_and_nothing_else() -> None:
    async def script(stage: Stage) -> None:
        path = "apps/deployments"
        stage.create(path, deployment("d", "default", 2))
        await stage.until("ready", lambda: status(stage, path, "d").get("readyReplicas") == 2)
        containers = [{"name": "c", "image": "i:2"}]
        stage.patch(
            path, "d", {"spec": {"paused": True, "replicas": 3, "template": {"spec": {"containers": containers}}}}
        )
        await stage.until("three", lambda: status(stage, path, "d").get("readyReplicas") == 3)
        assert condition_of(stage, path, "d", "Progressing") == ("Unknown", "DeploymentPaused")
        assert len(stage.all("apps/replicasets")) == 1
        stage.patch(path, "d", {"spec": {"paused": None}})
        await stage.until("rolled out", lambda: condition_of(stage, path, "d", "Progressing")[1] == "NewReplicaSetAvailable"
                          and status(stage, path, "d").get("updatedReplicas") == 3)  # fmt: skip
        assert {pod["spec"]["containers"][0]["image"] for pod in stage.pods()} == {"i:2"}

    play(script)


@pytest.mark.parametrize("path", ["apps/statefulsets", "apps/daemonsets"])
def test_templates_are_kept_as_revisions(path: str) -> None:
    async def script(stage: Stage) -> None:
        spec: dict[str, Any] = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
        spec |= {"serviceName": "x", "replicas": 1} if path.endswith("statefulsets") else {}
        stage.create(path, {"metadata": {"name": "x"}, "spec": spec})

        def numbers() -> dict[str, int]:
            found = stage.all("apps/controllerrevisions")
            return {
                each["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: each["revision"] for each in found
            }

        await stage.until("one revision", lambda: numbers() == {"i:1": 1})
        for image, expected in (("i:2", {"i:1": 1, "i:2": 2}), ("i:1", {"i:1": 3, "i:2": 2})):
            containers = [{"name": "c", "image": image}]
            stage.patch(path, "x", {"spec": {"template": {"spec": {"containers": containers}}}})
            await stage.until("its revision", lambda expected=expected: numbers() == expected)  # type: ignore[misc]

    play(script)


def test_ordinals_start_where_they_are_told_to() -> None:
    async def script(stage: Stage) -> None:
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE, "serviceName": "x", "replicas": 2}
        stage.create("apps/statefulsets", {"metadata": {"name": "x"}, "spec": spec | {"ordinals": {"start": 3}}})
        await stage.until("ready", lambda: status(stage, "apps/statefulsets", "x").get("readyReplicas") == 2)
        assert {pod["metadata"]["name"] for pod in stage.pods()} == {"x-3", "x-4"}

    play(script)


def test_a_namespace_that_allows_no_such_pods_holds_a_replica_set_until_it_does() -> None:
    async def script(stage: Stage) -> None:
        level = "pod-security.kubernetes.io/enforce"
        stage.patch("namespaces", "default", {"metadata": {"labels": {level: "restricted"}}})
        spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
        stage.create("apps/replicasets", {"metadata": {"name": "r"}, "spec": spec})

        def failures() -> set[str]:
            return {event["message"] for event in stage.all("events") if event["reason"] == "FailedCreate"}

        await stage.until("told of each try", lambda: len(failures()) > 1)
        assert all('is forbidden: violates PodSecurity "restricted:latest": ' in message for message in failures())
        assert condition_of(stage, "apps/replicasets", "r", "ReplicaFailure") == ("True", "FailedCreate")
        stage.patch("namespaces", "default", {"metadata": {"labels": {level: "baseline"}}})
        await stage.until("pods", lambda: status(stage, "apps/replicasets", "r").get("readyReplicas") == 2)
        assert condition_of(stage, "apps/replicasets", "r", "ReplicaFailure") == ("", "")

    play(script)


def test_controllers_tell_of_pods_that_are_refused() -> None:
    async def script(stage: Stage) -> None:
        stage.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}})
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
        stage.create("apps/statefulsets", {"metadata": {"name": "s"}, "spec": spec | {"serviceName": "s"}})
        stage.create("apps/daemonsets", {"metadata": {"name": "d"}, "spec": spec})
        template = {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never"}}
        stage.create("batch/jobs", {"metadata": {"name": "j"}, "spec": {"template": template}})

        def told() -> set[str]:
            found = [event for event in stage.all("events") if event["reason"] == "FailedCreate"]
            return {event["involvedObject"]["kind"] for event in found}

        await stage.until("all three", lambda: told() == {"StatefulSet", "DaemonSet", "Job"})
        messages = {
            event["message"] for event in stage.all("events") if event["involvedObject"]["kind"] == "StatefulSet"
        }
        why = 'pods "s-0" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'
        assert messages == {f"create Pod s-0 in StatefulSet s failed error: {why}"}
        stage.patch("resourcequotas", "q", {"spec": {"hard": {"pods": "9"}}})
        await stage.until("pods of all", lambda: len(stage.pods()) >= 5)

    play(script)


def test_what_every_namespace_has_comes_back() -> None:
    async def script(stage: Stage) -> None:
        def uids() -> list[str]:
            found = (stage.get("serviceaccounts", "default"), stage.get("configmaps", "kube-root-ca.crt"))
            return [each["metadata"]["uid"] for each in found if each is not None]

        await stage.until("both", lambda: len(uids()) == 2)
        before = set(uids())
        stage.delete("serviceaccounts", "default")
        stage.delete("configmaps", "kube-root-ca.crt")
        await stage.until("others", lambda: len(uids()) == 2 and before.isdisjoint(uids()))

    play(script)


def set_with(**spec: Any) -> dict[str, Any]:
    base = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE, "serviceName": "s", "replicas": 2}
    return {"metadata": {"name": "s"}, "spec": base | spec}


def images(stage: Stage) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in stage.pods()}


def test_below_the_partition_pods_keep_the_template_before() -> None:
    async def script(stage: Stage) -> None:
        stage.create("apps/statefulsets", set_with(updateStrategy={"rollingUpdate": {"partition": 1}}))

        def is_ready() -> bool:
            return bool(status(stage, "apps/statefulsets", "s").get("readyReplicas") == 2)

        await stage.until("ready", is_ready)
        containers = [{"name": "c", "image": "i:2"}]
        stage.patch("apps/statefulsets", "s", {"spec": {"template": {"spec": {"containers": containers}}}})
        await stage.until("the second is new", lambda: images(stage) == {"s-0": "i:1", "s-1": "i:2"} and is_ready())
        uid = (stage.get("pods", "s-0") or {})["metadata"]["uid"]
        stage.delete("pods", "s-0")
        await stage.until(
            "another first",
            lambda: uid not in {pod["metadata"]["uid"] for pod in stage.all("pods")} and len(images(stage)) == 2,
        )
        assert images(stage) == {"s-0": "i:1", "s-1": "i:2"}

    play(script)


def test_claims_go_with_their_set_when_they_are_not_to_be_kept() -> None:
    async def script(stage: Stage) -> None:
        stage.create("storage.k8s.io/storageclasses", {
            "metadata": {"name": "disk", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "example.com/disk"})  # fmt: skip
        asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        gone = {"whenDeleted": "Delete", "whenScaled": "Delete"}
        claims = [{"metadata": {"name": "data"}, "spec": asked}]
        stage.create(
            "apps/statefulsets", set_with(volumeClaimTemplates=claims, persistentVolumeClaimRetentionPolicy=gone)
        )
        await stage.until("ready", lambda: status(stage, "apps/statefulsets", "s").get("readyReplicas") == 2)
        stage.patch("apps/statefulsets", "s", {"spec": {"replicas": 1}})
        await stage.until("one claim", lambda: len(stage.all("persistentvolumeclaims")) == 1)
        stage.delete("apps/statefulsets", "s", propagation="Background")
        await stage.until("none", lambda: not stage.all("persistentvolumeclaims"))

    play(script)


def test_a_replication_controller_has_its_pods() -> None:
    async def script(stage: Stage) -> None:
        spec = {"replicas": 2, "selector": {"a": "b"}, "template": TEMPLATE}
        stage.create("replicationcontrollers", {"metadata": {"name": "rc"}, "spec": spec})
        await stage.until("ready", lambda: status(stage, "replicationcontrollers", "rc").get("readyReplicas") == 2)
        stage.patch("replicationcontrollers", "rc", {"spec": {"replicas": 0}})
        await stage.until("none", lambda: not stage.all("pods"))

    play(script)
