"""Waiting for objects, with an error that says what was still missing. Called by the action plugins."""

from __future__ import annotations

from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.conditions import Condition, Verdict
from projects.core.cluster.readiness import is_ready, standing
from projects.core.cluster.watching import Follower
from projects.core.values.errors import ClusterError, ForesailError, TimedOut

_OWNERS_OF_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
_SHOWN = 5


def wait_for(
    cluster: Cluster, target: Target, condition: Condition, timeout: float, *, await_kind: bool = False
) -> list[Object]:
    """Wait until the objects of a target are as a condition says.

    Args:
      cluster: Where they are.
      target: Which ones.
      condition: What they have to be.
      timeout: Seconds that this may take.
      await_kind: Whether the kind may be missing at first, because an operator brings it.

    Returns:
      The objects.

    Raises:
      TimedOut: it took longer; the message says what was still missing, with the last status of each object.
      NotFound: the server does not serve the kind.
      ClusterError: an object failed for good.
    """
    clock = cluster.session.clock
    began = clock.now()
    follower = Follower(cluster, target, began + timeout, await_kind=await_kind)
    if condition.until == "absent" and not cluster.session.discovery.serves(target.kind, target.api_version):
        return []
    verdict = Verdict(done=False, lacking="the API server has not answered yet")
    for objects in follower.states():
        verdict = condition.judge(objects)
        if verdict.done:
            return condition.of_interest(objects)
        if verdict.failed:
            waited = f"after {clock.now() - began:.0f} s"
            raise ClusterError(f"gave up waiting for {target} {condition} {waited}: {verdict.failed}")
    because = _pods_behind(cluster, list(follower.objects.values()))
    raise TimedOut(f"timed out after {timeout:g} s waiting for {target} {condition}: {verdict.lacking}{because}")


def _pods_behind(cluster: Cluster, objects: list[Object]) -> str:
    """Return what the pods of an unready workload say; a Deployment itself does not tell why."""
    found: list[str] = []
    for each in objects:
        selector = ((each.get("spec") or {}).get("selector") or {}).get("matchLabels")
        if each.get("kind") not in _OWNERS_OF_PODS or is_ready(each) or not selector:
            continue
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        try:
            pods = cluster.objects(Target("Pod", "v1", namespace=each["metadata"].get("namespace"), labels=labels))
        except ForesailError as error:
            return f"\n  its pods cannot be listed: {error}"
        found += [f"pod {pod['metadata']['name']}: {standing(pod)}" for pod in pods if not is_ready(pod)]
    shown = found[:_SHOWN] + ([f"and {len(found) - _SHOWN} more pods"] if len(found) > _SHOWN else [])
    return "".join(f"\n  {line}" for line in shown)
