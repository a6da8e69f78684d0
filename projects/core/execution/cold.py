"""Commands run by ansible-runner: remote hosts, and every command when FORESAIL_EXECUTION=cold. Called by `command`.

The same callback writes the same files; only the process differs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.processes import run_process
from projects.core.execution.request import SECRETS_FILE, Remote, Request, ansible_settings, interpreter_vars
from projects.core.values.private import private_directory, write_private


def run_cold(request: Request, token: CancelToken, on_output: Callable[[str], object] | None) -> int:
    """Run a command in a process of its own.

    Args:
      request: The command.
      token: Cancelling it ends the command and all that it started.
      on_output: Called with what it prints.

    Returns:
      Ansible's exit code; negative: the signal that ended it.

    Raises:
      Cancelled, TimedOut: see `Pump.run`.
    """
    with private_directory(Path(request.environment.get("FORESAIL_RECORD", request.artifact_dir))) as private:
        environment = {**request.environment, **_write(private, request)}
        arguments = ["run", str(private), "-p", "play.yml", *(["--cmdline", "--check --diff"] if request.check else [])]
        ended = run_process(
            [sys.executable, "-m", "ansible_runner", *arguments],
            token=token,
            environment=environment,
            cwd=request.cwd,
            timeout=request.timeout,
            on_stdout=on_output,
            on_stderr=on_output,
        )
    return ended.status


def _write(private: Path, request: Request) -> dict[str, str]:
    for directory in ("project", "env", "inventory", "cache"):
        (private / directory).mkdir()
    write_private(private / "project" / "play.yml", yaml.safe_dump([request.play]))
    variables = _unsafe({**({} if request.remote else interpreter_vars()), **request.extra_vars})
    write_private(private / "env" / "extravars", json.dumps(variables))
    write_private(private / "inventory" / "hosts", _inventory(request.remote))
    secrets = private / "secrets.json"
    write_private(secrets, json.dumps(request.secrets))
    path = os.pathsep.join([str(Path(sys.executable).parent), request.environment.get("PATH", os.defpath)])
    return {
        **ansible_settings(private / "cache"),
        "ANSIBLE_STDOUT_CALLBACK": "foresail.core.log",
        "PATH": path,
        SECRETS_FILE: str(secrets),
    }


def _inventory(remote: Remote | None) -> str:
    if remote is None:
        return "localhost ansible_connection=local\n"
    username = f" ansible_user={remote.username}" if remote.username else ""
    family = f" ansible_os_family={remote.os_family.title()}" if remote.os_family else ""
    return f"remote ansible_host={remote.hostname}{username}{family}\n"


def _unsafe(value: Any) -> Any:
    """Return data with its strings in the form that Ansible's JSON has for those that are no templates.

    YAML's ``!unsafe`` will not do: behind it, "4.10" in quotes is a number.
    """
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, dict):
        return {key: _unsafe(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_unsafe(member) for member in value]
    return value
