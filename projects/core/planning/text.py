"""A plan for people: a tree of steps, what their tasks would do, and the manifests. Called by `show`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from projects.core.cluster import documents
from projects.core.execution.planned import PlannedTask
from projects.core.planning.tree import Node, Plan
from projects.core.record.durations import duration
from projects.core.values.unknown import is_unknown
from projects.core.values.wording import counted

_WIDTH = 100
_LONG = 60
_COLLAPSED = 3
_KINDS = {"directory": "", "command": "", "entrypoint": "", "branch": "branch ", "parallel": "parallel ", "shell": "$ "}
_TAKE_TIME = ("command", "directory", "step")
_HIDDEN = {"branch": ("index", "function"), "shell": ("command", "timeout", "check"), "wait": ("timeout",)}


def write(plan: Plan) -> str:
    """Return a plan as text."""
    console = Console(width=_width(), highlight=False, soft_wrap=False, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for each in plan.steps:
            console.print(_tree(each))
        console.print()
        for line in _summary(plan):
            console.print(Text(line))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _width() -> int:
    return max(_WIDTH, min(shutil.get_terminal_size((_WIDTH, 24)).columns, 2 * _WIDTH))


def _tree(node: Node, around: Tree | None = None) -> Tree:
    label = Text(_heading(node))
    tree = around.add(label) if around else Tree(label)
    for line in _remarks(node):
        tree.add(Text(line))
    _add_tasks(tree, node.tasks)
    for each in node.steps:
        _tree(each, tree)
    if end := "\n".join(_end(node)):
        tree.add(Text(end))
    return tree


def _heading(node: Node) -> str:
    step = node.step
    name = step.arguments.get("command", step.name) if step.kind == "shell" else step.name
    parts = [_KINDS.get(step.kind, f"{step.kind} ") + str(name)]
    parts += [
        f"{key}={_value(value)}"
        for key, value in step.arguments.items()
        if key not in _HIDDEN.get(step.kind, ()) and value not in (None, "", [], {})
    ]
    if node.timeout is not None:
        parts.append(f"[up to {duration(node.timeout)}]")
    if node.estimate is not None:
        parts.append(f"(about {duration(node.estimate)})")
    return " ".join(parts)


def _remarks(node: Node) -> Iterator[str]:
    if node.skipped_because:
        yield f"skipped: {node.skipped_because}"
    for kind, words in (("secret", "reads the secret file"), ("effect", "would")):
        for what in dict.fromkeys(each.what for each in node.notes if each.kind == kind and not each.task):
            yield f"{words} {what}"
    if node.decided_by:
        yield f"goes on as if it knew: {', '.join(node.decided_by)}"


def _end(node: Node) -> Iterator[str]:
    if node.depends_on:
        yield f"from here on it depends on what only a run knows: {'; '.join(node.depends_on)}"
        if node.step.cause and node.step.cause.type != "UnknownValue":
            yield f"since it went on without, it ended with {node.step.cause.type}: {node.step.cause.message}"
    if node.failure:
        yield f"fails: {node.failure}"


def _add_tasks(tree: Tree, tasks: Iterable[PlannedTask]) -> None:
    skipped: list[PlannedTask] = []
    for task in tasks:
        if task.skipped:
            skipped.append(task)
            continue
        _add_skipped(tree, skipped)
        skipped = []
        branch = tree.add(Text(_task(task)))
        if details := "\n".join(_details(task)):
            branch.add(Text(details))
        for manifest in task.manifests:
            branch.add(Text(documents.to_yaml(manifest).rstrip()))
    _add_skipped(tree, skipped)


def _add_skipped(tree: Tree, tasks: list[PlannedTask]) -> None:
    """Say which tasks are skipped; many in a row are one line."""
    if len(tasks) <= _COLLAPSED:
        for task in tasks:
            tree.add(Text(f"skipped: {task.name} ({task.skipped})"))
    else:
        reasons = dict.fromkeys(task.skipped for task in tasks)
        tree.add(Text(f"skipped: {len(tasks)} tasks ({'; '.join(reasons)})"))


def _task(task: PlannedTask) -> str:
    time = f" [up to {duration(task.timeout)}]" if task.timeout is not None else ""
    return f"{task.does or task.name}{time}"


def _details(task: PlannedTask) -> Iterator[str]:
    if task.when:
        yield f"may run: when {task.when}"
    if task.each:
        yield f"for each of {task.each}"
    yield from task.script.splitlines()
    shown = " ".join([task.does, task.when, task.each, task.script, json.dumps(task.manifests, ensure_ascii=False)])
    if hidden := [each for each in task.unknown if each not in shown]:
        yield f"depends on what only a run knows: {', '.join(hidden)}"
    if task.failed:
        yield f"fails: {task.failed}"


def _summary(plan: Plan) -> Iterator[str]:
    nodes = list(plan.everything())
    commands = sum(node.step.kind == "command" and not node.skipped_because for node in nodes)
    shells = sum(node.step.kind == "shell" for node in nodes)
    manifests = sum(len(task.manifests) for node in nodes for task in node.tasks if task.verb == "apply")
    deletions = sum(task.verb == "delete" for node in nodes for task in node.tasks)
    numbers = {"toolbox command": commands, "shell command": shells, "manifest": manifests, "deletion": deletions}
    said = [counted(number, what) for what, number in numbers.items() if number]
    yield f"{plan.project or 'the plan'}: {', '.join(said) or 'no command'}; nothing was run."
    if plan.estimate is not None:
        new = sum(node.estimate is None and node.step.kind in _TAKE_TIME and not node.skipped_because for node in nodes)
        runs = counted(plan.runs, "earlier run")
        least = f"; {counted(new, 'step')} {'is' if new == 1 else 'are'} not in them" if new else ""
        yield f"It takes {'at least' if new else 'about'} {duration(plan.estimate)}, by {runs}{least}."
    if any(node.unknown or node.depends_on for node in nodes):
        yield "What is written <unknown: …> is known to a real run only."


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else _compact(value)
    return text if len(text) <= _LONG or is_unknown(text) else f"{text[: _LONG - 1]}…"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)
