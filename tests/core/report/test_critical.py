from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.steps import Step
from projects.core.report.critical import CriticalPath, critical_path
from projects.core.report.timeline import timeline
from tests.core.report.test_timeline import step


def path(steps: list[Step]) -> CriticalPath:
    return critical_path(timeline(steps).bars)


def told(found: CriticalPath) -> list[tuple[str, float, float]]:
    return [
        (("in " if link.gap else "") + (link.bar.step.id if link.bar else "the run"), link.start, link.end)
        for link in found.links
    ]


def test_one_after_the_other_with_what_lies_between() -> None:
    found = path([step("main", 0, 10), step("a", 1, 4, "main"), step("b", 4, 9, "main")])
    assert told(found) == [("in main", 0, 1), ("a", 1, 4), ("b", 4, 9), ("in main", 9, 10)]
    assert found.steps == {"main", "a", "b"}


def test_of_a_parallel_the_branch_that_ended_last() -> None:
    steps = [step("main", 0, 10), step("p", 0, 10, "main", "parallel")]
    for name, end in (("short", 3), ("long", 9), ("middle", 7)):
        steps += [step(name, 0, end, "p", "branch"), step(f"{name} work", 1, end, name)]
    found = path(steps)
    assert told(found) == [("in long", 0, 1), ("long work", 1, 9), ("in p", 9, 10)]
    assert found.steps == {"main", "p", "long", "long work"}


def test_what_ran_beside_the_chain_is_not_on_it() -> None:
    found = path([step("main", 0, 10), step("a", 0, 5, "main"), step("beside", 1, 8, "main"), step("b", 5, 10, "main")])
    assert told(found) == [("a", 0, 5), ("b", 5, 10)]


def test_between_two_entrypoints_nothing_runs() -> None:
    found = path([step("prepare", 0, 2), step("test", 60, 70)])
    assert told(found) == [("prepare", 0, 2), ("in the run", 2, 60), ("test", 60, 70)]


def test_the_longest_with_what_has_the_same_name_together() -> None:
    inner = [step(f"s{number}", number * 10, number * 10 + 5 + number % 2, "main") for number in range(10)]
    for each in inner[4:]:
        each.name = "often"
    found = path([step("main", 0, 100), *inner]).longest(3)
    assert [(part.longest.bar and part.longest.bar.step.name, part.seconds, part.times) for part in found] == [
        ("main", 45, 1),
        ("often", 33, 6),
        ("s1", 6, 1),
    ]
    assert found[0].longest.gap


def test_no_steps() -> None:
    assert path([]).longest(3) == []


def test_a_killed_attempt_lasts_until_its_process_died() -> None:
    steps = [
        step("main", 0, None, kind="entrypoint"),
        step("a", 1, 4, "main"),
        step("b", 4, None, "main"),
        step("again", 100, 110, kind="entrypoint"),
    ]
    steps[3].name, steps[3].attempt = "main", 2
    bars = {bar.step.id: bar for bar in timeline(steps).bars}
    assert (bars["main"].end, bars["b"].end) == (4, 4)
    assert told(path(steps))[-2:] == [("in the run", 4, 100), ("again", 100, 110)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=25))
def test_the_chain_has_no_holes_and_no_overlaps(spans: list[tuple[int, int, int]]) -> None:
    steps: list[Step] = []
    for number, (start, length, around) in enumerate(sorted(spans)):
        parent = steps[-around].id if 0 < around <= len(steps) else None
        steps.append(step(str(number), start, start + length, parent))
    lasting = timeline(steps)
    at = 0.0
    for link in critical_path(lasting.bars).links:
        assert link.start == at
        assert link.end >= link.start
        at = link.end
    assert at == max(bar.end for bar in lasting.bars)
