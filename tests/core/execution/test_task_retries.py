"""Each attempt of a task is recorded, in both ways of executing a command, and a failed one before a passed one is a flake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.cold import run_cold
from projects.core.execution.warm import WarmHost
from projects.core.record.flakes import task_flakes
from projects.core.record.steps import Step
from tests.core.execution.requests import events_of, log_of, make_request

TASKS = """
- name: Log in
  ansible.builtin.command:
    argv: [bash, -c, 'echo x >> tries; test $(wc -l < tries) -ge 3 || { echo no such host >&2; exit 1; }']
  args: {chdir: "{{ artifact_extra_logs_dir }}"}
  register: login
  until: login is succeeded
  retries: 5
  delay: 0
  changed_when: true
- name: Fetch
  foresail.core.shell:
    script: echo x >> fetches; test $(wc -l < fetches) -ge 2
    directory: "{{ artifact_extra_logs_dir }}"
  retries: 2
  delay: 0
- name: Ask
  foresail.core.shell:
    script: echo x >> asked; test $(wc -l < asked) -ge 2
    directory: "{{ artifact_extra_logs_dir }}"
    check: false
  register: asked
  until: asked.rc == 0
  delay: 0
- name: Look
  ansible.builtin.command:
    argv: [bash, -c, 'echo x >> looks; wc -l < looks']
  args: {chdir: "{{ artifact_extra_logs_dir }}"}
  register: looked
  until: looked.stdout == '2'
  delay: 0
  changed_when: true
"""


@pytest.fixture
def host() -> Iterator[WarmHost]:
    host = WarmHost()
    yield host
    host.stop()


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_attempts_of_a_task(host: WarmHost, tmp_path: Path, cold: bool) -> None:
    request = make_request(tmp_path, TASKS)
    token = CancelToken()
    heard: list[str] = []
    status = run_cold(request, token, heard.append) if cold else host.run(request, token, heard.append)
    assert status == 0, "".join(heard)
    found = [
        (each["task"], each["outcome"], each.get("attempt"), each.get("failed"))
        for each in events_of(request)
        if each["outcome"] != "acts"
    ]
    log_in, fetch, ask, look = (f"probe : {name}" for name in ("Log in", "Fetch", "Ask", "Look"))
    assert found == [
        (log_in, "retry", 1, True),
        (log_in, "retry", 2, True),
        (log_in, "changed", None, None),
        (fetch, "retry", 1, True),
        (fetch, "changed", None, None),
        (ask, "retry", 1, False),
        (ask, "changed", None, None),
        (look, "retry", 1, False),
        (look, "changed", None, None),
    ]
    assert "attempt 2 of 6 did not pass" in log_of(request)
    step = Step("s", None, "command", "a b", request.directory.name)
    flakes = task_flakes(tmp_path, step, "000__a__b")
    assert [flake.name for flake in flakes] == [f"000__a__b / {log_in}", f"000__a__b / {fetch}"]
    assert flakes[0].failures == ["non-zero return code: no such host"] * 2
    assert flakes[1].failures == ["the script exited with 1 and wrote nothing"]
