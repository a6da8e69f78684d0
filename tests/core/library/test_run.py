from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from projects.core.execution.cancellation import CancelToken, scope
from projects.core.library import config, env, run
from projects.core.values.errors import Cancelled, Interrupted, ProcessFailed, TimedOut, exit_code_of
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import MASK, Redactor

pytestmark = pytest.mark.usefixtures("run_root")


def test_the_shell_is_bash() -> None:
    assert run.run("[[ a == a ]] && echo ${BASH_VERSION%%.*}", capture_stdout=True).stdout.strip().isdecimal()


@pytest.mark.parametrize("command", ["false | true", "false; true", 'echo "$NOT_SET"', "f() { false; true; }; f"])
def test_a_failure_anywhere_in_a_protected_command_fails_it(command: str) -> None:
    with pytest.raises(ProcessFailed):
        run.run(command)
    assert run.run(command, protect_shell=False).returncode == 0


def test_captured_output_is_text_or_bytes_and_output_that_was_shown_is_not_returned(
    capfd: pytest.CaptureFixture[str],
) -> None:
    both = run.run("echo ž; echo err >&2", capture_stdout=True, capture_stderr=True)
    assert (both.stdout, both.stderr) == ("ž\n", "err\n")
    raw = run.run("echo ž; echo err >&2", True, True, decode_stdout=False, decode_stderr=False)
    assert (raw.stdout, raw.stderr) == ("ž\n".encode(), b"err\n")
    assert capfd.readouterr() == ("", "")
    shown = run.run("echo shown; echo too >&2")
    assert (shown.stdout, shown.stderr, shown.returncode) == (None, None, 0)
    assert capfd.readouterr() == ("shown\n", "too\n")


def test_captured_output_that_is_no_text_is_decoded_all_the_same() -> None:
    assert run.run(r"printf '\xff'", capture_stdout=True).stdout == "\ufffd"


def test_a_failure_carries_its_status_its_output_and_its_last_lines() -> None:
    with pytest.raises(ProcessFailed) as caught:
        run.run("seq 100; echo the-reason >&2; exit 7", capture_stdout=True, capture_stderr=True)
    error = caught.value
    assert isinstance(error, subprocess.CalledProcessError)
    assert (error.returncode, error.stderr) == (7, "the-reason\n")
    assert str(error.output).startswith("1\n2\n")
    assert str(error).startswith("`seq 100; echo the-reason >&2; exit 7` exited with 7: the-reason")


def test_the_last_lines_of_its_output_are_told_when_it_wrote_no_errors() -> None:
    with pytest.raises(ProcessFailed) as caught:
        run.run("seq 100; false", capture_stdout=True)
    assert caught.value.tail.splitlines() == [str(number) for number in range(81, 101)]


def test_a_failure_that_is_not_checked_is_returned() -> None:
    done = run.run("exit 7", check=False)
    assert (done.returncode, done.args) == (7, "exit 7")


def test_a_killed_command_says_by_which_signal() -> None:
    with pytest.raises(ProcessFailed, match="was killed by SIGKILL"):
        run.run("kill -KILL $$")


def test_directory_and_input(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("given")
    with (tmp_path / "input").open() as file:
        assert run.run("pwd; cat", cwd=tmp_path, stdin_file=file, capture_stdout=True).stdout == f"{tmp_path}\ngiven"
    assert run.run("cat", capture_stdout=True).stdout == ""


def test_a_time_out_names_the_command_as_it_was_written() -> None:
    with pytest.raises(TimedOut) as caught:
        run.run("sleep 300 | cat", timeout=0.1)
    assert str(caught.value) == "`sleep 300 | cat` did not end within 0.1 s and was ended"
    assert exit_code_of(caught.value) is ExitCode.TIMED_OUT


def test_a_cancelled_context_starts_nothing(tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel("a sibling failed")
    with scope(token), pytest.raises(Cancelled, match="a sibling failed"):
        run.run(f"touch {tmp_path}/started")
    assert not (tmp_path / "started").exists()


def test_a_child_stands_in_the_present_directory_and_step() -> None:
    before = dict(os.environ)
    with env.NextArtifactDir("here") as directory:
        shown = run.run("echo $ARTIFACT_DIR $FORESAIL_RECORD ${#FORESAIL_STEP}", capture_stdout=True).stdout
    assert shown == f"{directory} {directory.parent} 16\n"
    assert dict(os.environ) == before


def test_the_command_is_logged_unless_it_must_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run.run("true 1")
        run.run("true 2", log_command=False)
    assert [record.getMessage() for record in caplog.records] == ["run: true 1"]


def test_a_secret_is_kept_out_of_the_error(redactor: Redactor) -> None:
    redactor.register("hunter2-d41d8")
    with pytest.raises(ProcessFailed) as caught:
        run.run("echo hunter2-d41d8 >&2; false", capture_stderr=True)
    assert "hunter2" not in f"{caught.value} {caught.value.cmd} {caught.value.tail}"
    assert MASK in str(caught.value)
    assert caught.value.stderr == "hunter2-d41d8\n"  # what was captured is the caller's


def fail(message: str) -> None:
    raise ValueError(message)


def test_run_and_catch_keeps_the_first_error_and_goes_on() -> None:
    done: list[int] = []
    error = run.run_and_catch(None, fail, "the first")
    error = run.run_and_catch(error, fail, "the second")
    error = run.run_and_catch(error, done.append, 1)
    assert isinstance(error, ValueError)
    assert (str(error), done) == ("the first", [1])
    assert run.run_and_catch(None, lambda **kwargs: None, function="f", exc="e") is None


def test_run_and_catch_lets_an_interruption_pass() -> None:
    def interrupt() -> None:
        raise Interrupted(15)

    with pytest.raises(Interrupted):
        run.run_and_catch(None, interrupt)


def test_run_and_catch_refuses_a_forgotten_first_argument() -> None:
    with pytest.raises(TypeError, match="expected an exception or None first"):
        run.run_and_catch(fail, "message")  # type: ignore[arg-type]


class Values:
    """A configuration that is a mapping."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def get_config(self, key: str) -> Any:
        return self.values[key]


class Held:
    """A value that the mapping holds for the time of a block."""

    def __init__(self, config: Values, key: str, value: Any) -> None:
        self.config, self.key, self.value, self.before = config, key, value, config.values[key]

    def __enter__(self) -> None:
        self.config.values[self.key] = self.value

    def __exit__(self, *_: object) -> None:
        self.config.values[self.key] = self.before


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    held = Values({"x": [1, 2], "y": [3, 4], "one": 5, "none": []})
    monkeypatch.setattr(config, "project", held, raising=False)
    monkeypatch.setattr(config, "TempValue", Held)
    return held.values


@pytest.mark.parametrize(
    ("keys", "combinations"),
    [
        (["x", "y"], [(1, 3), (1, 4), (2, 3), (2, 4)]),
        (["x", "one"], [(1, 5), (2, 5)]),
        (["x", "none"], []),
        ([], [()]),
    ],
)
def test_a_function_is_called_for_each_combination(
    values: dict[str, Any], keys: list[str], combinations: list[tuple[int, ...]]
) -> None:
    before, seen = dict(values), list[tuple[int, ...]]()
    run.run_iterable_fields(keys, lambda: seen.append(tuple(values[key] for key in keys)))
    assert seen == combinations
    assert values == before


def test_the_lists_are_restored_when_the_function_fails(values: dict[str, Any]) -> None:
    before = dict(values)
    with pytest.raises(ValueError, match="on purpose"):
        run.run_iterable_fields(["x", "y"], fail, "on purpose")
    assert values == before
