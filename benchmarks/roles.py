"""Roles that the benchmarks write, and what runs one in a run of the library. Used by those that measure commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from projects.core.execution.request import Request
from projects.core.library import env


def write_role(role: Path, task: Mapping[str, Any], times: int = 1) -> Path:
    """Write a role that does the same so many times, and return it."""
    (role / "tasks").mkdir(parents=True)
    (role / "tasks" / "main.yml").write_text(yaml.safe_dump([dict(task) for _ in range(times)]), encoding="utf-8")
    return role


def request_for(role: Path) -> Request:
    """Return what runs a role without variables, in a directory of its own in the run."""
    directory = env.claim_directory(role.name)
    return Request(
        role=role,
        variables={},
        directory=directory,
        artifact_dir=directory,
        environment=dict(os.environ),
        cwd=str(directory),
    )
