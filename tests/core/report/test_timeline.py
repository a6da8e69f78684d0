from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.steps import Step
from projects.core.report.timeline import tick, timeline
from tests.core.record.runs import moment


def step(identity: str, start: float, end: float | None, parent: str | None = None, kind: str = "directory") -> Step:
    return Step(
        identity, parent, kind, identity, f"000__{identity}", {}, moment(start), None if end is None else moment(end)
    )


def lanes(steps: list[Step]) -> dict[str, int | None]:
    return {bar.step.id: bar.top if bar.drawn else None for bar in timeline(steps).bars}


def test_what_follows_shares_a_lane_and_what_is_inside_lies_below() -> None:
    found = lanes(
        [step("a", 0, 10), step("b", 0, 4, "a"), step("c", 4, 9, "a"), step("d", 10, 12), step("e", 10, 11, "d")]
    )
    assert found == {"a": 0, "b": 1, "c": 1, "d": 0, "e": 1}


def test_what_runs_at_once_has_lanes_of_its_own_and_branches_give_theirs_away() -> None:
    steps = [step("p", 0, 10, kind="parallel")]
    for number in range(3):
        steps += [
            step(f"b{number}", 0, 9, "p", "branch"),
            step(f"c{number}", 0, 5, f"b{number}"),
            step(f"d{number}", 5, 9, f"b{number}"),
        ]
    steps.append(step("empty", 0, 9, "p", "branch"))
    found = lanes(steps)
    assert found["p"] == 0
    assert [found[f"b{number}"] for number in range(3)] == [None] * 3
    assert [(found[f"c{number}"], found[f"d{number}"]) for number in range(3)] == [(1, 1), (2, 2), (3, 3)]
    assert found["empty"] == 4


def test_nested_blocks_do_not_overlap() -> None:
    steps = [
        step("p", 0, 10),
        step("x", 0, 5, "p"),
        step("x1", 0, 5, "x"),
        step("y", 1, 6, "p"),
        step("y1", 1, 6, "y"),
        step("z", 5, 9, "p"),
    ]
    assert lanes(steps) == {"p": 0, "x": 1, "x1": 2, "y": 3, "y1": 4, "z": 1}


def test_running_lasts_until_the_last_thing_recorded() -> None:
    found = timeline([step("a", 0, None), step("b", 1, 8, "a")])
    assert found.seconds == 8
    assert [(bar.start, bar.end, bar.depth) for bar in found.bars] == [(0, 8, 0), (1, 8, 1)]


def test_nothing_and_no_time() -> None:
    assert timeline([]).bars == []
    assert timeline([step("a", 0, 0)]).percent(0) == "0%"


def test_ticks() -> None:
    assert timeline([step("a", 0, 58.8)]).ticks == [0, 10, 20, 30, 40, 50]
    assert [tick(each) for each in (0, 0.5, 30, 60, 90, 3600, 5400)] == [
        "0",
        "0.5s",
        "30s",
        "1m",
        "1m30s",
        "1h",
        "1h30m",
    ]
    assert 2 <= len(timeline([step("a", 0, 0.2)]).ticks) <= 7


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=25))
def test_no_two_bars_overlap(spans: list[tuple[int, int, int]]) -> None:
    steps: list[Step] = []
    for number, (start, length, around) in enumerate(sorted(spans)):
        parent = next(
            (each for each in steps[-around:] if around and each.end and each.end >= moment(start + length)), None
        )
        steps.append(step(str(number), start, start + length, parent.id if parent else None))
    bars = [bar for bar in timeline(steps).bars if bar.drawn and bar.end > bar.start]
    for one in bars:
        for other in bars:
            apart = one.end <= other.start or other.end <= one.start
            assert one is other or one.top != other.top or apart
