"""The cold way through ansible-runner, beside the warm one: the same files, the same events, the same end."""

from __future__ import annotations

import json
import re
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.execution import cold
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.cold import run_cold
from projects.core.execution.command import run_command
from projects.core.execution.processes import Ended
from projects.core.execution.request import Remote, Request
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import Cancelled, CommandFailed
from tests.core.execution.requests import FAILING, HARD, KEEPING, PASSING, TRAP, events_of, log_of, make_request
from tests.core.execution.waiting import running, wait_for_file


@pytest.fixture(scope="module")
def host() -> Iterator[WarmHost]:
    host = WarmHost()
    host.start()
    yield host
    host.stop()


def both(host: WarmHost, tmp_path: Path, tasks: str, **options: Any) -> list[tuple[Request, CommandFailed | None]]:
    """Run the same role both ways; return the requests with their errors."""
    ended = []
    for way in ("warm", "cold"):
        request = make_request(tmp_path / way, tasks, {"text": "hello"}, **options)
        request = replace(request, environment={**request.environment, "FORESAIL_EXECUTION": way})
        error = None
        try:
            run_command(request, name="probe go", command_line="x", host=host, token=CancelToken(), on_output=None)
        except CommandFailed as caught:
            error = caught
        ended.append((request, error))
    return ended


def timeless(request: Request) -> tuple[list[dict[str, Any]], str]:
    """Events and log without what differs from run to run."""
    events = [{**event, "time": "", "seconds": 0} for event in events_of(request)]
    log = re.sub(r"\d\d:\d\d:\d\d|\d+\.\d\ds", "", log_of(request))
    way = request.artifact_dir.name
    return json.loads(json.dumps(events).replace(f"/{way}/", "/")), log.replace(f"/{way}/", "/")


@pytest.mark.parametrize(
    ("tasks", "options"),
    [(PASSING, {}), (FAILING, {}), (PASSING, {"check": True})],
    ids=["passing", "failing", "check mode"],
)
def test_both_ways_leave_the_same(host: WarmHost, tmp_path: Path, tasks: str, options: dict[str, Any]) -> None:
    (warm, warm_error), (chilled, cold_error) = both(host, tmp_path, tasks, **options)
    assert timeless(chilled) == timeless(warm)
    names = {path.name for path in warm.directory.iterdir()}
    assert {path.name for path in chilled.directory.iterdir()} == names
    assert names == {"_ansible.log", "_ansible.events.jsonl", "_ansible.play.yaml", "_ansible.env", "_python.cmd"}
    assert (warm_error is None) == (cold_error is None) == (tasks is PASSING)
    if warm_error and cold_error:
        assert (cold_error.task, cold_error.reason, cold_error.exit_code) == (
            warm_error.task,
            warm_error.reason,
            warm_error.exit_code,
        )


def test_a_role_that_ansible_does_not_accept_fails_the_same_both_ways(host: WarmHost, tmp_path: Path) -> None:
    (warm, warm_error), (chilled, cold_error) = both(host, tmp_path, "- name: x\n  no_such_module:\n")
    assert warm_error is not None
    assert cold_error is not None
    for request, error in ((warm, warm_error), (chilled, cold_error)):
        assert "couldn't resolve module/action 'no_such_module'" in error.reason
        assert "Traceback" not in error.reason
        assert "roles/probe/tasks/main.yml:2" in log_of(request)
    assert warm_error.exit_code == cold_error.exit_code


def test_strings_are_data_in_the_cold_way_too(tmp_path: Path) -> None:
    value = {"strings": HARD, "types": [1, 2.5, True, None, "1"], "keys": {"4.10": {}, "k {{ y }}": []}}
    request = make_request(tmp_path, KEEPING, {"value": value})
    heard: list[str] = []
    assert run_cold(request, CancelToken(), heard.append) == 0, "".join(heard)
    assert json.loads((request.directory / "given").read_text(encoding="utf-8")) == value
    assert not TRAP.exists()


def test_secrets_are_kept_out_in_the_cold_way_too(tmp_path: Path) -> None:
    heard: list[str] = []
    request = make_request(tmp_path, FAILING, {"text": "hunter2-d41d8"}, secrets=("hunter2-d41d8",))
    assert run_cold(request, CancelToken(), heard.append) == 2
    written = "".join(path.read_text() for path in request.directory.iterdir()) + "".join(heard)
    assert "hunter2" not in written
    assert "broken because of ********" in written


def test_a_cancelled_cold_command_leaves_no_process(tmp_path: Path) -> None:
    marker, token = f"probe-{uuid.uuid4().hex}", CancelToken()
    tasks = """
    - name: Sleep
      command: "bash -c 'echo up > {{ artifact_extra_logs_dir }}/up; sleep 300; : {{ probe_marker }}'"
      changed_when: false
    """
    request = make_request(tmp_path, tasks, {"marker": marker})

    def cancel() -> None:
        wait_for_file(request.directory / "up")
        token.cancel("a sibling failed")

    threading.Thread(target=cancel).start()
    with pytest.raises(Cancelled, match="a sibling failed"):
        run_cold(request, token, None)
    assert running(marker) == []


def test_a_remote_host_is_described_by_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _what_cold_writes(
        make_request(tmp_path, PASSING, remote=Remote("mac.example.com", "tester", "darwin")), monkeypatch
    )
    inventory = "remote ansible_host=mac.example.com ansible_user=tester ansible_os_family=Darwin\n"
    assert written["inventory/hosts"] == inventory
    (play,) = yaml.safe_load(written["project/play.yml"])
    assert play["hosts"] == "remote"
    assert "connection" not in play
    assert "ansible_python_interpreter" not in written["env/extravars"]


def test_only_the_host_name_of_a_remote_host_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _what_cold_writes(make_request(tmp_path, PASSING, remote=Remote("host")), monkeypatch)
    assert written["inventory/hosts"] == "remote ansible_host=host\n"


def test_this_host_runs_with_our_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _what_cold_writes(make_request(tmp_path, PASSING, check=True), monkeypatch)
    assert written["inventory/hosts"] == "localhost ansible_connection=local\n"
    assert json.loads(written["env/extravars"])["ansible_python_interpreter"] == {"__ansible_unsafe": sys.executable}
    assert written["argv"].endswith("--cmdline --check --diff")


def _what_cold_writes(request: Request, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files that the cold way hands to ansible-runner, read in its place."""
    found: dict[str, str] = {}

    def read(argv: list[str], **_: object) -> Ended:
        private = Path(argv[4])
        found["argv"] = " ".join(argv)
        assert private.stat().st_mode & 0o077 == 0
        for path in private.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(private))] = path.read_text()
        return Ended(0, b"", b"")

    monkeypatch.setattr(cold, "run_process", read)
    assert run_cold(request, CancelToken(), None) == 0
    return found


def test_what_it_hands_to_ansible_is_private_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(make_request(tmp_path, PASSING, {"text": "hush-4711"}), secrets=("hush-4711",))
    seen: dict[str, int] = {}

    def run_process(argv: list[str], **options: Any) -> Ended:
        place = Path(argv[argv.index("run") + 1])
        assert not place.is_relative_to(tmp_path)
        seen.update(
            {
                str(path): path.stat().st_mode & 0o777
                for path in [place, *place.rglob("*")]
                if "secret" in path.name or path.is_file() or path == place
            }
        )
        assert json.loads(Path(options["environment"]["FORESAIL_SECRETS_FILE"]).read_text()) == ["hush-4711"]
        raise RuntimeError("ended badly")

    monkeypatch.setattr(cold, "run_process", run_process)
    with pytest.raises(RuntimeError, match="ended badly"):
        run_cold(request, CancelToken(), None)
    assert set(seen.values()) == {0o600, 0o700}
    assert not [path for path in seen if Path(path).exists()]
