"""Plays Stage documents: of the stages that fit an object one is chosen, waited for, and applied. Works on either API.

When several stages fit, one is drawn by weight; jitter is drawn too. Both follow from the cluster's seed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final

from projects.sim_cluster.behaviours.cache import Key, key_of
from projects.sim_cluster.behaviours.interface import Object, Resource
from projects.sim_cluster.behaviours.resources import NODES, PODS
from projects.sim_cluster.behaviours.stages.documents import Delay, Requirement, Stage, scalar
from projects.sim_cluster.behaviours.stages.functions import functions_for
from projects.sim_cluster.behaviours.stages.patching import patch_of
from projects.sim_cluster.behaviours.stages.queries import Query
from projects.sim_cluster.behaviours.unit import Behaviour, World

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def stage_behaviours(stages: Iterable[Stage]) -> list[Behaviour]:
    """Return the behaviours that play some stages, one for each resource that they are about."""
    by_resource: dict[Resource, list[Stage]] = {}
    for stage in stages:
        by_resource.setdefault(stage.resource, []).append(stage)
    return [_Player(resource, found).behaviour() for resource, found in sorted(by_resource.items())]


@dataclass(frozen=True)
class _Plan:
    """A stage that an object will enter; `version` is that of the object when it was looked at."""

    uid: str
    version: str
    stage: Stage | None
    due: float = 0.0


class _Player:
    """Plays the stages of one resource."""

    def __init__(self, resource: Resource, stages: list[Stage]) -> None:
        self._resource, self._stages = resource, stages
        self._plans: dict[Key, _Plan] = {}
        self._draws: dict[Key, int] = {}
        self._addresses: dict[str, str] = {}
        self._numbers = itertools.count(2)

    def behaviour(self) -> Behaviour:
        """Return the behaviour."""
        name = f"stages of {self._resource.name}"
        return Behaviour(name, self._resource, self.play, "kwok", reads=(NODES,), component="kwok")

    async def play(self, world: World, obj: Object) -> float | None:
        """Take an object to its next stage when that is due; a pod has none before it has a node."""
        if self._resource == PODS and not obj["spec"].get("nodeName"):
            return None
        key, metadata = key_of(obj), obj["metadata"]
        plan = self._plans.get(key)
        if plan is None or (plan.uid, plan.version) != (metadata["uid"], metadata["resourceVersion"]):
            plan = self._plans[key] = self._plan(world, obj, plan)
        if plan.stage is None:
            return None
        if (left := plan.due - world.now) > 0:
            return left
        self._plans[key] = _Plan(metadata["uid"], metadata["resourceVersion"], None)
        await self._enter(world, obj, plan.stage)
        return 0.0 if plan.stage.at_once else None

    def _plan(self, world: World, obj: Object, before: _Plan | None) -> _Plan:
        """Choose the next stage; one that was waited for already is not waited for anew."""
        metadata = obj["metadata"]
        fitting = [stage for stage in self._stages if fits(stage, obj)]
        chance = self._chance(world, obj)
        stage = _drawn(fitting, obj, chance)
        if stage is None:
            return _Plan(metadata["uid"], metadata["resourceVersion"], None)
        due = world.now + _seconds(stage.delay, obj, world.now, chance)
        if before is not None and before.uid == metadata["uid"] and before.stage in fitting:
            stage, due = before.stage, before.due
        return _Plan(metadata["uid"], metadata["resourceVersion"], stage, due)

    def _chance(self, world: World, obj: Object) -> Random:
        key = key_of(obj)
        number = self._draws[key] = self._draws.get(key, 0) + 1
        return Random(f"{world.settings.seed}/{'/'.join(key)}/{number}")  # noqa: S311 - chance by a seed, not a secret

    async def _enter(self, world: World, obj: Object, stage: Stage) -> None:
        if stage.event:
            kind, reason = stage.event.get("type", "Normal"), stage.event.get("reason", "")
            world.tell(obj, reason, stage.event.get("message", ""), type=kind)
        if (finalizers := _finalizers(stage, obj)) is not None:
            obj = await world.patch(stage.resource, obj, {"metadata": {"finalizers": finalizers}})
        functions = functions_for(world, obj, self._address)
        for change in stage.changes:
            if patch := patch_of(change, obj, functions, stage.name):
                obj = await world.patch(stage.resource, obj, patch, change.subresource)
        if stage.deletes:
            await world.delete(stage.resource, obj, grace_seconds=0)

    def _address(self, uid: str) -> str:
        if uid not in self._addresses:
            number = next(self._numbers)
            self._addresses[uid] = f"10.0.{number // 256 % 256}.{number % 256}"
        return self._addresses[uid]


def fits(stage: Stage, obj: Object) -> bool:
    """Return whether the selector of a stage matches an object."""
    metadata = obj["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    return (
        stage.labels.items() <= labels.items()
        and stage.annotations.items() <= annotations.items()
        and all(_meets(each, obj) for each in stage.requirements)
    )


def _meets(requirement: Requirement, obj: Object) -> bool:
    found = [scalar(value) for value in requirement.find(obj)]
    if requirement.operator in {"Exists", "DoesNotExist"}:
        return bool(found) == (requirement.operator == "Exists")
    return any(value in requirement.values for value in found) == (requirement.operator == "In")


def _drawn(fitting: list[Stage], obj: Object, chance: Random) -> Stage | None:
    if not fitting:
        return None
    weights = [_weight(stage, obj) for stage in fitting]
    return chance.choices(fitting, weights if any(weights) else None)[0]


def _weight(stage: Stage, obj: Object) -> int:
    found = stage.weight_from(obj) if stage.weight_from else []
    return int(found[0]) if found else stage.weight


def _seconds(delay: Delay, obj: Object, now: float, chance: Random) -> float:
    least = _said(delay.seconds_from, obj, now, delay.seconds)
    most = _said(delay.jitter_from, obj, now, delay.jitter)
    assert least is not None
    return least if most is None or most <= least else chance.uniform(least, most)


def _said(find: Query | None, obj: Object, now: float, otherwise: float | None) -> float | None:
    """Return how many seconds an object says, as a duration or as a time; or what is said otherwise."""
    found = find(obj) if find else []
    if not found:
        return otherwise
    return _duration(found[0], now)


def _duration(value: Any, now: float) -> float:
    text = str(value)
    if spans := _SPAN.findall(text):
        return sum(float(number) * _UNITS[unit] for number, unit in spans)
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - now)
    except ValueError:
        return 0.0


def _finalizers(stage: Stage, obj: Object) -> list[str] | None:
    """Return the finalizers of an object after a stage; None when they stay as they are."""
    known = obj["metadata"].get("finalizers") or []
    wanted = [] if stage.finalizers.empty else [each for each in known if each not in stage.finalizers.remove]
    wanted += [each for each in stage.finalizers.add if each not in wanted]
    return None if wanted == known else wanted
