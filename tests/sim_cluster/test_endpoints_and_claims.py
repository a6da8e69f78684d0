"""EndpointSlices follow pods; claims and volumes find each other."""

from typing import Any

from projects.sim_cluster.api.store import Change
from tests.sim_cluster.talk import deployment
from tests.sim_cluster.test_workloads import Stage, play, status

_CLAIM = "persistentvolumeclaims"


def service(ports: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": ports, **spec}}


def member(name: str, port: int) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": port}]}
    return {"metadata": {"name": name, "labels": {"a": "b"}}, "spec": {"containers": [container]}}


def endpoints(stage: Stage) -> dict[str, list[tuple[int, bool]]]:
    """Return for each pod behind the service its ports, and whether it is ready."""
    found: dict[str, list[tuple[int, bool]]] = {}
    for each in stage.all("discovery.k8s.io/endpointslices"):
        for endpoint in each.get("endpoints") or ():
            entries = [(port["port"], endpoint["conditions"]["ready"]) for port in each["ports"]]
            found.setdefault(endpoint["targetRef"]["name"], []).extend(entries)
    return found


def test_slices_hold_the_pods_of_a_service_by_their_ports() -> None:
    async def script(stage: Stage) -> None:
        stage.create("services", service([{"name": "web", "port": 80, "targetPort": "http"}]))
        await stage.until("an empty slice", lambda: stage.all("discovery.k8s.io/endpointslices"))
        assert endpoints(stage) == {}
        stage.create("pods", member("one", 8080))
        stage.create("pods", member("two", 9090))
        both = {"one": [(8080, True)], "two": [(9090, True)]}
        await stage.until("both", lambda: endpoints(stage) == both)
        stage.patch("pods", "two", {"metadata": {"labels": {"a": "c"}}})
        await stage.until("one", lambda: endpoints(stage) == {"one": [(8080, True)]})
        stage.delete("services", "s")
        await stage.until("none", lambda: not stage.all("discovery.k8s.io/endpointslices"))

    play(script)


def test_a_pod_that_leaves_is_not_ready_and_then_not_there() -> None:
    async def script(stage: Stage) -> None:
        stage.create("services", service([{"port": 80}]))
        stage.create("pods", member("one", 80))
        await stage.until("ready", lambda: endpoints(stage) == {"one": [(80, True)]})
        seen: list[dict[str, list[tuple[int, bool]]]] = []

        def note(_change: Change) -> None:
            seen.append(endpoints(stage))

        stage.cluster.api.store.listeners.append(note)
        stage.delete("pods", "one")
        await stage.until("gone", lambda: endpoints(stage) == {})
        assert {"one": [(80, False)]} in seen

    play(script)


def test_many_pods_stand_in_slices_of_a_hundred() -> None:
    async def script(stage: Stage) -> None:
        stage.create("services", service([{"port": 80}]))
        names = [f"p{number}" for number in range(120)]
        for name in names:
            stage.create("pods", member(name, 80))
        await stage.until("all", lambda: endpoints(stage) == {name: [(80, True)] for name in names})
        for name in names[:30]:
            stage.delete("pods", name)
        await stage.until("the others", lambda: endpoints(stage) == {name: [(80, True)] for name in names[30:]})
        await stage.until("one slice", lambda: len(stage.all("discovery.k8s.io/endpointslices")) == 1)

    play(script, speed=60)


def claim(name: str, size: str, **spec: Any) -> dict[str, Any]:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    return {"metadata": {"name": name}, "spec": {"storageClassName": "", **asked}}


def volume(name: str, size: str, **spec: Any) -> dict[str, Any]:
    offered = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}, **spec}
    return {"metadata": {"name": name}, "spec": offered}


def test_a_claim_of_no_class_gets_the_smallest_volume_that_fits() -> None:
    async def script(stage: Stage) -> None:
        stage.create(_CLAIM, claim("c", "2Gi"))
        told = "no persistent volumes available for this claim and no storage class is set"
        await stage.until("said", lambda: any(event["message"] == told for event in stage.all("events")))
        for name, size in (("small", "1Gi"), ("large", "9Gi")):
            stage.create("persistentvolumes", volume(name, size))
        await stage.until("bound", lambda: status(stage, _CLAIM, "c").get("phase") == "Bound")
        bound = stage.get(_CLAIM, "c") or {}
        assert bound["spec"]["volumeName"] == "large"
        assert bound["status"]["capacity"] == {"storage": "9Gi"}
        assert bound["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        assert status(stage, "persistentvolumes", "small")["phase"] == "Available"
        stage.delete(_CLAIM, "c")
        await stage.until("released", lambda: status(stage, "persistentvolumes", "large")["phase"] == "Released")

    play(script)


def test_a_volume_is_not_given_twice() -> None:
    async def script(stage: Stage) -> None:
        stage.create("persistentvolumes", volume("v", "1Gi"))
        stage.create(_CLAIM, claim("c", "1Gi"))
        await stage.until("bound", lambda: status(stage, _CLAIM, "c").get("phase") == "Bound")
        stage.create(_CLAIM, claim("d", "1Gi", volumeName="v"))
        told = 'volume "v" already bound to a different claim.'
        await stage.until("said", lambda: any(event["message"] == told for event in stage.all("events")))
        assert status(stage, _CLAIM, "d")["phase"] == "Pending"

    play(script)


def storage_class(name: str, mode: str, *, default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "example.com/disk",
        "volumeBindingMode": mode,
    }


def user_of(name: str, claimed: str) -> dict[str, Any]:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claimed}}]
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}}


def said(stage: Stage, reason: str) -> set[str]:
    return {event["message"] for event in stage.all("events") if event["reason"] == reason}


def bound(stage: Stage, name: str) -> bool:
    return bool((stage.get(_CLAIM, name) or {"status": {}})["status"].get("phase") == "Bound")


def test_a_claim_of_the_default_class_is_provisioned_and_reclaimed() -> None:
    async def script(stage: Stage) -> None:
        stage.create("storage.k8s.io/storageclasses", storage_class("now", "Immediate", default=True))
        asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        stage.create(_CLAIM, {"metadata": {"name": "c"}, "spec": asked})
        await stage.until("bound", lambda: bound(stage, "c"))
        volume = stage.all("persistentvolumes")[0]
        assert volume["spec"]["csi"]["driver"] == "example.com/disk"
        assert volume["spec"]["storageClassName"] == "now"
        stage.delete(_CLAIM, "c")
        await stage.until("no volume", lambda: not stage.all("persistentvolumes"))

    play(script)


def test_a_claim_waits_for_its_first_consumer_and_the_pod_for_its_claim() -> None:
    async def script(stage: Stage) -> None:
        stage.create("storage.k8s.io/storageclasses", storage_class("late", "WaitForFirstConsumer"))
        stage.create(_CLAIM, claim("c", "1Gi", storageClassName="late"))
        await stage.until("told", lambda: said(stage, "WaitForFirstConsumer"))
        stage.create("pods", user_of("p", "c"))
        await stage.until("running", lambda: (stage.get("pods", "p") or {})["status"].get("phase") == "Running")
        found = stage.get(_CLAIM, "c")
        assert found is not None
        pod = stage.get("pods", "p")
        assert pod is not None
        assert found["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == pod["spec"]["nodeName"]

    play(script)


def test_pods_say_what_is_wrong_with_their_claims() -> None:
    async def script(stage: Stage) -> None:
        stage.create(_CLAIM, claim("nowhere", "1Gi", storageClassName="none"))
        stage.create("pods", user_of("unbound", "nowhere"))
        stage.create("pods", user_of("missing", "none"))
        unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
        missing = '0/3 nodes are available: persistentvolumeclaim "none" not found. not found'
        await stage.until("both told", lambda: said(stage, "FailedScheduling") == {unbound, missing})
        await stage.until(
            "why", lambda: said(stage, "ProvisioningFailed") == {'storageclass.storage.k8s.io "none" not found'}
        )

    play(script)


def test_endpoints_follow_pods_and_go_with_their_service() -> None:
    async def script(stage: Stage) -> None:
        stage.create(
            "services", {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
        )
        stage.create("apps/deployments", deployment("web", "default", 2))

        def addresses() -> int:
            found = stage.get("endpoints", "web") or {}
            return sum(len(each.get("addresses") or ()) for each in found.get("subsets") or ())

        await stage.until("both", lambda: addresses() == 2)
        found = stage.get("endpoints", "web")
        assert found is not None
        assert found["subsets"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
        assert found["subsets"][0]["addresses"][0]["targetRef"]["kind"] == "Pod"
        stage.delete("services", "web")
        await stage.until("gone", lambda: stage.get("endpoints", "web") is None)

    play(script)
