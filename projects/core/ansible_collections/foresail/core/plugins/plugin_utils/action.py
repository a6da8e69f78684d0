"""What the actions of the collection share: checked arguments, typed failures, an end with their play.

Each plugin of `plugins/action` is a subclass with `act`. `run` is called in the play's own process (see `inline_worker`),
or, when the command is executed cold, in a worker that Ansible forks for each task.
"""

from __future__ import annotations

import abc
import ctypes
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.executor.process import worker
from ansible.plugins.action import ActionBase

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import checked
from projects.core.cluster.api import Change, Cluster, Object, Target
from projects.core.cluster.documents import difference, register_secret
from projects.core.cluster.involved import ACTS, MOST, Act, Involved
from projects.core.record.artifacts import append
from projects.core.record.task_events import FILE_NAME as EVENTS
from projects.core.values import errors
from projects.core.values.errors import ForesailError, UsageError
from projects.core.values.redaction import REDACTOR

Result = dict[str, Any]
_PR_SET_PDEATHSIG = 1


class ForesailAction(ActionBase, abc.ABC):
    """An action that runs in the worker, and ends when its play does."""

    _requires_connection = False
    _supports_check_mode = True
    NAME = ""
    """The action's name, without its collection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        """Check the arguments and act; a typed error becomes a failed result that keeps its type."""
        super().run(tmp, task_vars)
        _end_with_the_play()
        self._variables = task_vars or {}
        try:
            return self.act(checked(self.NAME, self._task.args))
        except ForesailError as error:
            return failure(error)

    @abc.abstractmethod
    def act(self, arguments: dict[str, Any]) -> Result:
        """Do what the task asks for.

        Args:
          arguments: The checked arguments, with defaults.

        Returns:
          The result, with `changed`.
        """

    @property
    def checking(self) -> bool:
        """Whether nothing may be written (check mode)."""
        return bool(self._task.check_mode)

    @property
    def cluster(self) -> Cluster:
        """The cluster of the environment."""
        return Cluster()

    def involve(self, act: Act, *targets: Target) -> None:
        """Note in the command's events which objects the task acts on or waits for, before it does.

        Args:
          act: What it does.
          *targets: To which objects.
        """
        directory = self._variables.get("artifact_extra_logs_dir")
        if not directory or self._task.no_log:
            return
        event = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "outcome": ACTS,
            "task": REDACTOR.redact(str(self._task.get_name())).rpartition("/")[2],
            "objects": [Involved(act, each).to_data() for each in targets[:MOST]],
        }
        line = REDACTOR.redact(json.dumps(event, ensure_ascii=False, default=str)) + "\n"
        # Whole lines by single writes: the log callback has the file open, in this process or in the one it was forked from.
        append(Path(str.__str__(str(directory))) / EVENTS, line)

    def artifact(self, name: str) -> Path:
        """Return the path of an artifact: `name` below the command's artifact directory, unless it is absolute.

        Raises:
          UsageError: it is relative and the play has no artifact directory.
        """
        base = self._variables.get("artifact_extra_logs_dir")
        if not base and not Path(name).is_absolute():
            raise UsageError(f"the file {name} needs the variable artifact_extra_logs_dir, or an absolute path")
        return Path(str.__str__(str(base or "/"))) / name


def failure(error: ForesailError) -> Result:
    """Return the result of a failed task; the callback makes the typed error of it again."""
    known = next(cls.__name__ for cls in type(error).__mro__ if vars(errors).get(cls.__name__) is cls)
    place = f" ({error.place})" if error.place else ""
    return {
        "failed": True,
        "changed": False,
        "msg": error.message + place,
        "foresail": {
            "error": known,
            "exit_code": int(error.exit_code),
            "hint": error.hint,
            "in_vain": error.transient is False,
        },
    }


def target_of(arguments: dict[str, Any]) -> Target:
    """Return the objects that the arguments of the `target` fragment mean."""
    return Target(
        kind=arguments["kind"],
        api_version=arguments["api_version"],
        name=arguments["name"],
        namespace=arguments["namespace"],
        labels=arguments["label_selector"],
        fields=arguments["field_selector"],
    )


def shown_change(change: Change, target: Target) -> Result:
    """Return the part of a result that says what a change did."""
    return {"changed": change.changed, "diff": [difference(change.before, change.after, str(target))]}


def without_fields_of_others(document: Object | None) -> Object | None:
    """Return an object without the bookkeeping of server-side apply, which is half of it and no use to a role.

    The values of a Secret that a role is given are known to the redactor from then on.
    """
    register_secret(document)
    if document is None or "metadata" not in document:
        return document
    metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    return {**document, "metadata": metadata}


def _end_with_the_play() -> None:
    """Ask for SIGTERM when the play's process dies: a worker is in its own session and would go on alone."""
    if worker.current_worker is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
