from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.library import commands, config, env, resume, run
from projects.core.record import context
from projects.core.record.attempts import Attempts
from projects.core.record.steps import FILE_NAME, Record, Step, read_steps
from projects.core.toolbox.specification import specify
from projects.core.values.errors import CommandFailed, UsageError
from projects.core.values.redaction import Redactor
from tests.core.library.played_host import PlayedHost
from tests.core.trees import write_group, write_role

BODY = '''
@command
def go(self, to: str, fast: bool = False) -> None:
    """Go.

    Args:
      to: Where.
      fast: How.
    """
'''


@pytest.fixture
def host(run_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayedHost:
    write_group(tmp_path, "car", BODY, roles={"go": "- name: Go\n  debug:\n"})
    played = PlayedHost()
    monkeypatch.setattr(commands, "HOST", played)
    monkeypatch.setattr(commands, "specify", functools.partial(specify, root=tmp_path))
    return played


def go_on(root: Path) -> None:
    """Stand in the run as a new process that goes on with it."""
    resume.digest_of_tree.cache_clear()
    commands._code_of.cache_clear()
    context.initialise(context.Place(Record(root), root, earlier=Attempts(read_steps(root), root)))


def explained(capsys: pytest.CaptureFixture[str], body: Callable[[], Any], from_step: str | None = None) -> str:
    """Return what a resumed run says of its decisions."""
    capsys.readouterr()
    with resume.goes_on(explain=True, from_step=from_step):
        body()
    return "\n".join(line for line in capsys.readouterr().out.splitlines() if line.startswith("resume:"))


def went(host: PlayedHost) -> list[str]:
    return [request.variables["car_go_to"] for request in host.requests]


def go(to: str = "rome", **arguments: Any) -> None:
    run.run_toolbox("car", "go", to=to, **arguments)


def test_without_an_earlier_run_there_is_nothing_to_decide(
    host: PlayedHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(capsys, go) == ""
    assert went(host) == ["rome"]


def test_what_passed_and_is_as_it_was_is_skipped(
    host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go()
    go_on(run_root)
    said = explained(capsys, go)
    assert said == "resume: car go: skipped: passed in attempt 1, and nothing has changed since (000__car__go)"
    assert went(host) == ["rome"]
    first, second = read_steps(run_root)
    assert (second.status, second.reuses, second.directory) == ("skipped", first.id, "000__car__go")
    assert [path.name for path in run_root.iterdir() if path.is_dir()] == ["000__car__go"]


def test_the_caller_gets_the_directory_of_the_attempt_that_did_it(host: PlayedHost, run_root: Path) -> None:
    done = run.run_toolbox("car", "go", to="rome").directory
    go_on(run_root)
    assert run.run_toolbox("car", "go", to="rome").directory == done


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: None, 'its argument to has changed: "rome" -> "pisa"'),
        (lambda role: write_role(role, "- name: Walk\n  debug:\n"), "its code has changed"),
        (lambda role: (role / "templates").mkdir() or (role / "templates/new").write_text("x"), "its code has changed"),
    ],
)
def test_what_changed_runs_again_in_a_directory_of_its_own(
    host: PlayedHost,
    run_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], object],
    said: str,
) -> None:
    go()
    go("last")
    change(tmp_path / "toolbox/car/roles/car_go")
    go_on(run_root)
    to = "pisa" if "argument" in said else "rome"
    assert explained(capsys, lambda: go(to)) == f"resume: car go: runs: {said}"
    assert went(host) == ["rome", "last", to]
    again = read_steps(run_root)[-1]
    assert (again.attempt, again.directory, again.status) == (2, "002__car__go__attempt_2", "passed")


def test_what_failed_runs_again(host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host.status = 2
    with pytest.raises(CommandFailed):
        go()
    host.status = 0
    go_on(run_root)
    assert explained(capsys, go) == "resume: car go: runs: its attempt 1 failed"
    go_on(run_root)
    assert "skipped: passed in attempt 2" in explained(capsys, go)


@pytest.mark.parametrize(
    ("status", "said"), [("cancelled", "was cancelled"), ("interrupted", "was interrupted"), ("timed_out", "timed out")]
)
def test_how_the_attempt_before_ended_is_said(
    host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str], status: str, said: str
) -> None:
    go()
    record = run_root / FILE_NAME
    record.write_text(record.read_text().replace('"status": "passed"', f'"status": "{status}"'))
    go_on(run_root)
    assert explained(capsys, go) == f"resume: car go: runs: its attempt 1 {said}"


def test_a_failure_that_is_put_aside_does_not_speak_of_the_next_attempt(host: PlayedHost, run_root: Path) -> None:
    host.status = 2
    with pytest.raises(CommandFailed), env.NextArtifactDir("inner"):
        go()
    host.status = 0
    go_on(run_root)
    with env.NextArtifactDir("inner") as directory:
        go()
    assert directory == run_root / "000__inner"
    assert not (directory / "FAILURE").exists()
    assert (directory / "FAILURE.attempt_1").exists()
    assert [path.name for path in sorted(directory.iterdir()) if path.is_dir()] == [
        "000__car__go",
        "001__car__go__attempt_2",
    ]


def test_what_was_running_asks_its_probe(host: PlayedHost, run_root: Path, tmp_path: Path) -> None:
    role = tmp_path / "toolbox/car/roles/car_go"
    (role / "tasks/probe.yml").write_text("---\n- name: Are we there\n  debug:\n")
    place = context.here()
    go()
    place.record._append({"id": read_steps(run_root)[0].id, "status": "running", "end": None})
    host.requests.clear()
    go_on(run_root)
    go()
    assert [request.tasks_from for request in host.requests] == ["probe"]
    step = read_steps(run_root)[-1]
    assert (step.status, step.attempt, step.directory) == ("passed", 2, "001__car__go__attempt_2")
    assert "probe" in step.details


def test_a_probe_that_does_not_pass_lets_the_command_run(host: PlayedHost, run_root: Path, tmp_path: Path) -> None:
    (tmp_path / "toolbox/car/roles/car_go/tasks/probe.yml").write_text("---\n- name: Are we there\n  debug:\n")
    place = context.here()
    go()
    place.record._append({"id": read_steps(run_root)[0].id, "status": "running", "end": None})
    host.requests.clear()
    go_on(run_root)
    host.status = 2
    with pytest.raises(CommandFailed):
        go()
    assert [request.tasks_from for request in host.requests] == ["probe", "main"]


def test_the_same_command_twice_is_two_steps(host: PlayedHost, run_root: Path) -> None:
    go()
    go()
    go_on(run_root)
    go()
    go()
    go()
    assert went(host) == ["rome", "rome", "rome"]
    assert [step.attempt for step in read_steps(run_root) if not step.reuses] == [1, 1, 1]


def test_from_a_step_on_everything_runs_again(
    host: PlayedHost, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def all_three() -> None:
        go("one")
        with env.NextArtifactDir("inner"):
            go("two")
        go("three")

    all_three()
    go_on(run_root)
    said = explained(capsys, all_three, from_step="inner")
    assert went(host) == ["one", "two", "three", "two", "three"]
    assert said.count("--from inner asks for it") == 2
    with pytest.raises(UsageError, match="no_such"), resume.goes_on(explain=False, from_step="no_such"):
        pass


def test_what_lost_its_directory_runs_again(host: PlayedHost, run_root: Path) -> None:
    go()
    shutil.rmtree(run_root / "000__car__go")
    go_on(run_root)
    go()
    assert went(host) == ["rome", "rome"]


def test_a_secret_that_is_known_by_now_does_not_make_a_difference(
    host: PlayedHost, run_root: Path, redactor: Redactor
) -> None:
    go("the-hidden-place")
    redactor.register("the-hidden-place")
    go_on(run_root)
    go("the-hidden-place")
    assert len(host.requests) == 1


@pytest.fixture
def configuration(run_root: Path, tmp_path: Path) -> Path:
    testing = tmp_path / "projects/probe/testing"
    testing.mkdir(parents=True)
    (testing / "config.yaml").write_text("probe: {size: 3, colour: red}\n")
    config.init(testing)
    return testing


CALLS: list[int] = []


@run.step
def measure(times: int = 1) -> dict[str, int]:
    """Return what depends on the configuration."""
    CALLS.append(times)
    return {"size": times * int(config.project.get_config("probe.size"))}


@run.step
def useless() -> object:
    """Return what no record can hold."""
    CALLS.append(0)
    return object()


def test_a_function_is_a_step_whose_result_comes_from_the_record(configuration: Path, run_root: Path) -> None:
    CALLS.clear()
    assert measure(2) == {"size": 6}
    go_on(run_root)
    assert measure(2) == {"size": 6}
    assert CALLS == [2]
    step = read_steps(run_root)[0]
    assert (step.kind, step.directory, step.arguments) == ("step", "000__measure", {"times": 2})


def test_a_function_runs_again_when_what_it_read_has_changed(
    configuration: Path, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(2)
    go_on(run_root)
    config.project.set_config("probe.colour", "green")
    assert "skipped" in explained(capsys, lambda: measure(2))
    config.project.set_config("probe.size", 5)
    said = explained(capsys, lambda: measure(2))
    assert "not run before" in said, "it is the third of its name, and there were fewer"
    go_on(run_root)
    with config.TempValue(config.project, "probe.size", 7):
        said = explained(capsys, lambda: measure(2))
    assert said == "resume: measure: runs: the configuration probe.size, which it read, has changed"


def test_a_function_whose_result_cannot_be_recorded_runs_again(
    configuration: Path, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    CALLS.clear()
    useless()
    go_on(run_root)
    assert "could not be recorded" in explained(capsys, useless)
    assert CALLS == [0, 0]


def test_the_record_of_a_run_without_resume_says_nothing_of_attempts(host: PlayedHost, run_root: Path) -> None:
    go()
    (line, *_) = (run_root / "_steps.jsonl").read_text().splitlines()
    assert not {"attempt", "reuses", "occurrence"} & set(yaml.safe_load(line))
    assert isinstance(read_steps(run_root)[0], Step)
