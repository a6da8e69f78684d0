"""What an update may not change in kinds that have nothing else to check, each in the server's words. Read by `validation`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown

Rule = Callable[[Object, Object], Iterator[Cause]]


def _forbidden(field: str, message: str) -> Rule:
    def check(before: Object, after: Object) -> Iterator[Cause]:
        if before.get(field) != after.get(field):
            yield forbidden_change(field, message)

    return check


def _fixed(field: str) -> Rule:
    def check(before: Object, after: Object) -> Iterator[Cause]:
        if before.get(field) != after.get(field):
            yield invalid_value(field, shown(after.get(field)), "field is immutable")

    return check


def _role_ref(before: Object, after: Object) -> Iterator[Cause]:
    new: dict[str, Any] = after.get("roleRef") or {}
    if before.get("roleRef") != new:
        said = {"APIGroup": new.get("apiGroup", ""), "Kind": new.get("kind", ""), "Name": new.get("name", "")}
        yield invalid_value("roleRef", shown(said), "cannot change roleRef")


def _cluster_ip(before: Object, after: Object) -> Iterator[Cause]:
    old, new = before.get("spec") or {}, after.get("spec") or {}
    stays = "ExternalName" not in {old.get("type"), new.get("type")}
    if stays and old.get("clusterIP") and old["clusterIP"] != new.get("clusterIP"):
        yield invalid_value("spec.clusterIPs[0]", shown(new.get("clusterIPs")), "may not change once set")


def _all(*rules: Rule) -> Rule:
    return lambda before, after: (cause for rule in rules for cause in rule(before, after))


IMMUTABLE: Final[dict[tuple[str, str], Rule]] = {
    ("", "Secret"): _fixed("type"),
    ("", "Service"): _cluster_ip,
    ("scheduling.k8s.io", "PriorityClass"): _all(
        _forbidden("value", "may not be changed in an update."), _fixed("preemptionPolicy")
    ),
    ("storage.k8s.io", "StorageClass"): _all(
        _forbidden("parameters", "updates to parameters are forbidden."),
        _forbidden("provisioner", "updates to provisioner are forbidden."),
        _forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."),
        _fixed("volumeBindingMode"),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): _role_ref,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _role_ref,
}
