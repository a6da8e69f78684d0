"""Success after a failure is a flake: one name, a failed case, then a passed one; the verdict does not depend on it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.flakes import case_names, flakes
from projects.core.record.junit import write_junit
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.record.verdict import verdict
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run

Case = tuple[str, str]


def failed(run: Run, step: Step, at: float, message: str = "gone", status: Status = Status.FAILED) -> None:
    run.end(step, at, status, Cause("Unreachable", message, step.id, 3))


def cases_of(root: Path) -> list[Case]:
    """The cases in order: name, and how each ended."""
    write_junit(root, read_steps(root), properties={"project": "p"})
    found = ET.parse(root / "junit_foresail.xml").findall(".//testcase")
    suite = ET.parse(root / "junit_foresail.xml").find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "")) == len(found)
    for tag in ("failure", "error"):
        assert int(suite.get(f"{tag}s", "")) == len(suite.findall(f"testcase/{tag}"))
    return [
        (case.get("name", ""), next((child.tag for child in case if child.tag != "system-out"), "passed"))
        for case in found
    ]


def prow(cases: Sequence[Case]) -> dict[str, str]:
    """How Prow's viewer shows cases, by its own rule."""
    by_name: dict[str, list[str]] = {}
    for name, outcome in cases:
        by_name.setdefault(name, []).append("failed" if outcome in ("failure", "error") else outcome)
    shown = {}
    for name, outcomes in by_name.items():
        known = set(outcomes)
        shown[name] = "skipped" if "skipped" in known else "flaky" if len(known) > 1 else outcomes[0]
    return shown


def retried_run(root: Path) -> Run:
    """A function that failed, with a step inside of it, and then passed."""
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    one = run.start("attempt", "deploy", "000__deploy", 1, main)
    inner = run.start("directory", "inner", "000__deploy/000__inner", 1, one)
    failed(run, inner, 2)
    run.end(one, 2, Status.FAILED, Cause("Unreachable", "gone", inner.id, 3))
    two = run.start("attempt", "deploy", "001__deploy__attempt_2", 3, main, attempt=2)
    inner = run.start("directory", "inner", "001__deploy__attempt_2/000__inner", 3, two)
    run.end(inner, 4)
    run.end(two, 4)
    run.end(main, 5)
    return run


def test_an_attempt_that_failed_and_one_that_passed(tmp_path: Path) -> None:
    retried_run(tmp_path)
    found = cases_of(tmp_path)
    assert found == [
        ("test_ci", "passed"),
        ("000__deploy", "failure"),
        ("000__deploy/000__inner", "failure"),
        ("000__deploy", "passed"),
        ("000__deploy/000__inner", "passed"),
    ]
    assert prow(found) == {"test_ci": "passed", "000__deploy": "flaky", "000__deploy/000__inner": "flaky"}
    assert verdict(read_steps(tmp_path)).passed
    (flake,) = flakes(tmp_path, read_steps(tmp_path))
    assert (flake.name, flake.step.directory, flake.failures) == (
        "000__deploy",
        "001__deploy__attempt_2",
        ["Unreachable: gone"],
    )


def test_attempts_that_all_failed_are_a_failure(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    for number in (1, 2):
        step = run.start("attempt", "deploy", f"{number}__deploy", number, main, attempt=number)
        failed(run, step, number)
    run.end(main, 3, Status.FAILED, Cause("Unreachable", "gone", step.id, 3))
    assert prow(cases_of(tmp_path)) == {"test_ci": "failed", "1__deploy": "failed"}
    assert flakes(tmp_path, read_steps(tmp_path)) == []
    assert verdict(read_steps(tmp_path)).exit_code == 3


def resumed_run(root: Path, *, failed: bool = False) -> Run:
    """A run that died, or failed, in its second command, and was resumed: the first one is reused, the second one done again."""
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    fine = run.command("a fine", "000__a__fine", main, (1, 2))
    bad = run.start("command", "a bad", "001__a__bad", 2, main)
    if failed:
        cause = Cause("Bad", "it was", bad.id)
        run.end(bad, 3, Status.FAILED, cause)
        run.end(main, 4, Status.FAILED, cause)
    stopped = run.start("branch", "other", ".", 2, main)
    run.end(stopped, 3, Status.CANCELLED)
    again = run.start("entrypoint", "test_ci", ".", 10, attempt=2)
    reused = run.start("command", "a fine", "000__a__fine", 10, again, reuses=fine.id)
    run.end(reused, 10, Status.SKIPPED, Cause("Reused", "nothing has changed since", reused.id, 0))
    bad = run.start("command", "a bad", "002__a__bad__attempt_2", 11, again, attempt=2)
    run.end(bad, 12)
    stopped = run.start("branch", "other", ".", 12, again, attempt=2)
    run.end(stopped, 13)
    run.end(again, 14)
    return run


def test_what_a_kill_cut_off_is_no_flake(tmp_path: Path) -> None:
    resumed_run(tmp_path)
    found = cases_of(tmp_path)
    assert found == [
        ("test_ci (cut off)", "skipped"),
        ("000__a__fine", "passed"),
        ("001__a__bad (cut off)", "skipped"),
        ("test_ci", "passed"),
        ("000__a__fine (reused)", "skipped"),
        ("001__a__bad", "passed"),
        ("other", "passed"),
    ]
    assert "flaky" not in prow(found).values()
    messages = [each.get("message") for each in ET.parse(tmp_path / "junit_foresail.xml").findall(".//skipped")]
    assert messages == [
        "cut off by a kill or a signal; a later attempt took its place",
        "cut off by a kill or a signal; a later attempt took its place",
        "passed earlier, in 000__a__fine: nothing has changed since",
    ]
    assert verdict(read_steps(tmp_path)).passed
    assert flakes(tmp_path, read_steps(tmp_path)) == []


def test_what_failed_and_passed_in_a_resumed_run_is_a_flake(tmp_path: Path) -> None:
    resumed_run(tmp_path, failed=True)
    found = cases_of(tmp_path)
    assert prow(found)["001__a__bad"] == "flaky"
    assert [flake.name for flake in flakes(tmp_path, read_steps(tmp_path))] == ["test_ci", "001__a__bad"]


def events(root: Path, directory: str, *given: dict[str, Any]) -> None:
    lines = [json.dumps({"place": "a_b/tasks/main.yml:3", **each}) for each in given]
    (root / directory / "_ansible.events.jsonl").write_text("\n".join([*lines, '{"outcome": "ok", "ta']))


def test_a_task_that_was_tried_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.command("a b", "000__a__b", main, (1, 2))
    events(
        tmp_path,
        "000__a__b",
        {"outcome": "retry", "task": "Log in", "failed": True, "msg": "no such host\nreally"},
        {"outcome": "retry", "task": "Log in", "failed": True, "msg": "busy"},
        {"outcome": "changed", "task": "Log in"},
        {"outcome": "retry", "task": "Poll", "failed": False},
        {"outcome": "ok", "task": "Poll"},
        {"outcome": "retry", "task": "Hope", "failed": True, "msg": "no"},
        {"outcome": "ignored", "task": "Hope", "msg": "no"},
    )
    run.end(main, 3)
    found = cases_of(tmp_path)
    assert found == [
        ("test_ci", "passed"),
        ("000__a__b", "passed"),
        ("000__a__b / Log in", "failure"),
        ("000__a__b / Log in", "passed"),
    ]
    (failure,) = ET.parse(tmp_path / "junit_foresail.xml").findall(".//failure")
    assert (failure.get("message"), failure.text) == (
        "no such host",
        "attempt 1: no such host\nreally\nattempt 2: busy",
    )
    assert verdict(read_steps(tmp_path)).passed
    (flake,) = flakes(tmp_path, read_steps(tmp_path))
    assert (flake.name, flake.failures) == ("000__a__b / Log in", ["no such host\nreally", "busy"])


def test_an_entrypoint_that_ran_twice_is_two_cases(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for number, status in enumerate((Status.FAILED, Status.PASSED)):
        main = run.start("entrypoint", "test_ci", ".", number)
        step = run.start("directory", "d", f"00{number}__d", number, main)
        run.end(step, number, status, Cause("E", "m", step.id) if status == Status.FAILED else None)
        run.end(main, number, status, Cause("E", "m", step.id) if status == Status.FAILED else None)
    assert cases_of(tmp_path) == [
        ("test_ci", "failure"),
        ("000__d", "failure"),
        ("test_ci (2)", "passed"),
        ("001__d", "passed"),
    ]
    assert not verdict(read_steps(tmp_path)).passed


steps_of_runs = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=20
)


@given(steps_of_runs)
def test_only_attempts_share_a_name(drawn: list[tuple[int, str, int, int]]) -> None:
    steps: list[Step] = []
    for number, (around, name, occurrence, attempt) in enumerate(drawn):
        parent = f"s{around}" if around < number else None
        step = Step(
            f"s{number}", parent, "directory", name, f"{number:03d}__{name}", occurrence=occurrence, attempt=attempt
        )
        steps.append(step)
    names = case_names(steps)
    by_id = {step.id: step for step in steps}

    def place(step: Step | None) -> tuple[Any, ...]:
        return () if step is None else (*place(by_id.get(step.parent or "")), (step.name, step.occurrence))

    for one in steps:
        for other in steps:
            if one is not other and names[one.id] == names[other.id]:
                assert place(one) == place(other)
    assert len({names[step.id] for step in steps}) >= len({place(step) for step in steps})
