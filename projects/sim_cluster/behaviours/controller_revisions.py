"""ControllerRevisions: the templates that a DaemonSet or a StatefulSet has had, which ``kubectl rollout history`` and ``undo`` read."""

from __future__ import annotations

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.pods import template_hash
from projects.sim_cluster.behaviours.resources import CONTROLLER_REVISIONS
from projects.sim_cluster.behaviours.unit import World, owner_reference


async def keep_revisions(world: World, owner: Object, hash_label: str, in_use: set[str]) -> None:
    """Have a revision for the template of a workload, numbered after all others; forget old ones that no pod has.

    Args:
      world: What the behaviour has at hand; it must read ControllerRevisions.
      owner: The workload.
      hash_label: The label under which its revisions hold their hash.
      in_use: The hashes of the pods that are there.
    """
    known = sorted(world.cache(CONTROLLER_REVISIONS).owned_by(owner), key=_number)
    wanted = template_hash(owner["spec"]["template"])
    current = next((each for each in known if each["metadata"]["labels"].get(hash_label) == wanted), None)
    others = [each for each in known if each is not current]
    number = max(map(_number, others), default=0) + 1
    if current is None:
        await world.ensure(CONTROLLER_REVISIONS, _revision(owner, hash_label, wanted, number))
    elif others and _number(current) < number:
        await world.patch(CONTROLLER_REVISIONS, current, {"revision": number})
    idle = [each for each in others if each["metadata"]["labels"].get(hash_label) not in in_use]
    for each in idle[: max(0, len(idle) - owner["spec"].get("revisionHistoryLimit", 10))]:
        await world.delete(CONTROLLER_REVISIONS, each)


def _number(revision: Object) -> int:
    return int(revision.get("revision", 0))


def _revision(owner: Object, hash_label: str, digest: str, number: int) -> Object:
    metadata, template = owner["metadata"], owner["spec"]["template"]
    labels = ((template.get("metadata") or {}).get("labels") or {}) | {hash_label: digest}
    named = {
        "name": f"{metadata['name']}-{digest}", "namespace": metadata["namespace"], "labels": labels,
        "annotations": metadata.get("annotations") or {}, "ownerReferences": [owner_reference(owner)],
    }  # fmt: skip
    data = {"spec": {"template": {"$patch": "replace", **template}}}
    made = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": named, "data": data}
    return made | {"revision": number}
