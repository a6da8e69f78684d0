"""What it takes to run one toolbox command, as data. Made by `command`, carried out by `warm` or `cold`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.core.values.checkout import ROOT

COLLECTIONS = ROOT / "projects" / "core"
"""The directory that holds `ansible_collections/foresail/core`."""

PLAN = "FORESAIL_PLAN"
"""Set where nothing may have an effect: roles are planned, and no connection is opened to warm up."""

MAIN = "main"
"""The tasks file of a role that is its command."""

SECRETS_FILE = "FORESAIL_SECRETS_FILE"
"""Names a private file of secret values (JSON), for an Ansible that is not a fork of ours."""


@dataclass(frozen=True, slots=True)
class Remote:
    """The host that a command acts on when it is not this one."""

    hostname: str
    username: str | None = None
    os_family: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One command to run.

    Args:
      role: Directory of its role.
      variables: The role's variables, as data.
      directory: Its artifact directory, which exists.
      artifact_dir: The artifact directory of the code that called it.
      environment: The whole environment of its processes.
      cwd: Their working directory.
      check: Whether nothing may be written and what would change is shown.
      secrets: Values to keep out of everything it writes.
      remote: The host that it acts on, None for this one.
      timeout: Seconds that it is given, None for as long as it takes.
      tasks_from: The tasks file of the role.
    """

    role: Path
    variables: Mapping[str, Any]
    directory: Path
    artifact_dir: Path
    environment: Mapping[str, str]
    cwd: str
    check: bool = False
    secrets: tuple[str, ...] = ()
    remote: Remote | None = None
    timeout: float | None = None
    tasks_from: str = MAIN

    @property
    def extra_vars(self) -> dict[str, Any]:
        """The role's variables and the ones that every role is given."""
        own = {"artifact_dir": str(self.artifact_dir), "artifact_extra_logs_dir": str(self.directory)}
        return {**self.variables, **own}

    @property
    def play(self) -> dict[str, Any]:
        """The play, without its variables."""
        play: dict[str, Any] = {
            "name": f"Run {self.role.name} role",
            "hosts": "remote" if self.remote else "localhost",
            "gather_facts": False,
            **self._work,
        }
        return play if self.remote else {**play, "connection": "local"}

    @property
    def _work(self) -> dict[str, Any]:
        if self.tasks_from == MAIN:
            return {"roles": [str(self.role)]}
        other = {"name": str(self.role), "tasks_from": self.tasks_from}
        return {"tasks": [{"name": f"Run the {self.tasks_from} of the role", "import_role": other}]}


def ansible_settings(cache: Path) -> dict[str, str]:
    """Return the environment variables that make an Ansible ours.

    Args:
      cache: A private directory for what Ansible and the cluster access keep between commands.
    """
    roles = [*ROOT.glob("toolbox/*/roles"), *ROOT.glob("projects/*/toolbox/*/roles")]
    return {
        "ANSIBLE_CONFIG": str(Path(__file__).with_name("ansible.cfg")),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "False",
        "ANSIBLE_ROLES_PATH": ":".join(map(str, roles)),
        "ANSIBLE_HOME": str(cache / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(cache / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(cache / "tmp"),
        "FORESAIL_CACHE_DIR": str(cache),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }


def interpreter_vars() -> dict[str, str]:
    """Return the variables that make stock modules run with this Python."""
    return {"ansible_python_interpreter": sys.executable}
