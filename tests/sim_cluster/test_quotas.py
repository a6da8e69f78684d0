"""ResourceQuota, LimitRange and quantities on both APIs: who is refused, in which words, and what is counted."""

from typing import Any

import pytest

from tests.sim_cluster.comparing import MAPS, PODS, Both
from tests.sim_cluster.talk import MERGE, Answer, Client, config_map

pytestmark = pytest.mark.envtest
QUOTAS = "/api/v1/namespaces/NS/resourcequotas"
LIMITS = "/api/v1/namespaces/NS/limitranges"
CLAIMS = "/api/v1/namespaces/NS/persistentvolumeclaims"


def pod(name: str, **resources: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": resources}
    return {"metadata": {"name": name}, "spec": {"schedulerName": "nobody", "containers": [container]}}


def quota(name: str, hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"hard": hard, **spec}}


def until_used(api: Client, namespace: str, name: str, used: dict[str, str]) -> dict[str, Any]:
    """Wait until a quota counts what is wanted; return its status."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/{name}"
    found = api.until(path, lambda obj: used.items() <= obj.get("status", {}).get("used", {}).items())
    status: dict[str, Any] = found["status"]
    return status


def until_controllers_see(api: Client, namespace: str) -> None:
    """Wait until controllers know the ConfigMaps of a namespace: the real one counts those that its cache holds, and none that come to it later.

    What every namespace has comes back after the cache has seen it go, and all that was there before.
    """
    path = f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt"
    before = api.get(path)["metadata"]["uid"]
    api.ask("DELETE", path)
    api.until(path, lambda found: found["metadata"]["uid"] != before)


def _is_limited(answer: Answer) -> bool:
    return bool(answer.body["spec"]["containers"][0]["resources"])


def _is_counted(answer: Answer) -> bool:
    return "must specify" in answer.text


def test_limits_of_a_namespace(both: Both) -> None:
    limits = [
        {"type": "Container", "default": {"cpu": "200m"}, "defaultRequest": {"cpu": "100m"}, "max": {"cpu": "1"}, "min": {"cpu": "0.05"}},
        {"type": "PersistentVolumeClaim", "max": {"storage": "1024Mi"}},
    ]  # fmt: skip
    both([("POST", LIMITS, {"metadata": {"name": "l"}, "spec": {"limits": limits}})])
    for api in both.apis:  # admission reads from a cache that follows
        api.try_creating(PODS.replace("NS", both.namespace), pod("seen"), _is_limited)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    both([
        ("POST", PODS, pod("defaulted")),
        ("POST", PODS, pod("big", limits={"cpu": "2"})),
        ("POST", PODS, pod("small", requests={"cpu": "10m"})),
        ("POST", PODS, pod("both", requests={"cpu": "0.01"}, limits={"cpu": "3000m"})),
        ("POST", CLAIMS, {"metadata": {"name": "v"}, "spec": claim}),
    ])  # fmt: skip


def test_quotas(both: Both) -> None:
    both([("POST", MAPS, config_map("before"))])
    for api in both.apis:
        until_controllers_see(api, both.namespace)
    hard = {"pods": "2", "requests.cpu": "0.5", "count/configmaps": "3", "requests.memory": "1024Mi"}
    both([("POST", QUOTAS, quota("q", hard))])
    counted = {"pods": "0", "count/configmaps": "2"}
    assert until_used(both.apis[0], both.namespace, "q", counted) == until_used(
        both.apis[1], both.namespace, "q", counted
    )
    for (
        api
    ) in both.apis:  # admission reads from a cache that follows, and remembers for a while that there was no quota
        api.try_creating(PODS.replace("NS", both.namespace), pod("unstated"), _is_counted)
    stated = {"cpu": "300m", "memory": "128Mi"}
    both([
        ("POST", PODS, pod("first", requests=stated)),
        ("POST", PODS, pod("second", requests=stated)),
        ("POST", PODS, pod("unstated")),
        ("POST", PODS + "?dryRun=All", pod("dry", requests={"cpu": "1", "memory": "2Gi"})),
        ("POST", MAPS, config_map("three")),
        ("POST", MAPS, config_map("four")),
    ])  # fmt: skip
    counted = {"pods": "1", "count/configmaps": "3"}
    assert until_used(both.apis[0], both.namespace, "q", counted) == until_used(
        both.apis[1], both.namespace, "q", counted
    )
    both([("DELETE", f"{MAPS}/three"), ("DELETE", f"{PODS}/first?gracePeriodSeconds=0")])
    counted = {"pods": "0", "count/configmaps": "2"}
    assert until_used(both.apis[0], both.namespace, "q", counted) == until_used(
        both.apis[1], both.namespace, "q", counted
    )
    for api in both.apis:
        api.merge(
            f"/api/v1/namespaces/{both.namespace}/resourcequotas/q", {"spec": {"hard": {"count/configmaps": "1"}}}
        )
        until_used(api, both.namespace, "q", {"count/configmaps": "2"})
    both([("PATCH", f"{QUOTAS}/q", {"metadata": {"labels": {"a": "b c"}}}, MERGE)])


def test_quantities_are_stored_in_their_canonical_form(both: Both) -> None:
    texts = [
        "0.5",
        "1000m",
        "1024Mi",
        "1.5Gi",
        "1e3",
        "12E2",
        "1000",
        "1200",
        "100Ki",
        "0",
        "1500m",
        "0.1Mi",
        "1000Ki",
        "2",
        "123456k",
        ".5",
    ]
    for number, text in enumerate(texts):
        limit = {"type": "Pod", "max": {"memory": text}}
        both([("POST", LIMITS, {"metadata": {"name": f"l{number}"}, "spec": {"limits": [limit]}})])
    both([("POST", PODS, pod("wrong", requests={"cpu": "1 core"}))])
