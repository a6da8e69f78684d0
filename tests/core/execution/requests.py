"""Requests of commands whose roles are written for a test. Used by the tests of the execution."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from projects.core.execution.request import Request
from tests.core.trees import write_role

PASSING = """
- name: Say something
  debug:
    msg: "said {{ probe_text }}"
- name: Set something
  set_fact:
    probe_fact: "{{ probe_text }}"
"""
WRITING = """
- name: Keep what was given
  copy:
    content: "{{ probe_text }}"
    dest: "{{ artifact_extra_logs_dir }}/given"
    mode: "0644"
"""
KEEPING = """
- name: Keep what was given
  copy:
    content: "{{ probe_value | to_json }}"
    dest: "{{ artifact_extra_logs_dir }}/given"
    mode: "0644"
"""
FAILING = """
- name: Say something before the end
  debug:
    msg: before the end
- name: Fail on purpose
  fail:
    msg: "broken because of {{ probe_text }}"
- name: Never reached
  debug:
"""
TRAP = Path(f"/tmp/foresail-probe-executed-{os.getpid()}")
"""Made when a string that is data is taken for a template."""
HARD = {
    "template": "{{ not_a_variable }} {% x %} {# no #}",
    "lookup": f"{{{{ lookup('pipe', 'touch {TRAP}') }}}}",
    "version": "4.10",
    "exponent": "1e3",
    "none": "None",
    "zeros": "007",
    "truth": "true",
    "listing": "[a,b]",
    "colon": "a: b # c",
    "quotes": "it's \"quoted\" 'twice'",
    "newline": "first\nsecond\n",
    "dollar": "$HOME ${HOME} $(id) `id`",
    "unicode": "žluťoučký 🐴 …",
    "backslash": "a\\nb\\",
    "spaces": "  both sides  ",
    "empty": "",
    "unsafe": "!unsafe x",
    "separator": "a\u2028b\u0085c",
}


def make_request(directory: Path, tasks: str, variables: Mapping[str, Any] | None = None, **options: Any) -> Request:
    """Write a role and return a request of it; its artifact directory is `artifacts` below `directory`."""
    role = write_role(directory / "roles" / "probe", tasks)
    artifacts = directory / "artifacts"
    artifacts.mkdir(exist_ok=True)
    request = Request(
        role=role,
        variables={f"probe_{name}": value for name, value in (variables or {"text": "hello"}).items()},
        directory=artifacts,
        artifact_dir=directory,
        environment={"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8"},
        cwd=str(directory),
    )
    return replace(request, **options)


def events_of(request: Request) -> list[dict[str, Any]]:
    """The events that the command has left."""
    text = (request.directory / "_ansible.events.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def log_of(request: Request) -> str:
    return (request.directory / "_ansible.log").read_text(encoding="utf-8")
