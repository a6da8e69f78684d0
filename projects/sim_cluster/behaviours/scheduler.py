"""Puts pods on nodes: of those that fit the one that they prefer, or that has most to spare. What fits nowhere says why, as the real scheduler words it."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from projects.sim_cluster.behaviours.affinity import (
    AWAY_FROM_WANTED,
    NOBODY,
    Company,
    attraction,
    company,
    terms,
    wishes,
)
from projects.sim_cluster.behaviours.cache import Cache, Key, key_of
from projects.sim_cluster.behaviours.conditions import condition, with_conditions
from projects.sim_cluster.behaviours.demand import Amounts, demand
from projects.sim_cluster.behaviours.host_ports import host_ports
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.node_fit import Fit, Load, Refusal, judge, load_of
from projects.sim_cluster.behaviours.placement import OTHER_NODE, named_nodes
from projects.sim_cluster.behaviours.pod_volumes import claim_names, claims_are_bound, selected_node, why_claims_refuse
from projects.sim_cluster.behaviours.pods import has_ended, pod_phase
from projects.sim_cluster.behaviours.preferences import draw, points, room
from projects.sim_cluster.behaviours.resources import CLAIMS, NAMESPACES, NODES, PODS, STORAGE_CLASSES
from projects.sim_cluster.behaviours.timestamps import seconds_of
from projects.sim_cluster.behaviours.topology_spread import NOWHERE, Spread, constraints
from projects.sim_cluster.behaviours.unit import Behaviour, Chore, Wake, World

_RETRY: Final = 30.0
_SORTS: Final = 100
"""For so many different demands of pods it is kept which nodes meet them."""
_FLUSH: Final = 300.0
"""After so many seconds the real one tries again what it could not place, and says so once more."""
_NAME: Final = "default-scheduler"
_PREEMPTION: Final = "no new claims to deallocate, preemption"
_NO_HELP: Final = "Preemption is not helpful for scheduling"
_NO_VICTIMS: Final = "No preemption victims found for incoming pod"
_Verdicts = dict[str, tuple[Load, Fit | Refusal]]


class Scheduler:
    """Schedules the pods of one cluster; it remembers which of them wait, and what nodes have left.

    What it finds for a pod on a node it keeps for other pods that ask for the same, as long as the node and its pods stay as
    they are. So of a hundred nodes it has to look again only at those that have changed.
    """

    def __init__(self) -> None:
        self._waiting: dict[Key, None] = {}
        self._loads: dict[str, Load] = {}
        self._verdicts: OrderedDict[str, _Verdicts] = OrderedDict()

    def behaviour(self) -> Behaviour:
        """Return the behaviour that schedules."""
        return Behaviour(
            "scheduler",
            PODS,
            self.schedule,
            manager="kube-scheduler",
            woken_by=(Wake(NODES, self._all_waiting), Wake(PODS, self._waiting_for), Wake(CLAIMS, _users)),
            reads=(NAMESPACES, STORAGE_CLASSES),
            component=_NAME,
        )

    async def schedule(self, world: World, pod: Object) -> float | None:
        """Bind a pod that has no node, or say why it cannot be."""
        self._waiting.pop(key_of(pod), None)
        if not _is_to_be_placed(pod):
            return None
        if refused := why_claims_refuse(world, pod):
            self._waiting[key_of(pod)] = None
            await _say_why(world, pod, f"0/{len(world.cache(NODES))} nodes are available: {refused}. not found")
            return Chore(_RETRY)
        fitting, refusals = self._look(world, pod)
        if fitting:
            node = self._best(world, pod, fitting)
            if await claims_are_bound(world, pod, node):
                await _bind(world, pod, node)
            return None
        self._waiting[key_of(pod)] = None
        await _say_why(world, pod, _message(pod["spec"], refusals))
        return Chore(_RETRY)

    def _look(self, world: World, pod: Object) -> tuple[list[Fit], list[Refusal]]:
        """Return the nodes that a pod fits on, with what makes one better than another, and why the others do not do."""
        spec, pods = pod["spec"], world.cache(PODS)
        asked, named = demand(spec), named_nodes(spec)
        loads = self._current_loads(pods, world.cache(NODES))
        others = _company(world, pod, loads)
        spread = _spread(pod, loads, pods)
        known = self._known_verdicts(spec, asked)
        fitting: list[Fit] = []
        refusals: list[Refusal] = []
        for name, load in loads.items():
            if named is not None and name not in named:
                refusals.append(Refusal((OTHER_NODE,), final=True))
                continue
            before = known.get(name)
            if before is None or before[0] is not load:
                before = known[name] = (load, judge(spec, asked, load))
            verdict = before[1]
            if isinstance(verdict, Refusal):
                refusals.append(verdict)
            elif spread is not None and (reason := spread.refusal(load.node)):
                refusals.append(Refusal((reason,), final=reason == NOWHERE))
            elif others is not NOBODY and (reason := others.refusal(load.node)):
                refusals.append(Refusal((reason,), final=reason == AWAY_FROM_WANTED))
            else:
                fitting.append(verdict)
        return fitting, refusals

    def _best(self, world: World, pod: Object, fitting: list[Fit]) -> str:
        """Return the node that a pod's claims are for, or that it prefers."""
        if (chosen := selected_node(world, pod)) in (fit.name for fit in fitting):
            return str(chosen)
        wants_company = bool(wishes(pod["spec"]))
        if not wants_company and not any(fit.reluctance or fit.inclination for fit in fitting):
            return min(fitting).name
        near = self._draws(world, pod, fitting) if wants_company else dict.fromkeys((fit.name for fit in fitting), 0)
        given = points(
            {fit.name: fit.reluctance for fit in fitting}, {fit.name: fit.inclination for fit in fitting}, near
        )
        return min(fitting, key=lambda fit: (-given[fit.name] - room(fit.share), fit.pods, fit.name)).name

    def _draws(self, world: World, pod: Object, fitting: list[Fit]) -> dict[str, int]:
        """Return how much each node draws a pod by those that are near."""
        placed = _placed(self._loads, world.cache(PODS))
        drawn = attraction(pod, placed, list(world.cache(NAMESPACES)))
        return {fit.name: draw(self._loads[fit.name].node, drawn) for fit in fitting}

    def _known_verdicts(self, spec: Object, asked: Amounts) -> _Verdicts:
        """Return what was found for pods that ask for the same as this one."""
        chosen = (spec.get(field) for field in ("nodeSelector", "affinity", "tolerations"))
        sort = json.dumps([asked, *chosen, list(host_ports(spec))])
        known = self._verdicts.setdefault(sort, {})
        self._verdicts.move_to_end(sort)
        if len(self._verdicts) > _SORTS:
            self._verdicts.popitem(last=False)
        return known

    def _current_loads(self, pods: Cache, nodes: Cache) -> dict[str, Load]:
        """Return what there is to know of each node, by name; only of those that have changed it is found out anew."""
        before, self._loads = self._loads, {}
        for node in nodes:
            name = node["metadata"]["name"]
            known, changes = before.get(name), pods.changes_on_node(name)
            if known is None or known.node is not node or known.changes != changes:
                known = load_of(pods, node, changes, known.asked if known is not None else {})
            self._loads[name] = known
        return self._loads

    def _all_waiting(self, _world: World, _node: Object) -> Iterable[Key]:
        return list(self._waiting)

    def _waiting_for(self, world: World, pod: Object) -> Iterator[Key]:
        """Wake those that wait when a pod makes room, and those that look for company when one comes."""
        if not self._waiting or not pod["spec"].get("nodeName"):
            return
        ended = world.cache(PODS).get(*key_of(pod)) is None or has_ended(pod)
        for key in list(self._waiting):
            waits = world.cache(PODS).get(*key)
            if waits is None:
                del self._waiting[key]
            elif ended or terms(waits["spec"], "podAffinity") or constraints(waits["spec"]):
                yield key


def _users(world: World, claim: Object) -> list[Key]:
    """Return the pods that use a claim and have no node."""
    namespace, name = key_of(claim)
    return [
        key_of(pod)
        for pod in world.cache(PODS).in_namespace(namespace)
        if not pod["spec"].get("nodeName") and name in claim_names(pod)
    ]


def _is_to_be_placed(pod: Object) -> bool:
    spec = pod["spec"]
    if spec.get("nodeName") or pod_phase(pod) != "Pending" or pod["metadata"].get("deletionTimestamp"):
        return False
    return spec.get("schedulerName", _NAME) == _NAME and not spec.get("schedulingGates")


def _spread(pod: Object, loads: dict[str, Load], pods: Cache) -> Spread | None:
    if not constraints(pod["spec"]):
        return None
    return Spread(pod, [load.node for load in loads.values()], pods.on_node)


def _company(world: World, pod: Object, loads: dict[str, Load]) -> Company:
    guards = [(guard, load.node) for load in loads.values() for guard in load.guards]
    if not guards and not pod["spec"].get("affinity"):
        return NOBODY
    return company(pod, _placed(loads, world.cache(PODS)), guards, list(world.cache(NAMESPACES)))


def _placed(loads: dict[str, Load], pods: Cache) -> Iterator[tuple[Object, Object]]:
    """Return the pods that have a node, with it."""
    return ((pod, load.node) for name, load in loads.items() for pod in pods.on_node(name))


async def _bind(world: World, pod: Object, node: str) -> None:
    await world.patch(PODS, pod, {"target": {"kind": "Node", "name": node}}, "binding")
    world.tell(pod, "Scheduled", f"Successfully assigned {'/'.join(key_of(pod))} to {node}", action="Binding")


def _counted(reasons: Iterable[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in Counter(reasons).items()))


def _message(spec: Object, refusals: list[Refusal]) -> str:
    if not refusals:
        return "no nodes available to schedule pods"
    nodes = f"0/{len(refusals)} nodes are available"
    listed = _counted(reason for refusal in refusals for reason in refusal.reasons)
    if spec.get("preemptionPolicy") == "Never":
        helps = "not eligible due to preemptionPolicy=Never."
    else:
        helps = f"{nodes}: {_counted(_NO_HELP if refusal.final else _NO_VICTIMS for refusal in refusals)}."
    return f"{nodes}: {listed}. {_PREEMPTION}: {helps}"


async def _say_why(world: World, pod: Object, message: str) -> None:
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastProbeTime": None,
    }
    known = condition(pod, "PodScheduled")
    news = (known.get("reason"), known.get("message")) != ("Unschedulable", message)
    if news or _is_tried_again(world.now - seconds_of(known["lastTransitionTime"])):
        world.tell(pod, "FailedScheduling", message, type="Warning", action="Scheduling")
    if not news:
        return
    if generation := pod["metadata"].get("generation"):
        unschedulable["observedGeneration"] = generation
    await world.set_status(PODS, pod, {"conditions": with_conditions(pod, world.timestamp, unschedulable)})


def _is_tried_again(age: float) -> bool:
    return age >= _FLUSH and age % _FLUSH < _RETRY
