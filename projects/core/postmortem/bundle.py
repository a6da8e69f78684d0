"""A failure bundle as files: what was found, an index in reading order, and the same for programs. Called by `capture`.

`bundle.json` is written last: who sees it sees the rest whole.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from projects.core.cluster import documents
from projects.core.cluster.api import Object
from projects.core.cluster.readiness import conditions, is_ready, standing
from projects.core.postmortem.evidence import WAITED_FOR, Evidence, Item
from projects.core.record.artifacts import clean, write_atomically
from projects.core.record.bundles import BUNDLE
from projects.core.record.steps import Cause, Step, redacted

INDEX = "INDEX"
LAST_LINES = "last-lines.log"
EVENTS = "events.log"
NODES, OPERATORS = "nodes.yaml", "operators.yaml"
_FORMAT = 1
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_LONGEST_NAME = 120


class Files:
    """The files of one bundle, with what each one is, in reading order.

    Args:
      path: The bundle's directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listed: dict[str, str] = {}

    def write(self, name: str, text: str, what: str) -> str:
        """Write a file that is not there yet, without secrets; return its name, which may get a number."""
        stem, dot, ending = name.rpartition(".")
        number = 1
        while name in self.listed:
            number += 1
            name = f"{stem}_{number}{dot}{ending}"
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, clean(text))
        self.listed[name] = what
        return name


def write_bundle(files: Files, evidence: Evidence, step: Step, cause: Cause) -> None:
    """Write what was found.

    Args:
      files: Where; it holds the last lines already.
      evidence: What was found.
      step: The step that failed.
      cause: Why.
    """
    chosen = telling(list(evidence.items.values()))
    ordered = sorted(
        evidence.items.values(),
        key=lambda item: (item is not chosen, is_ready(item.thing), item.relation != WAITED_FOR),
    )
    objects = [_write_object(files, item, telling=item is chosen) for item in ordered]
    if lines := _event_lines(evidence):
        files.write(EVENTS, "\n".join(lines) + "\n", f"{len(lines)} events of these objects, in order")
    for item in ordered:
        for container, text in item.logs.items():
            files.write(f"logs/{_file_name(item)}__{container}.log", text, f"the log of {item.name} {container}")
    if evidence.nodes:
        files.write(NODES, documents.to_yaml({"nodes": evidence.nodes}), _nodes_in_words(evidence.nodes))
    if evidence.operators:
        files.write(OPERATORS, documents.to_yaml(evidence.operators), f"conditions: {', '.join(evidence.operators)}")
    missing = evidence.reading.missing
    write_atomically(files.path / INDEX, clean(_index(files, step, cause, missing)))
    document = {
        "format": _FORMAT,
        "cause": asdict(cause),
        "step": {"id": step.id, "kind": step.kind, "name": step.name, "directory": step.directory},
        "objects": objects,
        "files": files.listed,
        "missing": missing,
    }
    write_atomically(files.path / BUNDLE, json.dumps(redacted(document), indent=2, ensure_ascii=False) + "\n")


def telling(items: list[Item]) -> Item | None:
    """Return the object that tells most of why: a pod that is not ready before what made it, else what was waited for."""
    unready = [each for each in items if not is_ready(each.thing) and not each.is_owner]
    pods = [each for each in unready if each.thing.get("kind") == "Pod"]
    return next(
        iter(sorted(pods, key=lambda each: not _warning(each)) + unready + [each for each in items if says(each)]), None
    )


def says(item: Item) -> str:
    """Return how an object stands on one line; of one that is ready, what its last condition says."""
    if not is_ready(item.thing):
        return standing(item.thing)
    last = last_condition(item.thing)
    said = ": ".join(str(last[key]) for key in ("reason", "message") if last.get(key))
    return f"{last['type']}={last.get('status')}" + (f" ({said})" if said else "") if last else ""


def last_condition(thing: Object) -> Object:
    """Return the condition of an object that changed last; an empty one when it has none."""
    found = conditions(thing)
    return max(found, key=lambda each: str(each.get("lastTransitionTime") or ""), default={})


def _write_object(files: Files, item: Item, *, telling: bool) -> dict[str, Any]:
    said = says(item)
    text = documents.to_yaml(item.thing)
    name = files.write(
        f"objects/{_file_name(item)}.yaml", text, f"{item.name}, {item.relation}" + (f": {said}" if said else "")
    )
    metadata = item.thing["metadata"]
    return {
        "object": item.name,
        "apiVersion": item.thing.get("apiVersion"),
        "kind": item.thing.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "relation": item.relation,
        "ready": is_ready(item.thing),
        "says": said,
        "condition": last_condition(item.thing),
        "event": _warning(item),
        "telling": telling,
        "file": name,
    }


def _file_name(item: Item) -> str:
    metadata = item.thing["metadata"]
    parts = [str(item.thing.get("kind")), str(metadata.get("namespace") or ""), str(metadata["name"])]
    return "__".join(_UNSAFE.sub("_", part.lower()) for part in parts if part)[:_LONGEST_NAME]


def _warning(item: Item) -> str:
    warnings = [each for each in item.events if each.get("type") == "Warning"]
    last = max(warnings, key=_when, default=None)
    return f"{last.get('reason')}: {last.get('message')}" if last else ""


def _when(event: Object) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((each for each in times if each), event["metadata"].get("creationTimestamp") or ""))


def _event_lines(evidence: Evidence) -> list[str]:
    events = [each for item in evidence.items.values() for each in item.events] + evidence.orphans
    return [_event_line(each) for each in sorted(events, key=_when)]


def _event_line(event: Object) -> str:
    about = event.get("involvedObject") or {}
    named = f"{about['namespace']}/{about.get('name')}" if about.get("namespace") else str(about.get("name"))
    count = (event.get("series") or {}).get("count") or event.get("count") or 1
    times = f" (x{count})" if count > 1 else ""
    message = " ".join(str(event.get("message", "")).split())
    return f"{_when(event)}  {event.get('type')}  {event.get('reason')}  {about.get('kind')} {named}{times}  {message}"


def _nodes_in_words(nodes: list[Object]) -> str:
    states = Counter(
        "not ready" if not each["ready"] else "unschedulable" if each["unschedulable"] else "ready" for each in nodes
    )
    return "conditions of the nodes: " + ", ".join(f"{count} {state}" for state, count in states.items())


def _index(files: Files, step: Step, cause: Cause, missing: Mapping[str, str]) -> str:
    return "\n".join(
        [*_head(step, cause), "", *_listed(files.listed, "in reading order:"), *_listed(missing, "not captured:")]
    )


def _head(step: Step, cause: Cause) -> Iterator[str]:
    yield f"{cause.type}: {cause.message}"
    if cause.hint:
        yield f"  hint: {cause.hint}"
    yield f"  step: {step.kind} '{step.name}' in {step.directory}, exit code {cause.exit_code}"


def _listed(entries: Mapping[str, str], title: str) -> Iterator[str]:
    if entries:
        yield title
        for name, what in entries.items():
            yield f"  {name}"
            yield from (f"      {line}" for line in what.splitlines())
        yield ""
