"""The gate of a planned role: everything in Ansible that could have an effect, closed. Called by `play`, in a fork that plans.

There is one place where every task's action is obtained (`_get_action_handler_with_module_context`). An action that is
not pure is replaced there by one that says what it would do. Behind that stands a second wall: an audit hook, which the
fork cannot take off any more, refuses processes, connections and files outside of what is ours, whatever asks for them
(a lookup, a filter that a role brings along).
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ansible
from ansible import constants
from ansible._internal._templating import _engine, _jinja_plugins
from ansible._internal._templating._engine import TemplateEngine
from ansible._internal._templating._jinja_common import MarkerError
from ansible.errors import AnsibleError
from ansible.executor.task_executor import TaskExecutor
from ansible.executor.task_result import _RawTaskResult
from ansible.playbook.handler import Handler
from ansible.plugins import strategy
from ansible.plugins.strategy import StrategyBase

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import planning
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import native
from projects.core.execution import planned
from projects.core.execution.inline_worker import InlineWorker
from projects.core.execution.planned import PlannedTask
from projects.core.execution.unknown_templates import (
    FAIL,
    RESULT,
    ShowUnknown,
    UnknownMarker,
    informed,
    is_of_unknown,
    with_markers,
)
from projects.core.values.unknown import is_unknown, marker, unknowns

Result = dict[str, Any]

_BUILTIN = Path(ansible.__file__).parent / "plugins" / "action"
_PURE = frozenset(
    {
        "add_host",
        "assert",
        "debug",
        "fail",
        "group_by",
        "include_vars",
        "set_fact",
        "set_stats",
        "validate_argument_spec",
    }
)
"""Actions of Ansible's own that only read, compute and remember."""
_GATHERS = re.compile(r"(^|\.)(setup|gather_facts|\w+_facts)$")
"""Modules that return facts."""
_FACT = re.compile(r"\bansible_\w+")
_MAY_FAIL = ("assert", "fail")
_NO_EFFECT_BUT_OUTSIDE = ("reset_connection", "refresh_inventory")
_REFUSED = frozenset(
    {
        "os.chmod",
        "os.chown",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.killpg",
        "os.link",
        "os.mkdir",
        "os.posix_spawn",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.setxattr",
        "os.spawn",
        "os.symlink",
        "os.system",
        "os.truncate",
        "os.utime",
        "pty.spawn",
        "shutil.rmtree",
        "socket.connect",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)
_PATHS = {"os.kill": 0, "os.killpg": 0, "os.link": 2, "os.rename": 2, "os.symlink": 2}
"""How many of the first arguments of these events are paths that have to be inside; of any other event it is one."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SHOWN = ShowUnknown()


def close_gate(directory: Path) -> None:
    """Close the gate of this process, for good.

    Args:
      directory: The artifact directory of the command that is planned: the only place that may be written to.
    """
    PlannedExecutor.directory = directory
    strategy.WorkerProcess = _PlannedWorker
    _engine.FAIL_ON_UNDEFINED = _SHOWN  # what templates do with markers, unless told otherwise
    intercept = _jinja_plugins.JinjaPluginIntercept
    intercept._invoke_plugin = staticmethod(_supposing_success(intercept._invoke_plugin))  # noqa: SLF001
    StrategyBase._execute_meta = _planned_meta(StrategyBase._execute_meta)  # noqa: SLF001
    sys.dont_write_bytecode = True
    sys.addaudithook(_Wall((directory, Path(constants.DEFAULT_LOCAL_TMP))))


class PlannedExecutor(TaskExecutor):
    """Executes a task as far as that is without effect, and writes down what it would do."""

    directory: Path
    """Where the plan of the command is written."""

    def __init__(self, host: Any, task: Any, job_vars: Mapping[str, Any], *others: Any) -> None:
        super().__init__(host, task, _with_facts(informed(job_vars), task), *others)
        self._entry = self._new_entry()
        self._each = ""

    def run(self) -> Result:
        """Execute it; a loop over a list that is not known is one item of it."""
        self._task.loop_control.pause = 0
        result: Result = super().run()
        if self._each:
            result[RESULT] = {"failed": False}
        if result.get("skipped") and not result.get("results") and "false_condition" not in result:
            self._write(skipped=str(result.get("skipped_reason", "")))
        return result

    def _get_loop_items(self) -> list[Any] | None:
        _SHOWN.seen.clear()
        try:
            items: list[Any] | None = super()._get_loop_items()
            if items is None or isinstance(items, list):
                return items
        except AnsibleError:
            if not _SHOWN.seen:
                raise
        self._each = _expression(self._task.loop)
        return [marker(f"each of {self._each}")]

    def _execute(self, templar: Any, variables: dict[str, Any]) -> Result:
        self._entry = self._new_entry()
        _SHOWN.seen.clear()
        loop_var = self._task.loop_control.loop_var
        if loop_var in variables:
            variables[loop_var] = with_markers(variables[loop_var], loop_var)
        result: Result = super()._execute(templar, variables)
        if result.get("failed") and self._depends():
            result = {"changed": False, RESULT: {"failed": False}}
        elif result.get("failed"):
            self._write(failed=str(result.get("msg", "")))
            return result
        if "false_condition" in result:
            self._write(skipped=f"when: {result['false_condition']}")
        elif self._entry.does or self._entry.when or _SHOWN.seen:
            self._write()
        return result

    def _execute_internal(self, templar: Any, variables: dict[str, Any]) -> Result:
        self._leave_undecided(variables)
        result: Result = super()._execute_internal(templar, variables)
        if is_unknown(result.get("include")):
            self._entry.does = f"include {result['include']}"
            return {"changed": False, "skipped": True}
        if self._entry.when and result.get("ansible_facts"):
            # Whether they are set is not known, so neither is what they are.
            result["ansible_facts"] = {name: marker(name) for name in result["ansible_facts"]}
        return result

    def _leave_undecided(self, variables: Mapping[str, Any]) -> None:
        """Take the conditions off the task that depend on what is not known; of the others one decides."""
        engine = TemplateEngine(self._loader, variables=dict(variables), marker_behavior=FAIL)
        decided = []
        for condition in self._task.when:
            try:
                holds = engine.evaluate_conditional(condition)
            except AnsibleError as error:
                if not is_of_unknown(error):
                    raise
                self._entry.when = " and ".join(filter(None, (self._entry.when, _expression(condition))))
                continue
            decided.append(condition)
            if not holds:
                break
        self._task.when = decided

    def _depends(self) -> bool:
        """Return whether that the task failed comes, or may come, of what is not known."""
        may_not_run = bool(self._entry.when) and self._name in _MAY_FAIL
        if may_not_run:
            self._entry.does = self._entry.does or "fails when it runs"
        return may_not_run or bool(_SHOWN.seen)

    @property
    def _name(self) -> str:
        return str(self._task.action).rpartition(".")[2]

    def _get_connection(self, cvars: Any, templar: Any, current_connection: Any) -> Any:
        del cvars, current_connection
        return super()._get_connection({}, templar, "local")  # it is not opened

    def _get_action_handler_with_module_context(self, templar: Any) -> tuple[Any, Any]:
        task = self._task
        task.until, task.retries, task.async_val, task.timeout = [], None, 0, 0
        if self._is_pure():
            handler, module = super()._get_action_handler_with_module_context(templar)
            if not (self._is_ours() and is_unknown(native(task.args))):
                return handler, module
        task.changed_when, task.failed_when = [], []
        return _PlannedAction(self._entry, self._own_action(templar), task), None

    def _is_pure(self) -> bool:
        found = self._shared_loader_obj.action_loader.get(
            self._task.action, class_only=True, collection_list=self._task.collections
        )
        if found is None:
            return False
        if self._is_ours():
            return self._name in planning.COMPUTING
        # A role may bring an action along that has the name of one of Ansible's own.
        return self._name in _PURE and Path(inspect.getfile(found)).parent == _BUILTIN

    def _is_ours(self) -> bool:
        return str(self._task.resolved_action or "").startswith("foresail.core.")

    def _own_action(self, templar: Any) -> Any:
        return super()._get_action_handler_with_module_context(templar)[0] if self._is_ours() else None

    def _new_entry(self) -> PlannedTask:
        task = self._task
        entry = PlannedTask(_plain(task.name or task.action), str(task.action), _place(task))
        if isinstance(task, Handler):
            entry.when = "notified"
        return entry

    def _write(self, *, skipped: str = "", failed: str = "") -> None:
        entry = self._entry
        entry.action = str(self._task.resolved_action or self._task.action)
        entry.each, entry.skipped, entry.failed = self._each, skipped, failed
        entry.unknown = list(dict.fromkeys([*_SHOWN.seen, *unknowns(entry.document())]))
        planned.append(self.directory, entry)


class _PlannedWorker(InlineWorker):
    """Plans its task in place of running it."""

    executor = PlannedExecutor


class _PlannedAction:
    """Stands in the place of an action, and says what that would do.

    Args:
      entry: Where it is said.
      own: The action when it is of our collection, which describes itself.
      task: The task, whose arguments are final.
    """

    def __init__(self, entry: PlannedTask, own: Any, task: Any) -> None:
        self._entry = entry
        self._own = own
        self._task = task

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Say it; the result says what of the real one is known."""
        del tmp
        known: Result = {"failed": False}
        if self._own is not None:
            known |= planning.describe(self._entry, self._own, dict(task_vars or {}))
        else:
            planning.describe_module(self._entry, str(self._task.resolved_action or self._task.action), self._task.args)
        if known.get("failed"):
            return {"changed": False, **known}
        gathered = _GATHERS.search(str(self._task.action))
        facts: Result = {"ansible_facts": {RESULT: {}}} if gathered else {}
        return {"changed": bool(self._task.notify), RESULT: known, **facts}

    def cleanup(self, force: bool = False) -> None:
        """Do nothing: nothing was made."""


class _Wall:
    """Refuses, as an audit hook, what would have an effect outside of some directories.

    Args:
      inside: The directories.
    """

    def __init__(self, inside: tuple[Path, ...]) -> None:
        self._inside = tuple(f"{path}/" for path in inside)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and not (_is_nameless(path) or self._is_ours(path)):
                _refuse(f"what is written to {path}")
        elif event in _REFUSED and not self._stays_inside(arguments[: _PATHS.get(event, 1)]):
            _refuse(f"what {event.removeprefix('subprocess.')} does")

    def _stays_inside(self, paths: tuple[Any, ...]) -> bool:
        return bool(paths) and all(self._is_ours(path) for path in paths)

    def _is_ours(self, path: object) -> bool:
        if isinstance(path, int):
            return True  # it is open already
        if not isinstance(path, str | bytes):
            return False
        name = os.path.normpath(os.fsdecode(path))
        return name == os.devnull or name.startswith(self._inside)


def _is_nameless(path: object) -> bool:
    """Return whether a file is opened that has no name, such as Ansible's own lock: it leaves nothing behind."""
    return isinstance(path, str) and Path(path).is_dir()  # a directory is opened for writing by O_TMPFILE only


def _refuse(what: str) -> None:
    """Let what a template asks for be unknown; anywhere else it is an error that says so."""
    _SHOWN.seen.append(what)
    raise MarkerError(f"a plan does not do it: {what} is known to a real run only", UnknownMarker(marker(what)))


def _supposing_success(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """Let tests of a result (`is failed`) know what a plan supposes: that everything in it passes."""

    @functools.wraps(invoke)
    def answered(instance: Any, *args: Any, **kwargs: Any) -> Any:
        if instance.plugin_type == "test" and args and isinstance(args[0], UnknownMarker):
            known = args[0]._unknown_known  # noqa: SLF001 - our own class
            if (
                isinstance(known, dict)
                and "failed" in known
                and instance.ansible_name.rpartition(".")[2] in _OF_FAILURE
            ):
                args = (known, *args[1:])
        return invoke(instance, *args, **kwargs)

    return answered


_OF_FAILURE = ("failed", "failure", "succeeded", "success", "successful", "reachable", "unreachable")


def _with_facts(variables: dict[str, Any], task: Any) -> dict[str, Any]:
    """Let the facts that a task names be unknown, once they would have been gathered."""
    if isinstance(variables.get("ansible_facts"), UnknownMarker):
        named = _FACT.findall(str(task.get_ds()))
        variables |= {name: UnknownMarker(marker(name), path=name) for name in named if name not in variables}
    return variables


def _planned_meta(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Leave a meta task out whose condition is not known, or that reaches out of this process."""

    @functools.wraps(execute)
    def planned_meta(self: Any, task: Any, play_context: Any, iterator: Any, target_host: Any) -> Any:
        if task.implicit:
            return execute(self, task, play_context, iterator, target_host)
        variables = self._variable_manager.get_vars(play=iterator._play, host=target_host, task=task)  # noqa: SLF001
        kept = task.copy()
        executor = PlannedExecutor(target_host, kept, variables, play_context, self._loader, None, None, None)
        executor._leave_undecided(informed(variables))  # noqa: SLF001 - our own class
        action = str(task._get_meta())  # noqa: SLF001
        if not executor._entry.when and action not in _NO_EFFECT_BUT_OUTSIDE:  # noqa: SLF001
            return execute(self, kept, play_context, iterator, target_host)
        executor._entry.does = action.replace("_", " ")  # noqa: SLF001
        executor._write()  # noqa: SLF001
        return [_RawTaskResult(target_host, task, {"msg": action, "changed": False}, {})]

    return planned_meta


def _expression(value: Any) -> str:
    """Return how a condition or a list is written, without the braces around it."""
    text = _plain(value) if isinstance(value, str) else str(native(value))
    return text.strip().removeprefix("{{").removesuffix("}}").strip()


def _plain(text: Any) -> str:
    return str.__str__(str(text))


def _place(task: Any) -> str:
    path, _, line = str(task.get_path() or "").rpartition(":")
    parts = Path(path).parts
    return "/".join(parts[parts.index("roles") + 1 :] if "roles" in parts else parts[-1:]) + f":{line}"
