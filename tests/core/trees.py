"""Toolbox groups, roles and projects written into temporary trees. Used by the tests of the core."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

PROLOGUE = "from __future__ import annotations\nfrom projects.core.toolbox import command\n"


def write_group(
    root: Path,
    name: str,
    body: str,
    *,
    roles: Mapping[str, str] | None = None,
    project: str | None = None,
    prologue: str = PROLOGUE,
) -> Path:
    """Write a group: its module (a class with the methods of `body`) and its roles; return the module."""
    directory = root / (f"projects/{project}/toolbox" if project else "toolbox") / name
    directory.mkdir(parents=True, exist_ok=True)
    module = directory / f"{name}.py"
    source = f'class {name.title()}:\n    """The group {name}."""\n\n{textwrap.indent(textwrap.dedent(body), "    ")}'
    module.write_text(f"{prologue}\n{source}\n", encoding="utf-8")
    for command, tasks in (roles or {}).items():
        write_role(directory / "roles" / f"{name}_{command}", tasks)
    return module


def write_role(role: Path, tasks: str) -> Path:
    """Write the tasks of a role; return its directory."""
    (role / "tasks").mkdir(parents=True, exist_ok=True)
    (role / "tasks" / "main.yml").write_text("---\n" + textwrap.dedent(tasks), encoding="utf-8")
    return role
