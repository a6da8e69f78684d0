"""The record after what can happen to it: a kill in the midst of a line, a full disk, values that are no JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from projects.core.record.steps import (
    FILE_NAME,
    Cause,
    Conclusion,
    Record,
    Step,
    new_id,
    read_conclusions,
    read_lines,
    read_steps,
)
from projects.core.values.outcomes import Status
from projects.core.values.redaction import MASK, Redactor


def step(name: str, **arguments: object) -> Step:
    return Step(new_id(), None, "directory", name, name, arguments)


def passed(record: Record, name: str) -> None:
    one = step(name)
    record.start(one)
    record.end(one, Status.PASSED)


def test_a_line_that_a_kill_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    passed(Record(tmp_path), "before")
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('{"id": "cut", "kin')
    passed(Record(tmp_path), "after")
    assert [(each.name, each.status) for each in read_steps(tmp_path)] == [("before", "passed"), ("after", "passed")]


def test_an_end_without_its_start_is_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"id": "lost", "end": "2026-01-01T00:00:00Z", "status": "passed"}\n')
    assert read_steps(tmp_path) == []


def test_a_line_that_a_full_disk_cut_off_is_told_and_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path)
    passed(record, "before")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
        with pytest.raises(OSError, match="No space left"):
            record.start(step("lost"))
    passed(record, "after")
    assert [each.name for each in read_steps(tmp_path)] == ["before", "after"]


def test_what_is_no_json_is_written_as_text_without_secrets(tmp_path: Path, redactor: Redactor) -> None:
    redactor.register("correct horse")

    class Battery:
        def __str__(self) -> str:
            return "a correct horse battery"

    Record(tmp_path).start(step("x", battery=Battery()))
    (line,) = (tmp_path / FILE_NAME).read_text().splitlines()
    assert json.loads(line)["arguments"] == {"battery": "a ******** battery"}


def test_what_the_record_itself_says_is_no_secret(tmp_path: Path, redactor: Redactor) -> None:
    redactor.register("2026")
    redactor.register("running")
    step = Step(new_id(), None, "directory", "in 2026", ".")
    redactor.register(step.id)
    record = Record(tmp_path)
    record.start(step)
    record.end(step, Status.FAILED, Cause("Late", "since 2026", step.id))
    (read,) = read_steps(tmp_path)
    assert read.duration is not None
    assert (read.id, read.status) == (step.id, "failed")
    assert read.cause == Cause("Late", f"since {MASK}", step.id)
    assert read.name == f"in {MASK}"


def test_what_a_process_came_to_is_a_line_of_its_own(tmp_path: Path) -> None:
    record = Record(tmp_path)
    step = Step(new_id(), None, "directory", "a", ".")
    record.start(step)
    record.end(step, Status.PASSED)
    record.conclude(Conclusion(0, (step.id,), "2026-01-01T00:00:00Z"))
    assert all("id" in line for line in read_lines(tmp_path))
    assert [each.id for each in read_steps(tmp_path)] == [step.id]
    assert read_conclusions(tmp_path) == [Conclusion(0, (step.id,), "2026-01-01T00:00:00Z")]
