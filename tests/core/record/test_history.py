import json
import os
from pathlib import Path

import pytest

from projects.core.record import attempts, history
from projects.core.record.history import Durations
from projects.core.record.steps import FILE_NAME, Step
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run, moment


def a_run(base: Path, name: str, *, command: float, project: str = "skeleton", status: Status = Status.PASSED) -> Path:
    root = base / name
    root.mkdir(parents=True)
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    main.project = project
    both = [run.start("directory", each, f"00{number}__{each}", 0, main) for number, each in enumerate("ab")]
    for number, around in enumerate(both):
        step = run.start("command", "cluster wait", f"{around.directory}/000__cluster__wait", 0, around)
        run.end(step, command * (number + 1), status)
        run.end(around, command * (number + 1))
    run.end(main, 99)
    record = root / FILE_NAME
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    lines[0]["project"] = project
    record.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return record


def path_of(*names: tuple[str, str], occurrence: int = 0) -> tuple[tuple[str, str, int], ...]:
    return tuple((kind, name, occurrence) for kind, name in names)


ENTRYPOINT = ("entrypoint", "test_ci")
COMMAND = ("command", "cluster wait")


def test_the_median_of_a_place_else_of_the_name(tmp_path: Path) -> None:
    for number, seconds in enumerate((1.0, 2.0, 30.0)):
        a_run(tmp_path, f"foresail_{number}", command=seconds)
    found = Durations.of(tmp_path, "skeleton")
    assert found.runs == 3
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "a"), COMMAND)) == 2
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "b"), COMMAND, occurrence=7)) == 4
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "new"), COMMAND)) == 3, "of 1 2 2 4 30 60"
    assert found.seconds(path_of(ENTRYPOINT)) == 99
    assert found.seconds(path_of(("command", "unknown"))) is None
    assert found.seconds(()) is None


def test_other_projects_and_what_did_not_pass_tell_nothing(tmp_path: Path) -> None:
    a_run(tmp_path, "other", command=1, project="other")
    a_run(tmp_path, "failed", command=1, status=Status.FAILED)
    found = Durations.of(tmp_path, "skeleton")
    assert found.runs == 1
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "a"), COMMAND)) is None
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "a"))) == 1


def test_the_newest_runs_tell(tmp_path: Path) -> None:
    for number in range(history.RUNS + 5):
        record = a_run(tmp_path, f"run{number}", command=100 if number < 5 else 1)
        os.utime(record, (number, number))
    found = Durations.of(tmp_path, "skeleton")
    assert found.runs == history.RUNS
    assert found.seconds(path_of(ENTRYPOINT, ("directory", "a"), COMMAND)) == 1


def test_no_base_and_what_is_no_record(tmp_path: Path) -> None:
    assert Durations.of(tmp_path / "missing", "skeleton").runs == 0
    for name, text in (("torn", '{"id": "a"'), ("strange", '{"id": "a", "start": "x", "end": 3, "status": "passed"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE_NAME).write_text(text)
    (tmp_path / "directory" / FILE_NAME).mkdir(parents=True)
    (tmp_path / "file").touch()
    a_run(tmp_path, "good", command=1)
    assert Durations.of(tmp_path, "skeleton").runs == 1


def test_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(tmp_path, "good", command=1)
    monkeypatch.setattr(history, "_WITHIN_S", -1.0)
    assert Durations.of(tmp_path, "skeleton").runs == 0


def test_the_paths_of_a_plan_fit(tmp_path: Path) -> None:
    a_run(tmp_path, "good", command=1)
    planned = [
        Step("p0", None, *ENTRYPOINT, ".", start=moment(0)),
        Step("p1", "p0", "directory", "a", "000__a", start=moment(0)),
    ]
    found = Durations.of(tmp_path, "skeleton")
    assert [found.seconds(path) for path in attempts.paths(planned).values()] == [99, 1]
