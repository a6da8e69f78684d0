"""What a Job's policies make of its pods: which failures end it, end an index or do not count; when enough have succeeded. Used by `jobs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.conditions import condition
from projects.sim_cluster.behaviours.interface import Object


@dataclass(frozen=True)
class Verdict:
    """What a rule of ``podFailurePolicy`` says of a pod that has failed; ``Count`` when none does."""

    action: str
    message: str = ""


def verdict(job: Object, pod: Object) -> Verdict:
    """Return what the first rule that matches says of a pod that has failed."""
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        if why := _why(rule, pod):
            return Verdict(rule["action"], f"{why} matching {rule['action']} rule at index {number}")
    return Verdict("Count")


def _why(rule: Object, pod: Object) -> str:
    """Return why a rule matches a pod, empty when it does not."""
    namespaced = "/".join(key_of(pod))
    codes = rule.get("onExitCodes")
    if codes is not None:
        for name, code in _exits(pod):
            meant = codes.get("containerName") in {None, name}
            if meant and (code in codes["values"]) == (codes["operator"] == "In"):
                return f"Container {name} for pod {namespaced} failed with exit code {code}"
    for wanted in rule.get("onPodConditions") or ():
        if condition(pod, wanted["type"]).get("status") == wanted.get("status", "True"):
            return f"Pod {namespaced} has condition {wanted['type']}"
    return ""


def _exits(pod: Object) -> Iterator[tuple[str, int]]:
    """Yield the containers of a pod that have failed, with their exit codes."""
    status = pod.get("status") or {}
    for each in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        end = (each.get("state") or {}).get("terminated")
        if end is not None and end.get("exitCode"):
            yield each["name"], end["exitCode"]


def numbers_of(spans: str) -> set[int]:
    """Return the numbers of a text such as ``0,2-4``."""
    found: set[int] = set()
    for span in filter(None, spans.split(",")):
        first, _, last = span.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def success_rule(job: Object, succeeded: set[int]) -> int | None:
    """Return the number of the rule of ``successPolicy`` by which a Job with these indexes done is, None when there is none."""
    for number, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        named, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        meant = succeeded if named is None else succeeded & numbers_of(named)
        if count is not None and len(meant) >= count:
            return number
        if count is None and named is not None and numbers_of(named) <= succeeded:
            return number
    return None
