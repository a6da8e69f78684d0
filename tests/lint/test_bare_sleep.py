"""A bare sleep does not pass `make lint`, in Python; and no role of ours holds one."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.values.checkout import ROOT

ROLES = sorted(path for base in ("toolbox", "projects") for path in (ROOT / base).glob("**/roles/*"))
SLEEPING_MODULES = {"pause", "wait_for", "wait_for_connection", "async_status"}
SCRIPTS = {"shell", "command", "script", "exec"}
_KEYS_OF_BLOCKS = ("block", "rescue", "always")


def judge(code: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--output-format=concise",
            "--stdin-filename=projects/core/library/doze.py",
        ],
        input=code,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import time\n\ntime.sleep(1)\n",
        "from time import sleep\n\nsleep(1)\n",
        "import time as clock\n\nclock.sleep(1)\n",
        "import asyncio\n\n\nasync def doze():\n    await asyncio.sleep(1)\n",
    ],
)
def test_a_sleep_is_rejected_with_what_to_use_instead(code: str) -> None:
    said = [line for line in judge(code).splitlines() if "TID251" in line]
    assert said, judge(code)
    assert "await" in said[0] if "asyncio" in code else "wait.wait_for" in said[0]


def test_only_clocks_and_who_waits_for_a_server_that_tells_nobody_are_excused() -> None:
    paths = [
        path
        for base in ("projects", "toolbox", "tests", "benchmarks", "testing")
        for path in (ROOT / base).rglob("*.py")
    ]
    excused = {
        path.relative_to(ROOT) for path in paths if re.search(r"noqa: .*TID251", path.read_text(encoding="utf-8"))
    }
    assert excused - {Path(__file__).relative_to(ROOT)} == {
        Path("projects/sim_cluster/clock.py"),
        Path("projects/sim_cluster/jumping.py"),
        Path("projects/sim_cluster/over_http/watching.py"),
        Path("projects/sim_cluster/real_api/control_plane.py"),
    }


def tasks_of(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a file, those in blocks too."""
    for task in document or []:
        yield task
        for key in _KEYS_OF_BLOCKS:
            yield from tasks_of(task.get(key))


def sleeps(task: dict[str, Any]) -> str:
    """Return how a task sleeps, nothing when it does not."""
    for key, value in task.items():
        short = key.rpartition(".")[2]
        if short in SLEEPING_MODULES:
            return key
        text = yaml.safe_dump(value)
        if short in SCRIPTS and re.search(r"(?:^|[\s;&|(\[\"'])sleep(?:\s|\])", text):
            return f"{key} with a sleep"
    return ""


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ({"ansible.builtin.pause": {"seconds": 5}}, "ansible.builtin.pause"),
        ({"wait_for": {"timeout": 5}}, "wait_for"),
        ({"ansible.builtin.shell": "until oc get x; do sleep 5; done"}, "ansible.builtin.shell with a sleep"),
        ({"foresail.core.shell": {"script": "sleep 1d"}}, "foresail.core.shell with a sleep"),
        ({"foresail.core.exec": {"command": ["sleep", "5"]}}, "foresail.core.exec with a sleep"),
        ({"foresail.core.wait": {"kind": "Pod", "until": "ready"}}, ""),
        ({"ansible.builtin.shell": "echo asleep"}, ""),
    ],
)
def test_a_sleep_of_a_task_is_known(task: dict[str, Any], found: str) -> None:
    assert sleeps(task) == found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_sleeps(role: Path) -> None:
    files = [path for each in ("tasks", "handlers") for path in (role / each).glob("*.y*ml")]
    assert files
    for path in files:
        for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
            assert not sleeps(task), (
                f"{path}: '{task.get('name')}' is {sleeps(task)}: foresail.core.wait waits for what it is for"
            )
