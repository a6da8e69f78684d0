"""What a toolbox command costs in an orchestration, beside the same through cold `ansible-playbook`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.results import Figure, median_seconds
from benchmarks.roles import write_role
from projects.core.execution.cancellation import CancelToken
from projects.core.execution.request import Request, ansible_settings
from projects.core.execution.warm import WarmHost

_COMMANDS = 20
_TASK: Mapping[str, Any] = {"name": "Tick", "ansible.builtin.set_fact": {"ticked": "{{ bench_tick_number }}"}}


def measure() -> Iterator[Figure]:
    """Yield seconds per command, warm and cold, and what one more task costs."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        host = WarmHost()
        try:
            host.start()
            run = _runner(host, directory)
            run(write_role(directory / "bench_tick", _TASK))
            warm = median_seconds(lambda: run(directory / "bench_tick"), _COMMANDS)
            many = write_role(directory / "bench_ticks", _TASK, 11)
            more = median_seconds(lambda: run(many), 5)
        finally:
            host.stop()
        cold = median_seconds(lambda: _cold(directory), 5)
    yield Figure(f"a warm command with one task, median of {_COMMANDS}", warm, "s", 0.10)
    yield Figure("the same through cold ansible-playbook", cold, "s")
    yield Figure("cold / warm", cold / warm, "x", 10, at_least=True)
    yield Figure("one more task in a warm command", (more - warm) / 10, "s", 0.03)


def _runner(host: WarmHost, directory: Path) -> Any:
    def run(role: Path) -> None:
        own = Path(tempfile.mkdtemp(dir=directory))
        request = Request(
            role=role,
            variables={"bench_tick_number": "4.10"},
            directory=own,
            artifact_dir=own,
            environment=dict(os.environ),
            cwd=str(directory),
        )
        assert host.run(request, CancelToken(), None) == 0

    return run


def _cold(directory: Path) -> None:
    play = directory / "cold.yml"
    tasks = [dict(_TASK)]
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "localhost",
                    "connection": "local",
                    "gather_facts": False,
                    "vars": {"bench_tick_number": "4.10"},
                    "tasks": tasks,
                }
            ]
        ),
        encoding="utf-8",
    )
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(play)]
    environment = {**os.environ, **ansible_settings(directory), "LC_ALL": "C.UTF-8"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
