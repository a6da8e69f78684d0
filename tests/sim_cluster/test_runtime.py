"""How behaviours are made to run: on several objects at once, on each one by one."""

import asyncio
from collections import Counter

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.behaviours.cache import key_of
from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import CONFIG_MAPS, NAMESPACES
from projects.sim_cluster.behaviours.runtime import Runtime
from projects.sim_cluster.behaviours.settings import Settings
from projects.sim_cluster.behaviours.unit import Behaviour, World
from projects.sim_cluster.clock import RunningClock
from projects.sim_cluster.in_process import InProcessCluster
from tests.sim_cluster.talk import config_map

OBJECTS, ROUNDS, AT_ONCE = 12, 5, 4


class Busy:
    """A behaviour that counts in each object how often it has acted on it, and takes its time for it."""

    def __init__(self) -> None:
        self.now: Counter[tuple[str, str]] = Counter()
        self.most = 0
        self.done = asyncio.Event()

    async def act(self, world: World, obj: Object) -> None:
        key, count = key_of(obj), int(obj["data"]["count"])
        self.now[key] += 1
        assert self.now[key] == 1, f"{key} is acted on twice at the same time"
        self.most = max(self.most, self.now.total())
        if count < ROUNDS:
            await world.cluster.sleep(0.01)
            await world.patch(CONFIG_MAPS, obj, {"data": {"count": str(count + 1)}})
            await world.cluster.sleep(0.01)
        self.now[key] -= 1
        if all(each["data"]["count"] == str(ROUNDS) for each in world.cache(CONFIG_MAPS)) and not self.now.total():
            self.done.set()


def play(at_once: int) -> Busy:
    async def played() -> Busy:
        clock = RunningClock(1)
        api, busy = Api(clock), Busy()
        installer = InProcessCluster(api, clock, "installer")
        await installer.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
        for number in range(OBJECTS):
            await installer.create(CONFIG_MAPS, config_map(f"m{number}", {"count": "0"}, namespace="a"))
        behaviour = Behaviour("busy", CONFIG_MAPS, busy.act)
        runtime = Runtime(lambda name: InProcessCluster(api, clock, name), [behaviour], Settings(), at_once)
        runtime.start()
        async with asyncio.timeout(90):
            await busy.done.wait()
        await runtime.stop()
        counts = {obj["data"]["count"] for obj in await installer.list(CONFIG_MAPS, "a")}
        assert counts == {str(ROUNDS)}
        return busy

    return asyncio.run(played())


def test_one_object_at_a_time() -> None:
    assert play(1).most == 1


def test_several_objects_at_once_but_never_twice_the_same() -> None:
    assert play(AT_ONCE).most == AT_ONCE
