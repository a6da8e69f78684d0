"""What the actions of the collection would do, in words and as data, without doing it. Called by the gate of a planned role.

Each action that acts has its description in `_DESCRIBED`; those that only compute (`COMPUTING`) run in a plan too, when all
that they are given is known.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import Result, failure, target_of
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import (
    checked,
    native,
    specification,
)
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.manifests import manifests_of
from projects.core.cluster import api, documents
from projects.core.cluster.api import Target
from projects.core.cluster.conditions import Condition, Requirement
from projects.core.execution.planned import PlannedTask
from projects.core.values.errors import ForesailError, UsageError
from projects.core.values.redaction import MASK, REDACTOR
from projects.core.values.unknown import is_unknown

COMPUTING = ("operator_example", "plan_operator", "plan_project_template", "plan_scale")
"""Actions that touch nothing."""
_SHOWN = 200
_RAW = ("_raw_params", "cmd", "argv", "command")
Arguments = dict[str, Any]


def describe(entry: PlannedTask, action: Any, variables: Mapping[str, Any]) -> Result:
    """Say what an action would do.

    Args:
      entry: Where it is said.
      action: The action, whose arguments are final.
      variables: The variables of its task.

    Returns:
      What is known of its result; a failed result when its arguments cannot be accepted.
    """
    action._variables = variables  # noqa: SLF001 - as its `run` does
    given = native(action._task.args)  # noqa: SLF001 - likewise
    try:
        return _DESCRIBED.get(action.NAME, _other)(entry, action, _arguments(action.NAME, given))
    except ForesailError as error:
        if not is_unknown(given):
            return failure(error)
        entry.does = entry.does or f"{action.NAME} what is not known"
        return {}


def describe_module(entry: PlannedTask, name: str, given: Mapping[str, Any]) -> None:
    """Say that a module, or an action of Ansible's own, would run, and with what."""
    arguments = native(given)
    raw = next((arguments[key] for key in _RAW if arguments.get(key)), None)
    entry.verb = "run"
    short = name.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    if raw is not None:
        entry.script = shlex.join(map(str, raw)) if isinstance(raw, list) else str(raw)
    said = " ".join(
        f"{key}={_short(value)}" for key, value in arguments.items() if value is not raw and not key.startswith("_")
    )
    entry.does = f"run the module {short}" + (f" ({said})" if said else "")


def _arguments(name: str, given: Arguments) -> Arguments:
    """Return the checked arguments; as they are, with defaults, when what is not known keeps them from being checked."""
    try:
        return checked(name, given)
    except UsageError:
        if not is_unknown(given):
            raise
        return {key: option.get("default") for key, option in specification(name).items()} | given


def _apply(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    return _manifests(entry, arguments["manifest"], arguments["namespace"])


def _render(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    path = Path(action._find_needle("templates", arguments["template"]))  # noqa: SLF001 - as its `act` does
    manifests = action._render(path)  # noqa: SLF001 - likewise
    if not arguments["apply"]:
        entry.verb, entry.does = "render", f"render {arguments['template']}"
        entry.manifests = [documents.visible(each) for each in manifests]
        return {"object": manifests[0], "objects": manifests}
    return _manifests(entry, manifests, arguments["namespace"])


def _manifests(entry: PlannedTask, value: Any, namespace: str | None) -> Result:
    entry.verb = "apply"
    if isinstance(value, str) and is_unknown(value):
        entry.does = f"apply {value}"
        return {}
    manifests = manifests_of(value)
    targets = [api.target_of(each, namespace) for each in manifests]
    entry.does = "apply " + ", ".join(map(str, targets))
    entry.objects = [_object(each) for each in targets]
    entry.manifests = [documents.visible(each) for each in manifests]
    return {"object": manifests[0], "objects": manifests}


def _patch(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    target = target_of(arguments)
    part = f" ({arguments['subresource']})" if arguments["subresource"] else ""
    entry.verb, entry.does = "patch", f"patch {target}{part}"
    entry.objects = [_object(target, arguments["subresource"])]
    entry.manifests = [_shown_patch(target.kind, arguments["patch"])]
    return {}


def _shown_patch(kind: str, patch: Any) -> dict[str, Any]:
    if isinstance(patch, dict):
        return {key: value for key, value in documents.visible({**patch, "kind": kind}).items() if key in patch}
    if kind == "Secret" and isinstance(patch, list):
        patch = [{**each, "value": MASK} if "value" in each else each for each in patch]
    return {"operations": patch}


def _delete(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    target = target_of(arguments)
    entry.verb, entry.does = "delete", f"delete {target}"
    entry.objects = [_object(target)]
    entry.timeout = arguments["timeout"] if arguments["wait"] else None
    return {}


def _wait(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    target = target_of(arguments)
    names = arguments["names"] if isinstance(arguments["names"], list) else None
    condition = Condition(
        until=arguments["until"],
        where=[Requirement.of(each) for each in arguments["where"]],
        unless=[Requirement.of(each) for each in arguments["unless"]],
        count=arguments["count"],
        names=None if names is None else frozenset(names),
    )
    many = "" if arguments["count"] is None else f"exactly {arguments['count']} "
    entry.verb, entry.does, entry.timeout = "wait", f"wait for {many}{target} {condition}", arguments["timeout"]
    # What an operator brings need not be there when the plan is checked, and what has to be absent may be.
    optional = bool(arguments["await_kind"]) or arguments["until"] == "absent" or arguments["count"] == 0
    meant = [target] if names is None else [replace(target, name=name) for name in names]
    entry.objects = [{**_object(each), "optional": True} if optional else _object(each) for each in meant]
    return {}


def _get(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    target = target_of(arguments)
    entry.verb, entry.does = "get", f"read {target}"
    entry.objects = [_object(target) if arguments["required"] else {**_object(target), "optional": True}]
    return {}


def _exec(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    pod = Target("Pod", "v1", arguments["name"], arguments["namespace"])
    entry.verb, entry.does, entry.timeout = "exec", f"run a command in {pod}", arguments["timeout"]
    entry.script = shlex.join(map(str, arguments["command"]))
    entry.objects = [_object(pod, "exec")]
    return {"rc": 0} if arguments["check"] else {}


def _logs(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    pod = Target("Pod", "v1", arguments["name"], arguments["namespace"])
    entry.verb, entry.does = "logs", f"read the log of {pod}"
    entry.objects = [_object(pod, "log")]
    return {}


def _capture(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    targets = [target_of(each) for each in arguments["reads"] if each["kind"]]
    entry.verb, entry.does = "capture", "capture " + (", ".join(map(str, targets)) or "the version of the server")
    entry.objects = [{**_object(each), "optional": True} for each in targets]
    return {}


def _shell(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del action
    entry.verb, entry.does, entry.timeout = "run", "run a script", arguments["timeout"]
    entry.script = str(arguments["script"]).strip()
    return {"rc": 0} if arguments["check"] else {}


def _other(entry: PlannedTask, action: Any, arguments: Arguments) -> Result:
    del arguments
    computed = " when that is known" * (action.NAME in COMPUTING)
    entry.does = f"run the action foresail.core.{action.NAME}{computed}"
    return {}


_DESCRIBED: dict[str, Callable[[PlannedTask, Any, Arguments], Result]] = {
    "apply": _apply,
    "capture": _capture,
    "delete": _delete,
    "exec": _exec,
    "get": _get,
    "logs": _logs,
    "patch": _patch,
    "render": _render,
    "shell": _shell,
    "wait": _wait,
}


def _object(target: Target, subresource: str | None = None) -> dict[str, Any]:
    fields = {
        "kind": target.kind,
        "api_version": target.api_version,
        "name": target.name,
        "namespace": target.namespace,
        "labels": target.labels,
        "fields": target.fields,
        "subresource": subresource,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _short(value: Any) -> str:
    text = REDACTOR.redact(str(value))  # before it is cut: half a secret would not be known any more
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
