from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.execution import command
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.command import log_tail, run_command
from projects.core.execution.request import Remote, Request
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import CommandFailed
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import MASK, Redactor
from tests.core.execution.requests import PASSING, make_request

LINE = "/checkout/run_toolbox.py probe go --text=hello"


class PlayedHost(WarmHost):
    """A host that plays what a command would leave: its events, its log, its output and its status."""

    def __init__(self, status: int = 0, events: Sequence[dict[str, Any] | str] = (), log: str | None = "") -> None:
        super().__init__()
        self.status, self.events, self.log = status, events, log

    def run(self, request: Request, token: CancelToken, on_output: Callable[[str], object] | None) -> int:
        lines = [each if isinstance(each, str) else json.dumps(each) + "\n" for each in self.events]
        if lines:
            (request.directory / "_ansible.events.jsonl").write_text("".join(lines))
        if self.log is not None:
            (request.directory / "_ansible.log").write_text(self.log)
        if on_output:
            on_output("what it printed\n")
        return self.status


def event(outcome: str, task: str = "probe : A task", **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "task": task, "rescued": False, "msg": f"{task} went wrong", "foresail": None, **more}


def run(request: Request, host: WarmHost, heard: list[str] | None = None) -> None:
    on_output = None if heard is None else heard.append
    run_command(request, name="probe go", command_line=LINE, host=host, token=CancelToken(), on_output=on_output)


def failed(request: Request, host: WarmHost) -> CommandFailed:
    with pytest.raises(CommandFailed) as caught:
        run(request, host)
    return caught.value


def test_the_familiar_files_are_written(tmp_path: Path) -> None:
    request, heard = make_request(tmp_path, PASSING, {"text": "4.10", "flag": True}), list[str]()
    run(request, PlayedHost(), heard)
    (play,) = yaml.safe_load((request.directory / "_ansible.play.yaml").read_text())
    assert play["vars"] == {
        "probe_text": "4.10",
        "probe_flag": True,
        "artifact_dir": str(tmp_path),
        "artifact_extra_logs_dir": str(request.directory),
    }
    assert (play["hosts"], play["roles"], play["gather_facts"]) == ("localhost", [str(request.role)], False)
    line = request.directory / "_python.cmd"
    assert line.read_text() == f"{LINE}\n"
    assert os.access(line, os.X_OK)
    assert heard == ["what it printed\n"]


def test_the_environment_is_kept_by_an_allow_list(tmp_path: Path) -> None:
    environment = {
        "PATH": "/bin",
        "KUBECONFIG": "/k",
        "LC_ALL": "C",
        "FORESAIL_STEP": "1",
        "FOO_TOKEN": "tok",
        "AWS_SECRET_ACCESS_KEY": "tok",
        "FORESAIL_SECRETS_FILE": "tok",
        "PATH_TO_TOKEN": "tok",
        "XPATH": "tok",
    }
    request = make_request(tmp_path, PASSING, environment=environment)
    run(request, PlayedHost())
    kept = (request.directory / "_ansible.env").read_text()
    assert kept == "FORESAIL_STEP=1\nKUBECONFIG=/k\nLC_ALL=C\nPATH=/bin\n"


@pytest.mark.parametrize("secret", ["hunter2-d41d8", 'it\'s: "a\\b" ö', "several\nlines: of\nsecret it's"])
def test_no_secret_stands_in_any_file(tmp_path: Path, redactor: Redactor, secret: str) -> None:
    redactor.register(secret)
    variables = {"text": f"x{secret}y", "nested": [{secret: secret}]}
    request = make_request(tmp_path, PASSING, variables, environment={"KUBECONFIG": secret})
    run(request, PlayedHost())
    for path in request.directory.iterdir():
        for line in secret.splitlines():
            assert line not in path.read_text(), path
            assert line.replace("'", "''") not in path.read_text(), path
    (play,) = yaml.safe_load((request.directory / "_ansible.play.yaml").read_text())
    assert play["vars"]["probe_text"] == f"x{MASK}y"


def test_a_failed_task_is_told_with_its_message_and_the_last_lines(tmp_path: Path) -> None:
    log = "".join(f"line {number}\n" for number in range(100))
    error = failed(make_request(tmp_path, PASSING), PlayedHost(2, [event("ok"), event("failed")], log))
    assert str(error) == "probe go failed in the task 'probe : A task': probe : A task went wrong"
    assert (error.task, error.reason, error.exit_code) == ("probe : A task", "probe : A task went wrong", 1)
    assert error.directory == tmp_path / "artifacts"
    assert error.log_tail.splitlines() == [f"line {number}" for number in range(80, 100)]
    assert error.cmd == "run_toolbox.py probe go"


@pytest.mark.parametrize("code", [ExitCode.INFRASTRUCTURE, ExitCode.TIMED_OUT, ExitCode.TEST_FAILED])
def test_a_typed_failure_keeps_its_exit_code_and_its_hint(tmp_path: Path, code: ExitCode) -> None:
    typed = event("failed", foresail={"exit_code": int(code), "hint": "look there"})
    error = failed(make_request(tmp_path, PASSING), PlayedHost(2, [typed]))
    assert (error.exit_code, error.returncode, error.hint) == (code, int(code), "look there")


@pytest.mark.parametrize(("in_vain", "transient"), [(True, False), (False, True)])
def test_what_the_task_knows_to_be_in_vain_is_not_tried_again(tmp_path: Path, in_vain: bool, transient: bool) -> None:
    typed = event("failed", foresail={"exit_code": 3, "hint": None, "in_vain": in_vain})
    error = failed(make_request(tmp_path, PASSING), PlayedHost(2, [typed]))
    assert (error.exit_code, error.transient) == (ExitCode.INFRASTRUCTURE, transient)


def test_an_unreachable_host_is_infrastructure(tmp_path: Path) -> None:
    error = failed(make_request(tmp_path, PASSING), PlayedHost(4, [event("unreachable")]))
    assert error.exit_code is ExitCode.INFRASTRUCTURE


def test_the_task_that_a_rescue_section_did_not_save_is_told(tmp_path: Path) -> None:
    saved, lost = event("failed", "probe : Saved", rescued=True), event("failed", "probe : In the rescue")
    error = failed(make_request(tmp_path, PASSING), PlayedHost(2, [saved, lost]))
    assert error.task == "probe : In the rescue"
    error = failed(make_request(tmp_path, PASSING), PlayedHost(2, [saved]))
    assert error.task == "probe : Saved"


def test_a_failure_that_was_ignored_is_not_the_reason(tmp_path: Path) -> None:
    events = [event("ignored", "probe : Ignored"), event("failed", "probe : The reason"), event("failed", "later")]
    assert failed(make_request(tmp_path, PASSING), PlayedHost(2, events)).task == "probe : The reason"


@pytest.mark.parametrize("rest", ["", '{"outcome": "failed", "ta', '{"outcome": "failed", "foresail": {"a": 1}', "\n"])
def test_a_killed_process_is_told_with_its_signal_and_what_it_did_last(tmp_path: Path, rest: str) -> None:
    host = PlayedHost(-signal.SIGSEGV, [event("ok", "probe : The last one"), rest], "the log\n")
    error = failed(make_request(tmp_path, PASSING), host)
    assert error.reason == "its process was killed by SIGSEGV after 'probe : The last one'"
    assert (error.exit_code, error.log_tail) == (ExitCode.TEST_FAILED, "the log")


def test_a_process_that_was_killed_before_its_first_task(tmp_path: Path) -> None:
    error = failed(make_request(tmp_path, PASSING), PlayedHost(-9, [], None))
    assert error.reason == "its process was killed by SIGKILL after 'the start of the play'"


def test_what_a_command_printed_is_its_log_when_it_has_none(tmp_path: Path, redactor: Redactor) -> None:
    redactor.register("printed")
    request = make_request(tmp_path, PASSING)
    error = failed(request, PlayedHost(4, [], None))
    assert error.reason == f"Ansible exited with 4:\nwhat it {MASK}"
    assert log_tail(request.directory) == f"what it {MASK}"


def test_a_passed_command_is_given_no_log(tmp_path: Path) -> None:
    request = make_request(tmp_path, PASSING)
    run(request, PlayedHost(0, [], None))
    assert not (request.directory / "_ansible.log").exists()
    assert log_tail(request.directory) == ""


def test_only_an_explicit_wish_or_a_remote_host_is_executed_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold: list[Request] = []

    def run_cold(request: Request, token: CancelToken, on_output: object) -> int:
        cold.append(request)
        return 0

    monkeypatch.setattr(command, "run_cold", run_cold)
    warm = make_request(tmp_path, PASSING)
    run(warm, PlayedHost())
    assert cold == []
    for request in (
        replace(warm, remote=Remote("host")),
        replace(warm, environment={**warm.environment, "FORESAIL_EXECUTION": "cold"}),
    ):
        run(request, PlayedHost(1))
        assert cold.pop() is request


def test_the_written_line_can_be_run(tmp_path: Path) -> None:
    request = make_request(tmp_path, PASSING)
    run_command(request, name="x", command_line="echo again", host=PlayedHost(), token=CancelToken(), on_output=None)
    done = subprocess.run([f"{request.directory}/_python.cmd"], shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "again\n"
