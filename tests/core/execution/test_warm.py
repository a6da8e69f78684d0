from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projects.core.execution import warm
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.request import Request
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import Cancelled, InfrastructureError, TimedOut
from projects.core.values.redaction import MASK
from tests.core.execution.requests import (
    FAILING,
    HARD,
    KEEPING,
    PASSING,
    TRAP,
    WRITING,
    events_of,
    log_of,
    make_request,
)
from tests.core.execution.waiting import running, wait_for, wait_for_file

SLEEPING = """
- name: Sleep
  command: "bash -c 'echo up > {{ artifact_extra_logs_dir }}/up; sleep 300; : {{ probe_marker }}'"
  changed_when: false
"""
KILLING = """
- name: Come so far
  debug:
    msg: so far
- name: Kill the controller
  shell: |
    controller=$PPID
    while [ "$(cut -d' ' -f6 /proc/$controller/stat)" != "$controller" ]; do controller=$(cut -d' ' -f4 /proc/$controller/stat); done
    kill -{{ probe_signal }} $controller
    : {{ probe_marker }}
    sleep 300
  changed_when: false
"""


@pytest.fixture(scope="module")
def host() -> Iterator[WarmHost]:
    host = WarmHost()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def marker() -> str:
    return f"probe-{uuid.uuid4().hex}"


def execute(host: WarmHost, request: Request, token: CancelToken | None = None) -> tuple[int, str]:
    heard: list[str] = []
    status = host.run(request, token or CancelToken(), heard.append)
    return status, "".join(heard)


def test_a_role_that_passes_leaves_its_log_and_its_events(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, PASSING)
    status, output = execute(host, request)
    assert status == 0
    assert "msg: said hello" in log_of(request)
    assert log_of(request) == output
    said, kept = events_of(request)
    assert (said["outcome"], said["task"], kept["outcome"]) == ("ok", "probe : Say something", "ok")
    assert said["place"] == "probe/tasks/main.yml:3"


def test_a_role_that_fails_names_its_task_and_message(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, FAILING)
    status, output = execute(host, request)
    failed = events_of(request)[-1]
    assert status == 2
    assert (failed["outcome"], failed["task"]) == ("failed", "probe : Fail on purpose")
    assert failed["msg"] == "broken because of hello"
    assert "msg: before the end" in output
    assert "Never reached" not in output


def test_a_string_is_data_whatever_stands_in_it(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, KEEPING, {"value": HARD})
    status, output = execute(host, request)
    assert status == 0, output
    assert json.loads((request.directory / "given").read_text(encoding="utf-8")) == HARD
    assert not TRAP.exists()


def test_a_string_alone_is_data_as_well(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, WRITING, {"text": "{{ lookup('pipe', 'id') }}\n4.10"})
    status, output = execute(host, request)
    assert status == 0, output
    assert (request.directory / "given").read_text() == "{{ lookup('pipe', 'id') }}\n4.10"


def test_data_keeps_its_types(host: WarmHost, tmp_path: Path) -> None:
    value: dict[str, object] = {
        "list": [1, 2.5, True, None, "{{ x }}", "1"],
        "4.10": {"k{{ y }}": HARD["quotes"]},
        "empty": [{}, []],
    }
    request = make_request(tmp_path, KEEPING, {"value": value})
    status, output = execute(host, request)
    assert status == 0, output
    assert json.loads((request.directory / "given").read_text()) == value


def test_what_a_role_made_does_not_reach_the_next_one(host: WarmHost, tmp_path: Path) -> None:
    first = make_request(tmp_path / "1", "- name: Set\n  set_fact:\n    probe_leaked: yes\n")
    second = make_request(
        tmp_path / "2", "- name: Look\n  assert:\n    that: probe_leaked is not defined and probe_x is not defined\n"
    )
    assert execute(host, make_request(tmp_path / "0", PASSING, {"text": "a", "x": "b"}))[0] == 0
    assert execute(host, first)[0] == 0
    assert execute(host, second)[0] == 0


def test_environment_and_directory_are_those_of_the_request(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - name: Look from a module
      command: bash -c 'echo "$PROBE ${HOME} $(pwd)"'
      changed_when: false
    - name: Look from the controller
      debug:
        msg: "{{ lookup('env', 'PROBE') }} {{ lookup('pipe', 'pwd') }} {{ lookup('env', 'PROBE_OF_ANOTHER') }}."
    """
    (tmp_path / "work").mkdir()
    other = make_request(tmp_path / "other", PASSING, environment={"PROBE_OF_ANOTHER": "x", "PATH": os.environ["PATH"]})
    assert execute(host, other)[0] == 0
    request = make_request(tmp_path, tasks, cwd=str(tmp_path / "work"))
    request = make_request(
        tmp_path, tasks, cwd=request.cwd, environment={**request.environment, "PROBE": "a value with spaces ž"}
    )
    status, output = execute(host, request)
    assert status == 0, output
    assert f"stdout: a value with spaces ž {tmp_path} {tmp_path}/work" in output
    assert f"msg: a value with spaces ž {tmp_path}/work ." in output


def test_modules_run_for_a_user_without_a_home(host: WarmHost, tmp_path: Path) -> None:
    environment = {"HOME": "/proc/nowhere", "PATH": os.environ["PATH"]}
    status, output = execute(host, make_request(tmp_path, WRITING, {"text": "x"}, environment=environment))
    assert status == 0, output


def test_check_mode_writes_nothing_and_shows_the_difference(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, WRITING, {"text": "would be written"}, check=True)
    status, output = execute(host, request)
    assert status == 0
    assert not (request.directory / "given").exists()
    assert "would be written" in output
    assert events_of(request)[-1]["outcome"] == "changed"
    assert execute(host, make_request(tmp_path, WRITING))[0] == 0
    assert (request.directory / "given").exists()


def test_secrets_are_kept_out_of_everything_it_writes(host: WarmHost, tmp_path: Path) -> None:
    secret = "hunter2-d41d8cd98f00"
    tasks = """
    - name: Say it
      debug:
        msg: "it is {{ probe_text }}"
    - name: Say it in base64
      debug:
        msg: "it is {{ probe_text | b64encode }}"
    - name: "Fail with {{ probe_text }}"
      fail:
        msg: "broken by {{ probe_text }}"
    """
    request = make_request(tmp_path, tasks, {"text": secret}, secrets=(secret,))
    status, output = execute(host, request)
    assert status == 2
    written = output + log_of(request) + (request.directory / "_ansible.events.jsonl").read_text()
    assert secret not in written
    assert "aHVudGVyMi1k" not in written
    assert f"broken by {MASK}" in written


def test_a_task_that_hides_its_output_hides_it(host: WarmHost, tmp_path: Path) -> None:
    tasks = "- name: Hide\n  fail:\n    msg: hunter2-hidden\n  no_log: true\n"
    request = make_request(tmp_path, tasks)
    status, output = execute(host, request)
    assert status == 2
    assert "hunter2-hidden" not in output + (request.directory / "_ansible.events.jsonl").read_text()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_fork_that_a_signal_kills_is_one_failed_command(
    host: WarmHost, tmp_path: Path, signum: signal.Signals, marker: str
) -> None:
    request = make_request(tmp_path, KILLING, {"signal": signum.name.removeprefix("SIG"), "marker": marker})
    status, output = execute(host, request)
    assert status == -signum
    assert "so far" in output
    assert [event["task"] for event in events_of(request)] == ["probe : Come so far"]
    assert execute(host, make_request(tmp_path / "next", PASSING))[0] == 0
    wait_for(lambda: running(marker) == [], "the end of what the dead command had started")


def test_a_cancelled_command_leaves_no_process(host: WarmHost, tmp_path: Path, marker: str) -> None:
    request, token = make_request(tmp_path, SLEEPING, {"marker": marker}), CancelToken()

    def cancel() -> None:
        wait_for_file(request.directory / "up")
        token.cancel("a sibling failed")

    threading.Thread(target=cancel).start()
    with pytest.raises(Cancelled, match="a sibling failed"):
        execute(host, request, token)
    assert running(marker) == []
    assert execute(host, make_request(tmp_path / "next", PASSING))[0] == 0


def test_a_command_that_takes_too_long_leaves_no_process(host: WarmHost, tmp_path: Path, marker: str) -> None:
    assert execute(host, make_request(tmp_path / "before", PASSING))[0] == 0
    with pytest.raises(TimedOut, match="probe did not end within 2 s"):
        execute(host, make_request(tmp_path, SLEEPING, {"marker": marker}, timeout=2.0))
    assert running(marker) == []


def test_no_command_starts_under_a_cancelled_token(host: WarmHost, tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel("over")
    request = make_request(tmp_path, PASSING)
    with pytest.raises(Cancelled, match="over"):
        execute(host, request, token)
    assert list(request.directory.iterdir()) == []


def test_thirty_commands_at_once_keep_to_themselves(host: WarmHost, tmp_path: Path) -> None:
    requests = [make_request(tmp_path / str(number), PASSING, {"text": f"number {number}."}) for number in range(30)]
    with ThreadPoolExecutor(30) as pool:
        ended = list(pool.map(lambda request: execute(host, request), requests))
    assert [status for status, _ in ended] == [0] * 30
    for number, (request, (_, output)) in enumerate(zip(requests, ended, strict=True)):
        assert f"msg: said number {number}.\n" in output
        assert output == log_of(request)


def test_output_that_fills_every_pipe_arrives_whole(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - name: Say much
      debug:
        msg: "{{ 'x' * 3000 }}"
      loop: "{{ range(200) | list }}"
    """
    request = make_request(tmp_path, tasks)
    status, output = execute(host, request)
    assert (status, output) == (0, log_of(request))
    assert output.count("x" * 3000) == 200


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ("- name: x\n  no_such_module:\n", "no_such_module"),
        ("- name: [\n", "YAML"),
        ("- name: x\n  debug:\n    msg: '{{ probe_undefined }}'\n", "probe_undefined"),
        ("- import_tasks: missing.yml\n", "missing.yml"),
    ],
    ids=["module", "syntax", "undefined", "import"],
)
def test_a_role_that_ansible_does_not_accept_says_why(host: WarmHost, tmp_path: Path, tasks: str, said: str) -> None:
    status, output = execute(host, make_request(tmp_path, tasks))
    assert status > 0
    assert said in output


def test_the_host_starts_with_the_first_command_and_again_when_it_has_died(tmp_path: Path) -> None:
    host = WarmHost()
    try:
        assert execute(host, make_request(tmp_path / "1", PASSING))[0] == 0
        assert host._process is not None
        first = host._process.pid
        os.kill(first, signal.SIGKILL)
        host._process.wait()
        assert execute(host, make_request(tmp_path / "2", PASSING))[0] == 0
        assert host._process.pid != first
    finally:
        host.stop()


def test_a_host_that_dies_under_a_command_is_an_infrastructure_error(tmp_path: Path, marker: str) -> None:
    host = WarmHost()
    request = make_request(tmp_path, SLEEPING, {"marker": marker})

    def kill() -> None:
        wait_for_file(request.directory / "up")
        assert host._process is not None
        host._process.kill()

    threading.Thread(target=kill).start()
    try:
        with pytest.raises(InfrastructureError, match="the warm Ansible host has ended while a command was running"):
            execute(host, request)
        wait_for(lambda: running(marker) == [], "the end of the command")
    finally:
        host.stop()


def test_a_stopped_host_leaves_nothing(tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_STOP_TIMEOUT_S", 60.0)  # it is not killed because the machine is busy
    host = WarmHost()
    request = make_request(tmp_path, SLEEPING, {"marker": marker})

    def stop() -> None:
        wait_for_file(request.directory / "up")
        host.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    status, _ = execute(host, request)
    stopping.join()
    assert status != 0
    assert running(marker) == []
    assert host._cache is None


def test_a_host_that_nobody_has_used_is_stopped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_STOP_TIMEOUT_S", 600.0)
    host = WarmHost()
    host.start()
    assert host._process is not None
    assert host._cache is not None
    process, cache = host._process, host._cache
    host.stop()
    assert process.poll() == -signal.SIGKILL, "it was left to end by itself, once it is warm"
    assert not cache.exists()


def test_a_command_is_cancelled_while_the_host_is_still_warming_up(tmp_path: Path, marker: str) -> None:
    host, token = WarmHost(), CancelToken()
    request = make_request(tmp_path, SLEEPING, {"marker": marker})
    host.start()
    assert host._process is not None
    pid = host._process.pid
    os.kill(pid, signal.SIGSTOP)  # it gets no further until the command was cancelled

    def cancel() -> None:
        wait_for(lambda: host._used, "the command")
        token.cancel("a sibling failed")
        os.kill(pid, signal.SIGCONT)

    threading.Thread(target=cancel).start()
    try:
        with pytest.raises(Cancelled, match="a sibling failed"):
            execute(host, request, token)
        assert execute(host, make_request(tmp_path / "next", PASSING))[0] == 0
        assert not (request.directory / "up").exists()
        assert running(marker) == []
    finally:
        host.stop()


OWNER = """
import sys, threading
from pathlib import Path
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.warm import WarmHost
from tests.core.execution.requests import make_request
from tests.core.execution.test_warm import SLEEPING
host = WarmHost()
host.start()
print(host._process.pid, host._cache, flush=True)
host.run(make_request(Path(sys.argv[1]), SLEEPING, {"marker": sys.argv[2]}), CancelToken(), None)
"""


def test_the_host_ends_with_its_owner_however_that_ends(tmp_path: Path, marker: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    argv = [sys.executable, "-c", OWNER, str(tmp_path), marker]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        pid, cache = owner.stdout.readline().split()
        wait_for_file(tmp_path / "artifacts" / "up")
        owner.kill()
        owner.wait()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the end of the host")
    assert running(marker) == []
    wait_for(lambda: not Path(cache).exists(), "its private directory to go")
