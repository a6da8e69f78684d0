"""A role that is planned has no effect, whatever it is made of; and it is told what it would do."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projects.core.execution import planned
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.command import plan_command
from projects.core.execution.planned import PlannedTask
from projects.core.execution.request import Remote
from projects.core.execution.warm import WarmHost
from projects.core.values.errors import CommandFailed
from projects.core.values.redaction import MASK, Redactor
from tests.core.execution.requests import make_request

EFFECTS = """
- name: Command
  ansible.builtin.command: touch {{ probe_out }}/command
  check_mode: false
- name: Shell
  ansible.builtin.shell: touch {{ probe_out }}/shell
  until: false
  retries: 100
  delay: 1000
- name: Asynchronous
  ansible.builtin.shell: touch {{ probe_out }}/asynchronous
  async: 1000
  poll: 1000
- name: Copy
  ansible.builtin.copy:
    content: x
    dest: "{{ probe_out }}/copy"
    mode: "0644"
- name: Template
  ansible.builtin.template:
    src: "{{ probe_out }}.j2"
    dest: "{{ probe_out }}/template"
    mode: "0644"
- name: Elsewhere
  ansible.builtin.command: touch {{ probe_out }}/elsewhere
  delegate_to: elsewhere.example
- name: Over ssh
  ansible.builtin.ping:
  vars:
    ansible_connection: ssh
    ansible_host: 127.0.0.1
    ansible_port: "{{ probe_port }}"
- name: Ask a server
  ansible.builtin.uri:
    url: "http://127.0.0.1:{{ probe_port }}/"
- name: Wait for a server
  ansible.builtin.wait_for:
    host: 127.0.0.1
    port: "{{ probe_port | int }}"
    timeout: 1000
- name: Download
  ansible.builtin.get_url:
    url: "http://127.0.0.1:{{ probe_port }}/"
    dest: "{{ probe_out }}/download"
    mode: "0644"
- name: Pause
  ansible.builtin.pause:
    seconds: 1000
- name: Script
  foresail.core.shell:
    script: touch {{ probe_out }}/script
    reads_only: true
  check_mode: false
- name: Apply
  foresail.core.apply:
    manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: default}}
    file: "{{ probe_out }}/manifest"
- name: Read
  foresail.core.get: {kind: Pod, namespace: default}
- name: Patch
  foresail.core.patch: {kind: ConfigMap, name: x, namespace: default, patch: {data: {a: b}}}
- name: Delete
  foresail.core.delete: {kind: ConfigMap, name: x, namespace: default}
- name: Wait
  foresail.core.wait: {kind: Pod, name: x, namespace: default, timeout: 1000}
- name: Exec
  foresail.core.exec: {name: x, namespace: default, command: [touch, x], reads_only: true}
- name: Logs
  foresail.core.logs: {name: x, namespace: default, file: "{{ probe_out }}/log"}
- name: Capture
  foresail.core.capture: {directory: "{{ probe_out }}", reads: [{kind: Pod, files: [pods.yaml]}]}
- name: Reset the connection
  ansible.builtin.meta: reset_connection
- name: Pipe
  ansible.builtin.debug:
    msg: "{{ lookup('pipe', 'touch ' + probe_out + '/pipe') }}"
- name: Lines
  ansible.builtin.debug:
    msg: "{{ item }}"
  with_lines: touch {{ probe_out }}/lines
- name: Address
  ansible.builtin.debug:
    msg: "{{ lookup('url', 'http://127.0.0.1:' + probe_port | string) }}"
- name: Password
  ansible.builtin.debug:
    msg: "{{ lookup('password', probe_out + '/password') }}"
- name: A filter of the role
  ansible.builtin.debug:
    msg: "{{ probe_out | leave_a_mark }}"
- name: An action of the role that is called as a harmless one
  ansible.builtin.include_role:
    name: "{{ probe_tricky }}"
- name: Notify
  ansible.builtin.command: touch {{ probe_out }}/notifier
  notify: Handle
- name: Reached
  ansible.builtin.debug:
    msg: the end
"""
HANDLER = """---
- name: Handle
  ansible.builtin.command: touch {{ probe_out }}/handler
"""
FILTER = """
import pathlib, subprocess

def leave_a_mark(directory):
    pathlib.Path(directory, "filter").touch()
    return directory

class FilterModule:
    def filters(self):
        return {"leave_a_mark": leave_a_mark}
"""
TRICKY = """---
- name: Look harmless
  debug: {}
"""
ACTION = """
import pathlib
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        pathlib.Path(task_vars["probe_out"], "action").touch()
        return {"changed": True}
"""


@pytest.fixture(scope="module")
def host() -> Iterator[WarmHost]:
    host = WarmHost(lambda: {"FORESAIL_PLAN": "1"})
    host.start()
    yield host
    host.stop()


def plan(host: WarmHost, directory: Path, tasks: str, **variables: Any) -> list[PlannedTask]:
    request = make_request(directory, tasks, variables)
    plan_command(request, name="probe it", host=host, token=CancelToken())
    return list(planned.read(request.directory))


def test_nothing_of_a_role_that_is_planned_has_an_effect(host: WarmHost, tmp_path: Path) -> None:
    out, role = tmp_path / "out", tmp_path / "roles" / "probe"
    out.mkdir()
    (tmp_path / "out.j2").write_text("x")
    files = {
        "filter_plugins/marks.py": FILTER,
        "handlers/main.yml": HANDLER,
        "../tricky/tasks/main.yml": TRICKY,
        "../tricky/action_plugins/debug.py": ACTION,
    }
    for name, text in files.items():
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(text)
    with listener() as (port, connections):
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG.format(port=port))
        variables = {"out": str(out), "port": port, "tricky": str(tmp_path / "roles" / "tricky")}
        request = make_request(tmp_path, EFFECTS, variables)
        request = replace(request, environment={**request.environment, "KUBECONFIG": str(kubeconfig)})
        # Whatever is waited for in the role takes longer than this test may.
        plan_command(request, name="probe it", host=host, token=CancelToken())
    names = [task.name for task in planned.read(request.directory)]
    assert list(out.iterdir()) == []
    assert connections == []
    left = {path.name for path in request.directory.iterdir()}
    assert left == {"_ansible.log", "_ansible.events.jsonl", planned.FILE_NAME}
    expected = [line.removeprefix("- name: ") for line in EFFECTS.splitlines() if line.startswith("- name: ")]
    silent = {"Reached", "An action of the role that is called as a harmless one"}
    assert [name for name in names if name in expected] == [name for name in expected if name not in silent]
    assert {"Look harmless", "Handle"} <= set(names)
    assert "the end" in (request.directory / "_ansible.log").read_text()


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: u, user: {{token: none}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u, namespace: default}}}}]
"""


@contextlib.contextmanager
def listener() -> Iterator[tuple[int, list[socket.socket]]]:
    """A server that counts connections and does not answer."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    connections: list[socket.socket] = []
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connections.append(server.accept()[0])

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1], connections
    finally:
        stop.set()
        thread.join()
        for each in (*connections, server):
            each.close()


def test_what_a_task_would_do_is_told_in_words_and_as_data(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - name: Make
      foresail.core.apply:
        manifest:
          - {apiVersion: v1, kind: Service, metadata: {name: s}}
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: other}}
        namespace: "{{ probe_name }}"
    - name: Scale
      foresail.core.patch: {kind: Deployment, api_version: apps/v1, name: d, namespace: n, subresource: scale, patch: {spec: {replicas: 2}}}
    - name: Wait
      foresail.core.wait: {kind: Node, label_selector: a=b, until: ready, count: 2, timeout: 90}
    - name: Run
      foresail.core.shell: {script: "echo {{ probe_name }}", timeout: 7}
    - name: Module
      ansible.builtin.command: {cmd: "ls {{ probe_name }}", chdir: /}
    """
    make, scale, wait, script, module = plan(host, tmp_path, tasks, name="redis")
    assert make.does == "apply Service redis/s, ConfigMap other/c"
    assert make.objects[0] == {"kind": "Service", "api_version": "v1", "name": "s", "namespace": "redis"}
    assert make.manifests[0] == {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    assert scale.does == "patch Deployment n/d (scale)"
    assert (scale.manifests, scale.objects[0]["subresource"]) == ([{"spec": {"replicas": 2}}], "scale")
    assert (wait.verb, wait.timeout, wait.objects[0]["labels"]) == ("wait", 90, "a=b")
    assert "2" in wait.does
    assert (script.script, script.timeout) == ("echo redis", 7)
    assert (module.does, module.script) == ("run the module command (chdir=/)", "ls redis")


def test_a_secret_is_planned_without_its_values(host: WarmHost, tmp_path: Path, redactor: Redactor) -> None:
    tasks = """
    - foresail.core.apply:
        manifest: {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}, stringData: {key: planted-5e8a}}
    """
    (task,) = plan(host, tmp_path, tasks)
    assert task.manifests[0]["stringData"] == {"key": MASK}
    assert all(b"planted-5e8a" not in path.read_bytes() for path in (tmp_path / "artifacts").iterdir())


def test_what_only_a_run_knows_is_marked_where_it_is_used(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - name: Ask
      foresail.core.get: {kind: ConfigMap, name: c, namespace: n}
      register: probe_found
    - name: Remember
      set_fact:
        probe_fact: "{{ probe_found.object.data.size }}"
    - name: Use
      foresail.core.apply:
        manifest:
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: d, namespace: n}
          data: {size: "{{ probe_fact }}", known: "{{ probe_text }}", mixed: "a-{{ probe_found.object.data.x }}"}
    - name: Perhaps
      command: "true"
      when: [probe_text == 'hello', probe_fact == '3']
    - name: Never
      command: "true"
      when: [probe_fact == '3', probe_text == 'other']
    - name: Each
      command: "echo {{ item.name }}"
      loop: "{{ probe_found.objects }}"
    - name: Some
      command: "echo {{ item }}"
      loop: [a, "{{ probe_fact }}"]
    - name: Judge
      assert:
        that: probe_fact | int > 3
    - name: Give up
      fail: {msg: no}
      when: probe_fact is search('x')
    - name: Count
      foresail.core.wait: {kind: Pod, count: "{{ probe_fact }}"}
    """
    ask, remember, use, perhaps, never, each, a, b, judge, give_up, count = plan(host, tmp_path, tasks, text="hello")
    assert ask.unknown == []
    assert remember.unknown == ["probe_found.object.data.size"]
    assert use.manifests[0]["data"] == {
        "size": "<unknown: probe_found.object.data.size>",
        "known": "hello",
        "mixed": "a-<unknown: probe_found.object.data.x>",
    }
    assert (perhaps.when, perhaps.skipped) == ("probe_fact == '3'", "")
    assert never.skipped == "when: probe_text == 'other'"
    assert (each.each, each.script) == ("probe_found.objects", "echo <unknown: item.name>")
    assert [a.script, b.script] == ["echo a", "echo <unknown: probe_found.object.data.size>"]
    assert judge.unknown
    assert give_up.when == "probe_fact is search('x')"
    assert count.unknown


def test_what_a_planned_task_makes_is_known_and_the_rest_of_it_is_not(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - foresail.core.apply:
        manifest: {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n, labels: {a: b}}, spec: {containers: []}}
      register: probe_pod
    - command: "echo {{ probe_pod.object.metadata.name }} {{ probe_pod.object.metadata.labels.a }} {{ probe_pod.object.status.phase }}"
    - command: skipped
      when: probe_pod is failed
    - command: runs
      when: probe_pod is succeeded
    - command: perhaps
      when: probe_pod is changed
    """
    _, said, failed, succeeded, changed = plan(host, tmp_path, tasks)
    assert said.script == "echo p b <unknown: probe_pod.object.status.phase>"
    assert failed.skipped
    assert (succeeded.script, succeeded.when) == ("runs", "")
    assert changed.when == "probe_pod is changed"


def test_what_is_set_when_a_condition_is_not_known_is_not_known_either(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - command: id
      register: probe_id
    - set_fact: {probe_mode: root}
      when: probe_id.stdout is search('root')
    - command: "go {{ probe_mode }}"
    - meta: end_play
      when: probe_id.stdout == 'x'
    - command: still told
    """
    *_, go, meta, last = plan(host, tmp_path, tasks)
    assert go.script == "go <unknown: probe_mode>"
    assert (meta.does, meta.when) == ("end play", "probe_id.stdout == 'x'")
    assert last.script == "still told"


def test_facts_are_not_known_once_they_would_have_been_gathered(host: WarmHost, tmp_path: Path) -> None:
    tasks = """
    - ansible.builtin.setup:
    - command: "echo {{ ansible_facts.distribution }} {{ ansible_distribution }}"
    - command: perhaps
      when: ansible_os_family == 'RedHat'
    """
    _, said, perhaps = plan(host, tmp_path, tasks)
    assert said.script == "echo <unknown: ansible_facts.distribution> <unknown: ansible_distribution>"
    assert perhaps.when == "ansible_os_family == 'RedHat'"
    with pytest.raises(CommandFailed, match="ansible_distribution"):
        plan(host, tmp_path, "- command: 'echo {{ ansible_distribution }}'")


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ('- command: "echo {{ probe_undefined }}"', "probe_undefined"),
        ("- foresail.core.patch: {kind: Pod, nmae: x, patch: {}}", "nmae"),
        ("- fail: {msg: on purpose}", "on purpose"),
        ("- assert: {that: 1 == 2}", "Assertion failed"),
        ("- no_such_action: {}", "no_such_action"),
    ],
)
def test_a_mistake_in_a_role_is_one_in_its_plan(host: WarmHost, tmp_path: Path, tasks: str, reason: str) -> None:
    with pytest.raises(CommandFailed, match=reason):
        plan(host, tmp_path, tasks)


def test_the_fork_that_plans_takes_no_longer_than_a_command(host: WarmHost, tmp_path: Path) -> None:
    plan(host, tmp_path, "- command: 'true'")  # the host is warm
    began = time.monotonic()
    plan(host, tmp_path, "- command: 'true'\n" * 10)
    assert time.monotonic() - began < 30, "a second is what it takes on a machine of its own"


def test_a_command_that_acts_on_another_host_is_planned_here(host: WarmHost, tmp_path: Path) -> None:
    request = make_request(tmp_path, "- command: id", remote=Remote("elsewhere.example"))
    plan_command(request, name="probe it", host=host, token=CancelToken())
    assert [task.script for task in planned.read(request.directory)] == ["id"]
    assert os.environ.get("FORESAIL_PLAN") is None
