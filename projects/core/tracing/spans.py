"""A step as a span: its name, times, attributes, status and exception. Called by the sinks with steps that have ended."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import metadata
from os import environ
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.trace import Link, Status, StatusCode

from projects.core.record.artifacts import clean
from projects.core.record.steps import Step, parse_time, timestamp
from projects.core.record.verdict import FAILING, exit_code_of
from projects.core.tracing.origin import Origin
from projects.core.values import outcomes

Value = str | bool | int
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 8000
"""Characters of one attribute: backends refuse, or cut, what is much longer."""

_RESULTS = {
    outcomes.Status.PASSED: "success",
    outcomes.Status.FAILED: "failure",
    outcomes.Status.TIMED_OUT: "timeout",
    outcomes.Status.CANCELLED: "cancellation",
    outcomes.Status.INTERRUPTED: "cancellation",
    outcomes.Status.SKIPPED: "skip",
    outcomes.Status.RUNNING: "error",
}
"""The words of OpenTelemetry's conventions for CI."""

_OF_THE_JOB = {
    "JOB_NAME": "cicd.pipeline.name",
    "BUILD_ID": "cicd.pipeline.run.id",
    "PULL_NUMBER": "vcs.change.id",
    "REPO_OWNER": "vcs.owner.name",
    "REPO_NAME": "vcs.repository.name",
}
"""What CI says of the job, as Prow and Jenkins name it."""


def resource(root: Path) -> Resource:
    """Return what a trace is of: this program, this host, this run, and the CI job; `OTEL_RESOURCE_ATTRIBUTES` has the last word.

    Args:
      root: The run's root.
    """
    own: dict[str, Value] = {
        "service.name": "foresail",
        "service.version": _version(),
        "host.name": platform.node(),
        "foresail.run.directory": clean(str(root)),
    }
    own |= {name: clean(environ[variable]) for variable, name in _OF_THE_JOB.items() if environ.get(variable)}
    return Resource.create({}).merge(Resource(own)).merge(OTELResourceDetector().detect())


def emit(tracer: trace.Tracer, step: Step, origin: Origin, *, sampled: bool) -> None:
    """Make the span of a step and end it.

    Args:
      tracer: Its ids are taken from the step.
      step: With or without an end: one without is unfinished, which is an error.
      origin: The trace.
      sampled: Whether the trace is taken.
    """
    links = [Link(origin.span_context(step.reuses, sampled=sampled))] if step.reuses else []
    span = tracer.start_span(
        clean(step.name),
        context=origin.context(step.parent, sampled=sampled),
        attributes=attributes_of(step),
        links=links,
        start_time=_nanoseconds(step.start),
    )
    end = _nanoseconds(step.end or timestamp())
    if step.cause:
        said = {"exception.type": step.cause.type, "exception.message": _text(step.cause.message)}
        said |= {"foresail.hint": _text(step.cause.hint)} if step.cause.hint else {}
        span.add_event("exception", said, end)
    span.set_status(_status(step))
    span.end(end)


def attributes_of(step: Step) -> Mapping[str, Value]:
    """Return what is said of a step beside its name and times, redacted."""
    found: dict[str, Value] = {
        "foresail.kind": step.kind,
        "foresail.directory": _text(step.directory),
        "foresail.status": str(step.status),
        "foresail.attempt": step.attempt,
        "cicd.pipeline.task.name": _text(step.name),
        "cicd.pipeline.task.run.id": step.id,
        "cicd.pipeline.task.run.result": _RESULTS.get(outcomes.Status(step.status), "error"),
    }
    found |= {"foresail.project": step.project} if step.project else {}
    found |= {"foresail.line": _text(step.line)} if step.line else {}
    found |= {"foresail.occurrence": step.occurrence} if step.occurrence else {}
    found |= {"foresail.reuses": step.reuses} if step.reuses else {}
    found |= {"foresail.tolerated": True} if step.tolerated else {}
    found |= {"foresail.unfinished": True} if step.end is None else {}
    if step.arguments:
        found["foresail.arguments"] = _text(json.dumps(step.arguments, ensure_ascii=False))
    if step.status in FAILING:
        found["foresail.exit_code"] = int(exit_code_of(step))
        found["error.type"] = step.cause.type if step.cause else str(step.status)
    return found


def _status(step: Step) -> Status:
    if step.end is None:
        return Status(StatusCode.ERROR, "no end was recorded")
    if step.status in FAILING:
        told = f"{step.cause.type}: {step.cause.message}" if step.cause else str(step.status)
        return Status(StatusCode.ERROR, _text(told))
    return Status(StatusCode.OK if step.status == outcomes.Status.PASSED else StatusCode.UNSET)


def _text(text: str) -> str:
    return clean(text)[:_LONGEST]  # redacted before it is cut: half a secret would not be known any more


def _nanoseconds(moment: str) -> int:
    return (parse_time(moment) - _EPOCH) // timedelta(microseconds=1) * 1000


def _version() -> str:
    """Return Foresail's version; a checkout that is not installed has none."""
    try:
        return metadata.version("foresail")
    except metadata.PackageNotFoundError:
        return "unknown"
