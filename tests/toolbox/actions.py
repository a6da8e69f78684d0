"""Running an action of the collection in this process, as Ansible's worker does."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

Result = dict[str, Any]
Act = Callable[..., Result]
_ACTIONS = "projects.core.ansible_collections.foresail.core.plugins.action"


def act(
    name: str,
    arguments: dict[str, Any],
    *,
    check: bool = False,
    no_log: bool = False,
    variables: dict[str, Any] | None = None,
    role: Path | None = None,
) -> Result:
    """Run an action with these arguments and return its result."""
    task = SimpleNamespace(
        args=arguments,
        check_mode=check,
        no_log=no_log,
        async_val=0,
        environment=[],
        action=f"foresail.core.{name}",
        get_name=lambda: f"foresail.core.{name}",
        get_search_path=lambda: [str(role)] if role else [],
    )
    loader = DataLoader()
    templar = Templar(loader=loader, variables=variables or {})
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    plugin = importlib.import_module(f"{_ACTIONS}.{name}").ActionModule(task, connection, None, loader, templar)
    result: Result = plugin.run(task_vars=variables)
    return result
