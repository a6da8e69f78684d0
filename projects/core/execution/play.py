"""Running one play in this process: prepared once in the warm host, run in each of its forks. Imports Ansible.

The recipe is the one that architecture.md states as measured: everything that a first play costs (imports,
plugin loading, configuration, the inventory) is paid by the host, and a fork runs the next play in 0.02 to 0.05 s.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins import strategy
from ansible.plugins.loader import (
    action_loader,
    callback_loader,
    connection_loader,
    filter_loader,
    init_plugin_loader,
    test_loader,
)
from ansible.template import trust_as_template
from ansible.utils.context_objects import CLIArgs
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

from projects.core.execution.inline_worker import InlineWorker
from projects.core.execution.request import COLLECTIONS, PLAN, interpreter_vars

LOG_CALLBACK = "foresail.core.log"
_WARM_UP: dict[str, Any] = {
    "name": "Warm up",
    "hosts": "localhost",
    "connection": "local",
    "gather_facts": False,
    "tasks": [{"name": "Fill the caches", "set_fact": {"foresail_warm": trust_as_template("{{ 1 + 1 }}")}}],
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What Ansible made once: its loader, inventory and variable manager."""

    loader: DataLoader
    inventory: InventoryManager
    variables: VariableManager


def prepare() -> Prepared:
    """Load Ansible whole, with our plugins, and run one play so that its caches are filled."""
    init_plugin_loader()
    strategy.WorkerProcess = InlineWorker
    cli = PlaybookCLI(["ansible-playbook", "--inventory", "localhost,", "none.yml"])
    cli.parse()
    prepared = Prepared(*cli._play_prereqs())  # noqa: SLF001 - what `ansible-playbook` itself calls
    _load_what_workers_load()
    for path in sorted((COLLECTIONS / "ansible_collections/foresail/core/plugins/action").glob("[a-z]*.py")):
        action_loader.get(f"foresail.core.{path.stem}", class_only=True, collection_list=[])
    callback_loader.get(LOG_CALLBACK, class_only=True)
    with contextlib.redirect_stdout(io.StringIO()):
        run_play(prepared, _WARM_UP, {})
    return prepared


def _load_what_workers_load() -> None:
    """Load the plugins that each fork would otherwise load for itself: half of a task's time."""
    for name in ("local", "ansible.builtin.local"):
        connection_loader.get(name, PlayContext())  # brings its shell plugin along
    for loader in (filter_loader, test_loader):
        list(loader.all())
    for name in ("normal", "command", "copy", "debug", "fail", "assert", "set_fact", "template", "include_tasks"):
        action_loader.get(f"ansible.builtin.{name}", class_only=True)


def _end_group(signum: int, frame: FrameType | None) -> None:
    """End with all that was started in the same process group, such as the process of a stock module."""
    del frame
    signal.signal(signum, signal.SIG_DFL)
    os.killpg(os.getpgrp(), signum)


def run_play(prepared: Prepared, play: Mapping[str, Any], extra_vars: Mapping[str, Any], *, check: bool = False) -> int:
    """Run a play and return Ansible's exit code: 0 passed, 1 error, 2 a host failed, 4 unreachable.

    Args:
      prepared: What `prepare` returned, in this process or in the one it was forked from.
      play: The play; its strings are ours and may hold templates.
      extra_vars: The role's variables: data, whose strings are never templates, whatever they hold.
      check: Whether to run in check mode, showing differences.

    With `$FORESAIL_PLAN` nothing is run: what the tasks would do is written down, in a process that is good for nothing else after.
    """
    directory = extra_vars.get("artifact_extra_logs_dir")  # the warm-up has none
    if directory and os.environ.get(PLAN):
        from projects.core.execution.plan_gate import close_gate  # noqa: PLC0415 - only a process that plans needs it

        close_gate(Path(directory))
    if check:
        context.CLIARGS = CLIArgs({**context.CLIARGS, "check": True, "diff": True})
    # Ansible treats a string as a template only when it is tagged as trusted; these plain ones are not.
    prepared.variables._extra_vars = {**interpreter_vars(), **extra_vars}  # noqa: SLF001 - no public way in
    prepared.loader.set_basedir(str(Path.cwd()))
    manager = TaskQueueManager(
        inventory=prepared.inventory,
        variable_manager=prepared.variables,
        loader=prepared.loader,
        passwords={},
        stdout_callback_name=LOG_CALLBACK,
        run_additional_callbacks=False,
        forks=1,
    )
    signal.signal(signal.SIGTERM, _end_group)  # in place of the manager's, which ends worker processes
    try:
        loaded = Play.load(dict(play), variable_manager=prepared.variables, loader=prepared.loader)
        code = int(manager.run(loaded))
        manager.send_callback("v2_playbook_on_stats", manager._stats)  # noqa: SLF001 - as PlaybookExecutor does
    except AnsibleError as error:  # a role that it does not accept: shown as `ansible-playbook` does
        Display().error(error)
        code = int(error._exit_code)  # noqa: SLF001
    finally:
        manager.cleanup()
        sys.stdout.flush()
        sys.stderr.flush()
    return code
