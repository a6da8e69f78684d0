"""Which trace a run belongs to: the one that `TRACEPARENT` names, else one of its own. Called by `live`, and for each child.

A run's own trace is known from its record: all processes that write into one record, one after the other or a
resumed one, make one trace.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from projects.core.record.steps import read_lines


@dataclass(frozen=True)
class Origin:
    """Where the trace of a process begins.

    Attributes:
      root: The run's root.
      outside: The span that the process was started in, by `TRACEPARENT`; not valid when there is none.
    """

    root: Path
    outside: trace.SpanContext

    @cached_property
    def trace_id(self) -> int:
        """The trace. Asked for when the record holds a step: the first one's id, which no other run has, stands for it."""
        if self.outside.is_valid:
            return self.outside.trace_id
        first = next((str(line["id"]) for line in read_lines(self.root) if "id" in line), str(self.root))
        return int.from_bytes(hashlib.sha256(first.encode()).digest()[:16])

    def context(self, parent: str | None, *, sampled: bool) -> Context:
        """Return the context of a step's span.

        Args:
          parent: The id of the step around it; None for an outermost one.
          sampled: Whether the span around it was taken.
        """
        around = self.span_context(parent, sampled=sampled) if parent else self.outside
        return trace.set_span_in_context(trace.NonRecordingSpan(around), Context())

    def span_context(self, step_id: str, *, sampled: bool) -> trace.SpanContext:
        """Return what names the span of a step."""
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
        state = self.outside.trace_state
        return trace.SpanContext(self.trace_id, int(step_id, 16), is_remote=False, trace_flags=flags, trace_state=state)

    def traceparent(self, step_id: str, *, sampled: bool) -> str:
        """Return the header that names the span of a step."""
        return f"00-{self.trace_id:032x}-{step_id}-{int(sampled):02x}"


def outside() -> trace.SpanContext:
    """Return the span that `TRACEPARENT` and `TRACESTATE` name; one that is not valid when they name none."""
    carrier = {"traceparent": os.environ.get("TRACEPARENT", ""), "tracestate": os.environ.get("TRACESTATE", "")}
    found = TraceContextTextMapPropagator().extract(carrier, Context())
    return trace.get_current_span(found).get_span_context()


def is_inside(root: Path, around: trace.SpanContext) -> bool:
    """Return whether a span is a step of a run: the process that began the run tells of what happens in it."""
    if not around.is_valid:
        return False
    return any(line.get("id") == f"{around.span_id:016x}" for line in read_lines(root))
