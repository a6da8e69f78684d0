from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from projects.core.record.task_events import FILE_NAME as ANSIBLE_EVENTS
from projects.core.report.waits import waits
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run, moment


def events(run: Run, directory: str, *lines: dict[str, Any] | str) -> None:
    text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
    (run.root / directory / ANSIBLE_EVENTS).write_text(text)


def acts(at: float, task: str, act: str = "wait", name: str = "redis") -> dict[str, Any]:
    objects = [{"act": act, "kind": "Deployment", "apiVersion": "apps/v1", "namespace": "db", "name": name}]
    return {"time": moment(at), "outcome": "acts", "task": task, "objects": objects}


def ends(at: float, task: str, outcome: str = "ok") -> dict[str, Any]:
    return {"time": moment(at), "outcome": outcome, "task": task, "seconds": 99}


def test_waits_of_python_and_of_roles_the_longest_first(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.end(run.start("wait", "the queue to be empty", ".", 1, main), 4, Status.TIMED_OUT)
    command = run.command("server deploy", "000__server__deploy", main, (5, 20))
    events(
        run,
        command.directory,
        acts(5, "Apply", "apply"),
        ends(6, "Apply"),
        acts(6, "Wait for it"),
        ends(13.5, "Wait for it"),
        acts(14, "Wait for each", name="a"),
        ends(15, "Wait for each", "ok (a)"),
        acts(15, "Wait for each", name="b"),
        ends(17, "Wait for each", "failed (b)"),
        ends(17, "Wait for each", "failed"),
        "half a li",
        "[]",
    )
    told = [(wait.what, wait.task, wait.seconds, wait.status) for wait in waits(tmp_path, run.steps)]
    assert told == [
        ("Deployment db/redis", "Wait for it", 7.5, Status.PASSED),
        ("the queue to be empty", "", 3, Status.TIMED_OUT),
        ("Deployment db/b", "Wait for each", 2, Status.FAILED),
        ("Deployment db/a", "Wait for each", 1, Status.PASSED),
    ]


def test_a_wait_that_has_no_end_lasts_as_long_as_its_command(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    cut = run.start("command", "server deploy", "000__server__deploy", 1, main)
    events(run, cut.directory, acts(2, "Wait for it"))
    going_on = run.start("wait", "the queue", ".", 3, main)
    run.end(cut, 10, Status.INTERRUPTED)
    found = waits(tmp_path, run.steps)
    assert [(wait.step.id, wait.seconds, wait.status) for wait in found] == [
        (cut.id, 8, Status.INTERRUPTED),
        (going_on.id, 7, Status.RUNNING),
    ]


def test_no_events_no_waits(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.command("server deploy", "000__server__deploy", main, (1, 2))
    assert waits(tmp_path, run.steps) == []
    assert waits(tmp_path, []) == []
