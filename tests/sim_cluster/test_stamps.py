"""Times in objects that pass between a cluster's clock and everybody's."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projects.sim_cluster.behaviours.timestamps import seconds_of, timestamp
from projects.sim_cluster.clock import Clock, RunningClock
from projects.sim_cluster.over_http.stamps import Stamps

START = 1_800_000_000.0


class Times(RunningClock):
    """A clock that runs 60 times faster than a real one that the test moves."""

    def __init__(self) -> None:
        super().__init__(60, START)
        self.real = START

    def now(self) -> float:
        return START + (self.real - START) * 60


def stamps() -> tuple[Stamps, Times]:
    times = Times()
    clock: Clock = times
    return Stamps(clock, lambda: times.real), times


def thing(uid: str = "u", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "n", "uid": uid, "creationTimestamp": timestamp(START)}, "status": status}


def sent(made: Stamps, body: dict[str, Any], uid: str = "u") -> dict[str, Any]:
    """Return what the server stores of a body."""
    stored = deepcopy(made.write(body))
    stored["metadata"] = {"name": "n", "uid": uid}
    made.keep(body, stored)
    return stored


def test_what_was_made_was_made_when_it_was_first_seen() -> None:
    made, times = stamps()
    times.real += 100.9
    fresh = thing() | {"metadata": {"uid": "a", "creationTimestamp": timestamp(times.real)}}
    assert made.read(deepcopy(fresh))["metadata"]["creationTimestamp"] == timestamp(times.now())
    seen = times.now()
    times.real += 7
    assert made.read(deepcopy(fresh))["metadata"]["creationTimestamp"] == timestamp(seen)


def test_what_is_written_holds_the_real_time_and_is_read_as_it_was_meant() -> None:
    made, times = stamps()
    times.real += 50.5
    body = {"status": {"startTime": timestamp(times.now()), "phase": "Running", "note": "2026-01-01"}}
    stored = sent(made, body)
    assert stored["status"]["startTime"] == timestamp(times.real)
    assert body["status"]["startTime"] == timestamp(times.now())
    times.real += 30
    assert made.read(deepcopy(stored))["status"] == body["status"]


def test_stamps_of_the_same_second_are_told_apart() -> None:
    made, times = stamps()
    times.real += 10
    stored = []
    for number in range(4):
        times.real += 0.2
        stored.append(sent(made, {"status": {"at": timestamp(times.now())}}, f"u{number}"))
    assert len({each["status"]["at"] for each in stored}) == 1
    read = [seconds_of(made.read(each)["status"]["at"]) - START for each in stored]
    assert read == [612, 624, 636, 648]


def test_conditions_keep_their_stamps_when_others_come() -> None:
    made, times = stamps()
    times.real += 10.9
    mine = {"type": "Mine", "lastTransitionTime": timestamp(times.now())}
    stored = sent(made, {"status": {"conditions": [mine]}})
    stored["status"]["conditions"].insert(0, {"type": "Another", "lastTransitionTime": timestamp(times.real)})
    times.real += 30
    assert made.read(stored)["status"]["conditions"][1] == mine


def test_a_condition_that_is_sent_again_stays_as_it_is() -> None:
    made, times = stamps()
    times.real += 10.9
    stored = sent(made, {"status": {"at": timestamp(times.now())}})
    before = stored["status"]["at"]
    times.real += 1000
    again = sent(made, {"status": made.read(stored)["status"]})
    assert again["status"]["at"] == before


def test_what_is_still_to_come_is_as_far_away() -> None:
    made, times = stamps()
    times.real += 10
    going = {"metadata": {"uid": "g", "deletionTimestamp": timestamp(times.real + 30)}}
    assert made.read(going)["metadata"]["deletionTimestamp"] == timestamp(times.now() + 30)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_older_stamps_keep_their_order(first: int, second: int) -> None:
    made, times = stamps()
    for _ in range(100):
        times.real += 60
        made.read(thing("x"))
    old = made.read(thing(a=timestamp(START - 1000 + first), b=timestamp(START - 1000 + second)))["status"]
    assert (old["a"] <= old["b"]) or first > second
    assert (old["b"] <= old["a"]) or second > first


def test_names_and_data_that_look_like_stamps_are_left_alone() -> None:
    made, times = stamps()
    times.real += 100
    text = timestamp(START)
    body = {"metadata": {"annotations": {"at": text}}, "spec": {"at": text}, "data": {"at": text}}
    assert made.write(body) == body
    assert made.read({**deepcopy(body), "metadata": {"uid": "u", "annotations": {"at": text}}})["spec"]["at"] == text
