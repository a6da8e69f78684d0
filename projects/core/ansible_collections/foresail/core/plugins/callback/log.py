"""The stdout callback of every command: it writes `_ansible.log` for people and `_ansible.events.jsonl` for `command`.

Loaded by Ansible, in a fork of the warm host or under ansible-runner alike. All that it writes is redacted.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from ansible import context
from ansible.plugins.callback import CallbackBase

from projects.core.cluster.documents import learn, register_secret
from projects.core.record.artifacts import ANSIBLE_LOG
from projects.core.record.task_events import FILE_NAME as EVENTS
from projects.core.record.task_events import RETRY
from projects.core.values.redaction import REDACTOR, redacted

DOCUMENTATION = """
name: log
type: stdout
short_description: Foresail's log of a toolbox command
description:
  - Writes C(_ansible.log) and C(_ansible.events.jsonl) into the command's artifact directory, and the log to stdout.
options: {} # ansible-runner, which wraps this callback, wants to add to them
"""

SHOWN = ("cmd", "rc", "stdout", "stderr", "msg", "waited_for", "skipped", "report")
LONGEST = 4000
"""Characters of one value that are shown; files under the artifact directory hold the rest."""


class CallbackModule(CallbackBase):
    """Writes one block a task: when, what, how it ended, and what it said."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "foresail.core.log"

    def __init__(self) -> None:
        super().__init__()
        self._log: TextIO | None = None
        self._events: TextIO | None = None
        self._started = time.monotonic()
        if path := os.environ.get("FORESAIL_SECRETS_FILE"):
            for value in json.loads(Path(path).read_text(encoding="utf-8")):
                REDACTOR.register(value)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Open the files in the artifact directory that the play is given."""
        directory = play.get_variable_manager().extra_vars.get("artifact_extra_logs_dir")
        if directory:
            self._log = (Path(directory) / ANSIBLE_LOG).open("a", encoding="utf-8", buffering=1)
            self._events = (Path(directory) / EVENTS).open("a", encoding="utf-8", buffering=1)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Announce a task."""
        del is_conditional
        self._started = time.monotonic()
        self._say(f"{_clock()} TASK {_name(task)}  [{_place(task)}]")

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Announce a handler."""
        self.v2_playbook_on_task_start(task, is_conditional=False)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell that a task has passed."""
        self._tell("changed" if result.result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell that a task has failed."""
        self._tell("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Tell that a task was skipped, and by which condition."""
        condition = result.result.get("false_condition", result.result.get("skip_reason", ""))
        self._say(f"         skipped {condition}".rstrip())
        self._show({key: value for key, value in result.result.items() if key == "msg" and not condition})

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell that the host could not be reached."""
        self._tell("unreachable", result)

    def v2_runner_retry(self, result: Any) -> None:
        """Tell that a task is tried again."""
        values = result.result
        self._say(f"         attempt {values.get('attempts')} of {values.get('retries')} did not pass")
        self._show(values)
        self._event(RETRY, time.monotonic() - self._started, result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Tell that an item of a loop has passed."""
        self._tell(f"ok {_item(result)}", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Tell that an item of a loop has failed."""
        self._tell(f"failed {_item(result)}", result)

    def _tell(self, outcome: str, result: Any) -> None:
        seconds = time.monotonic() - self._started
        self._say(f"         {outcome} {seconds:.2f}s")
        self._show(result.result)
        self._event(outcome, seconds, result)

    def _show(self, values: Mapping[str, Any]) -> None:
        if "results" in values:
            return  # the items of a loop were shown one by one
        for line in _lines(values):
            self._say(f"           {line}")
        if values.get("diff") and context.CLIARGS.get("diff"):
            for line in _difference(values["diff"]):
                self._say(f"           {line}")

    def _say(self, text: str) -> None:
        line = REDACTOR.redact(text) + "\n"
        if self._log is not None:
            self._log.write(line)
        sys.stdout.write(line)
        sys.stdout.flush()

    def _event(self, outcome: str, seconds: float, result: Any) -> None:
        if self._events is None:
            return
        values, task = result.result, result.task
        event = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "outcome": outcome,
            "task": _name(task),
            "place": _place(task),
            "seconds": round(seconds, 3),
            "rescued": _has_rescue(task),
        }
        if outcome == RETRY:  # failed, or only not so far yet
            event |= {"attempt": values.get("attempts"), "attempts": values.get("retries")}
            event |= {"failed": True, "msg": _reason(values)} if _has_failed(result) else {"failed": False}
        if outcome.startswith(("failed", "unreachable", "ignored")):
            event |= {"msg": _reason(values), "foresail": values.get("foresail")}
        text = json.dumps(redacted(event), ensure_ascii=False, default=lambda value: REDACTOR.redact(str(value)))
        self._events.write(text + "\n")


def _clock() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S")


def _name(task: Any) -> str:
    # A role that is named by its path is shown by its name. Redacted before it is cut: half a secret would not be known.
    return REDACTOR.redact(str(task.get_name())).rpartition("/")[2]


def _place(task: Any) -> str:
    path, _, line = str(task.get_path() or "").rpartition(":")
    parts = Path(path).parts
    if "roles" in parts:
        path = "/".join(parts[parts.index("roles") + 1 :])
    return f"{path}:{line}"


def _item(result: Any) -> str:
    values = result.result
    return f"({values.get('_ansible_item_label', values.get(values.get('ansible_loop_var', 'item'), ''))})"


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for key in SHOWN:
        value = values.get(key)
        if value in (None, "", [], {}) or (key == "rc" and value == 0):
            continue
        # Redacted before it is cut: half a secret would not be known any more; and before it is made JSON.
        learn(value) if isinstance(value, str) else register_secret(value)
        shown = redacted(value)
        text = shown if isinstance(shown, str) else REDACTOR.redact(json.dumps(shown, ensure_ascii=False, default=str))
        for line in text[:LONGEST].rstrip("\n").split("\n"):
            yield f"{key}: {line}"
        if len(text) > LONGEST:
            yield f"{key}: … {len(text) - LONGEST} more characters"


def _difference(found: Any) -> Iterator[str]:
    """Yield what changes, or in check mode would change, as a unified difference."""
    for each in found if isinstance(found, list) else [found]:
        texts = [str(each.get(key) or "") for key in ("before", "after")]
        for text in texts:
            learn(text)
        before, after = (text.splitlines() for text in texts)
        names = (str(each.get("before_header", "before")), str(each.get("after_header", "after")))
        yield from (line.rstrip("\n") for line in difflib.unified_diff(before, after, *names, lineterm=""))


def _reason(values: Mapping[str, Any]) -> str:
    if "results" in values:
        failed = [_reason(each) for each in values["results"] if each.get("failed")]
        return "; ".join(failed) or str(values.get("msg", ""))
    message = str(values.get("msg", "")).strip() or "the task failed without a message"
    stderr = str(values.get("stderr", "")).strip()
    return f"{message}: {stderr}" if stderr and stderr not in message else message


def _has_failed(result: Any) -> bool:
    """Return whether an attempt failed that another one follows, rather than found that it is not so far yet.

    Ansible strips `failed` from what it tells here. Without a condition of its own a task is tried again only after a failure.
    """
    values = result.result
    if not result.task.until:
        return True
    if "failed_when_result" in values:
        return bool(values["failed_when_result"])
    return bool(values.get("rc") and values.get("msg")) or "exception" in values or "foresail" in values


def _has_rescue(task: Any) -> bool:
    """Return whether a failure of the task leads to a rescue section, so that another task may tell the reason."""
    child, parent = task, task._parent  # noqa: SLF001 - Ansible offers no public way up
    while parent is not None:
        rescue = getattr(parent, "rescue", None)
        if rescue and child not in rescue and child not in (parent.always or []):
            return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False
