"""`foresail.core.delete`: delete objects and wait until they are gone."""

from __future__ import annotations

from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import temporaries
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    ForesailAction,
    Result,
    target_of,
)
from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.documents import difference
from projects.core.cluster.waiting import wait_for
from projects.core.values.errors import UsageError


class ActionModule(ForesailAction):
    """Delete one object, or those of a selector."""

    NAME = "delete"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Delete them, then wait for those very objects: one made anew under the same name does not count."""
        target = target_of(arguments)
        if not (target.name or target.labels or target.fields):
            raise UsageError("foresail.core.delete needs a name or a selector: it does not delete all of a kind")
        self.involve("delete", target)
        cluster = self.cluster
        deleted = [gone for each in _meant(cluster, target) if (gone := self._delete(cluster, each, arguments))]
        if arguments["wait"] and deleted and not self.checking:
            names = frozenset(each["metadata"]["name"] for each in deleted)
            condition = Condition("absent", names=names, uids=frozenset(each["metadata"]["uid"] for each in deleted))
            clock = cluster.session.clock
            deadline = clock.now() + arguments["timeout"]
            for collection in {_collection_of(cluster, target, each) for each in deleted}:
                wait_for(cluster, collection, condition, max(0.1, deadline - clock.now()))
        if target.name and not self.checking:
            temporaries.take_off(cluster, target)
        return {
            "changed": bool(deleted),
            "deleted": [each["metadata"]["name"] for each in deleted],
            "diff": [difference(each, None, str(target)) for each in deleted],
        }

    def _delete(self, cluster: Cluster, target: Target, arguments: dict[str, Any]) -> Object | None:
        return cluster.delete(
            target,
            propagation=arguments["propagation"],
            grace_seconds=arguments["grace_seconds"],
            dry_run=self.checking,
        )


def _meant(cluster: Cluster, target: Target) -> list[Target]:
    if target.name:
        return [target]
    return [
        Target(target.kind, target.api_version, each["metadata"]["name"], each["metadata"].get("namespace"))
        for each in cluster.objects(target)
    ]


def _collection_of(cluster: Cluster, target: Target, deleted: Object) -> Target:
    if target.name:
        return cluster.located(target)
    return Target(target.kind, target.api_version, None, deleted["metadata"].get("namespace"))
