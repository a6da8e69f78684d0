"""The clocks: one that runs, and one that jumps from event to event while everybody waits."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.cluster import waiting
from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.conditions import Condition
from projects.core.cluster.session import disconnect
from projects.core.library.backoff import pause
from projects.core.values.errors import TimedOut
from projects.sim_cluster.behaviours.interface import Resource
from projects.sim_cluster.clock import RunningClock, Timing, turn
from projects.sim_cluster.cluster import SimulatedCluster
from projects.sim_cluster.in_process import InProcessCluster
from projects.sim_cluster.jumping import JumpingClock
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions
from projects.sim_cluster.running import running_cluster
from projects.sim_cluster.visitors import ABSENT_SECONDS, IDLE_SECONDS, QUIET_SECONDS, THINKING, Visitors
from tests.sim_cluster.talk import Client


def run(script: Coroutine[Any, Any, Any]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(90):
            return await script

    return asyncio.run(limited())


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_timers_are_called_in_order_each_at_its_time(delays: list[int]) -> None:
    async def script() -> list[float]:
        clock, seen = JumpingClock(epoch=0.0), []

        async def one(delay: int) -> None:
            await clock.sleep(delay)
            seen.append(clock.now())

        await asyncio.gather(*map(one, delays))
        return seen

    assert run(script()) == sorted(map(float, delays))


def test_what_follows_from_an_event_comes_before_the_next_one() -> None:
    async def script() -> list[tuple[str, float]]:
        clock, seen, woken = JumpingClock(epoch=0.0), [], asyncio.Event()

        async def first() -> None:
            await clock.sleep(10)
            woken.set()
            seen.append(("first", clock.now()))

        async def behind() -> None:
            await woken.wait()
            await clock.sleep(5)
            seen.append(("behind", clock.now()))

        async def later() -> None:
            await clock.sleep(20)
            seen.append(("later", clock.now()))

        await asyncio.gather(later(), behind(), first())
        return seen

    assert run(script()) == [("first", 10), ("behind", 15), ("later", 20)]


def test_chores_are_done_on_the_way_but_are_no_reason_to_go() -> None:
    async def script() -> tuple[list[float], float]:
        clock, seen = JumpingClock(epoch=0.0), []

        def chore() -> None:
            seen.append(clock.now())
            clock.after(10, chore, Timing.CHORE)

        chore()
        await clock.sleep(35)
        for _ in range(200):
            await turn()
        return seen, clock.now()

    assert run(script()) == ([0, 10, 20, 30], 35)


def test_a_cancelled_timer_is_not_called_and_moves_no_time() -> None:
    async def script() -> float:
        clock = JumpingClock(epoch=0.0)
        clock.after(5, lambda: pytest.fail("called")).cancel()
        await clock.sleep(7)
        clock.after(100, lambda: None).cancel()
        return clock.now()

    assert run(script()) == 7


def test_a_timer_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def script() -> float:
        clock = JumpingClock(epoch=0.0)
        clock.after(1, lambda: 1 // 0)
        await clock.sleep(2)
        return clock.now()

    assert run(script()) == 2
    assert "ZeroDivisionError" in caplog.text


def test_events_of_one_instant_happen_together_and_clients_give_up_after_them() -> None:
    class Patient(Visitors):
        """Clients that always wait; it counts how often that had to be found out."""

        looks = 0

        def all_wait(self, ahead: float = 0.0) -> bool:
            self.looks += 1
            return True

    async def script() -> tuple[list[tuple[str, int]], int]:
        visitors, seen, over = Patient(), [], asyncio.Event()
        clock = JumpingClock(visitors, epoch=0.0)

        def note(name: str) -> None:
            seen.append((name, visitors.looks))

        for number in range(20):
            clock.after(5, partial(note, f"event {number}"))
        clock.after(5, over.set, Timing.CLIENT)
        clock.after(6, partial(note, "later"))
        await over.wait()
        return seen, visitors.looks

    assert run(script()) == ([(f"event {number}", 1) for number in range(20)], 2)


class Watchmaker:
    """Real time, told by the test."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_time_stands_still_while_a_client_works() -> None:
    time = Watchmaker()
    visitors = Visitors(time)
    with visitors.speaking("a"), visitors.working():
        time.seconds += 100
        assert not visitors.all_wait(), "a request is being answered"
    time.seconds += ABSENT_SECONDS - 0.01
    assert not visitors.all_wait(), "its client thinks about the answer"
    time.seconds += 0.01
    assert visitors.all_wait(), "its client sleeps, or is gone"


def test_time_passes_while_a_client_waits() -> None:
    time = Watchmaker()
    visitors = Visitors(time)
    with visitors.speaking("a"), visitors.waiting():
        assert not visitors.all_wait()
        time.seconds += QUIET_SECONDS
        assert visitors.all_wait()
        assert not visitors.all_wait_for_nothing()
        visitors.told()
        assert not visitors.all_wait(), "it looks at what it was told"
        time.seconds += IDLE_SECONDS
        assert visitors.all_wait_for_nothing()
    time.seconds += IDLE_SECONDS
    assert not visitors.all_wait_for_nothing(), "nobody waits any more"


def test_while_one_waits_another_may_think() -> None:
    time = Watchmaker()
    visitors = Visitors(time)
    with visitors.speaking("b"):
        pass
    with visitors.speaking("a"), visitors.waiting():
        time.seconds += QUIET_SECONDS
        assert not visitors.all_wait()
        time.seconds += QUIET_SECONDS * THINKING
        assert visitors.all_wait()
        with visitors.speaking("b"):
            pass
        time.seconds += QUIET_SECONDS
        assert not visitors.all_wait()
        visitors.hung_up("b")
        assert visitors.all_wait(), "nobody else is there"


def test_who_asks_the_same_again_waits() -> None:
    visitors = Visitors(Watchmaker())

    def ask(question: str, state: int) -> bool:
        with visitors.speaking("a"), visitors.working():
            pass
        visitors.asked(question, state)
        return visitors.all_wait()

    assert [ask("/pods", 1), ask("/nodes", 1), ask("/pods", 1), ask("/pods", 2), ask("/pods", 2)] == [
        False, False, True, False, True,
    ]  # fmt: skip
    assert not visitors.all_wait(), "one event for each time"
    assert not ask("", 3), "a change"
    assert not ask("/pods", 3)


def test_a_running_clock_counts_the_clients_seconds_as_they_do() -> None:
    async def script() -> tuple[float, float]:
        clock, loop = RunningClock(1000), asyncio.get_running_loop()
        begun, real = clock.now(), loop.time()
        await clock.sleep(10)
        cluster, real = clock.now() - begun, loop.time()
        await clock.sleep(0.05, Timing.CLIENT)
        return cluster, loop.time() - real

    cluster, client = run(script())
    assert cluster >= 10
    assert client >= 0.05


@pytest.fixture
def kubeconfig_of_jumping() -> Iterator[Path]:
    with running_cluster(ClusterOptions(platform="kubernetes", nodes=1, speed=MAX_SPEED)) as cluster:
        yield cluster.kubeconfig


@pytest.fixture
def jumping(kubeconfig_of_jumping: Path) -> Iterator[Client]:
    with closing(Client(kubeconfig_of_jumping)) as client:
        yield client


def clock_of(client: Client, until: float | None = None) -> dict[str, Any]:
    query = "" if until is None else f"?until={until!r}"
    return dict(client.get(f"/sim/clock{query}"))


def test_a_client_may_ask_for_the_time_and_wait_for_one(jumping: Client) -> None:
    begun = clock_of(jumping)
    assert begun["speed"] == "max"
    assert clock_of(jumping, begun["now"] + 3600)["now"] == pytest.approx(begun["now"] + 3600, abs=60)
    assert jumping.ask("GET", "/sim/clock?until=noon").status == 400


JOBS = "/apis/batch/v1/namespaces/default/jobs"


def late_job() -> dict[str, Any]:
    """A Job that finds no node and fails by its deadline."""
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "late"}, "spec": {"activeDeadlineSeconds": 600, "template": {"spec": {
        "restartPolicy": "Never", "nodeSelector": {"no": "node"}, "containers": [{"name": "c", "image": "i"}]}}}}  # fmt: skip


def reasons(job: dict[str, Any]) -> set[str]:
    conditions = (job.get("status") or {}).get("conditions") or []
    return {each["reason"] for each in conditions if each["type"] == "Failed"}


def test_ten_declared_minutes_end_at_once_for_who_watches(jumping: Client) -> None:
    begun = clock_of(jumping)["now"]
    jumping.post(JOBS, late_job())
    assert reasons(jumping.until(f"{JOBS}/late", reasons)) == {"DeadlineExceeded"}
    assert 595 <= clock_of(jumping)["now"] - begun < 660


def test_ten_declared_minutes_end_at_once_for_who_asks_again(jumping: Client) -> None:
    begun = clock_of(jumping)["now"]
    jumping.post(JOBS, late_job())
    while not reasons(jumping.get(f"{JOBS}/late")):
        continue
    assert 595 <= clock_of(jumping)["now"] - begun < 660


def test_a_client_on_the_clusters_clock_gives_up_on_time(
    kubeconfig_of_jumping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own time-out is simulated as well: ten minutes for what does not come, in no time."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig_of_jumping))
    cluster = Cluster()
    clock = cluster.session.clock
    begun, real = clock.now(), time.monotonic()
    with pytest.raises(TimedOut, match="timed out after 600 s waiting for"):
        waiting.wait_for(cluster, Target("ConfigMap", "v1", "never", "default"), Condition("present"), 600)
    assert 600 <= clock.now() - begun < 660
    assert time.monotonic() - real < 600, "as long as it takes by a real clock"
    pause(900)
    assert 1500 <= clock.now() - begun < 1600
    disconnect()


def test_the_speed_is_given_as_max() -> None:
    argv = [sys.executable, "-m", "projects.sim_cluster", "run", "--speed", "max", "--nodes", "1", "--platform=kubernetes",
            "--", "sh", "-c", "cat $KUBECONFIG"]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    cluster = json.loads(done.stdout)["clusters"][0]["cluster"]
    assert [each["name"] for each in cluster["extensions"]] == ["foresail.io/clock"]


def test_a_look_that_is_needed_no_longer_is_no_reason_for_time_to_pass() -> None:
    """The progress deadline of a rollout, ten minutes ahead, is none once the rollout is through."""
    deployment = {"metadata": {"name": "d", "namespace": "default"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}  # fmt: skip

    async def script() -> float:
        cluster = SimulatedCluster(ClusterOptions(platform="kubernetes", nodes=1, speed=MAX_SPEED))
        cluster.runtime.start()
        begun = cluster.clock.now()
        connected = InProcessCluster(cluster.api, cluster.clock, "test")
        await connected.create(Resource("apps", "v1", "deployments"), deployment)
        async for batch in connected.watch(Resource("apps", "v1", "deployments")):
            if any((each.object.get("status") or {}).get("availableReplicas") == 1 for each in batch):
                break
        for _ in range(1000):
            await turn()
        passed = cluster.clock.now() - begun
        await cluster.runtime.stop()
        return passed

    assert run(script()) < 60


def test_time_stands_still_while_somebody_outside_is_asked() -> None:
    async def script() -> tuple[float, float]:
        clock, came = JumpingClock(epoch=0.0), asyncio.Event()
        with clock.held():
            clock.after(5, came.set)
            for _ in range(1000):  # many more than a jump waits for
                await turn()
            held = clock.now()
        await came.wait()
        return held, clock.now()

    assert run(script()) == (0.0, 5.0)
