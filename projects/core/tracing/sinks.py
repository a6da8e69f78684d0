"""Where spans go: to a file, or to a collector. Called by `live`.

A sink keeps each span until it is delivered, so that what a collector missed while it was away, or what the SDK's queue
could not hold, is delivered in the end.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

from projects.core.record.steps import Step
from projects.core.tracing import collector
from projects.core.tracing.json_lines import JsonLinesExporter
from projects.core.tracing.origin import Origin
from projects.core.tracing.spans import emit

_AT_ONCE = 512
"""Spans in one request to a collector, as in the SDK."""


class _StepIds(IdGenerator):
    """Gives the span that is started next the id of its step."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Kept(SpanProcessor):
    """Keeps what was not delivered yet, by the ids of the spans."""

    def __init__(self) -> None:
        self.spans: dict[int, ReadableSpan] = {}

    def on_end(self, span: ReadableSpan) -> None:
        self.spans[_id(span)] = span

    def delivered(self, spans: Sequence[ReadableSpan]) -> None:
        for span in spans:
            self.spans.pop(_id(span), None)


class _Telling(SpanExporter):
    """An exporter that tells which spans were delivered."""

    def __init__(self, exporter: SpanExporter, kept: _Kept) -> None:
        self._exporter = exporter
        self._kept = kept

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._kept.delivered(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Sink(ABC):
    """One place that the spans of a run go to.

    Args:
      resource: What the trace is of.
      sampler: Which traces are taken; None leaves it to `OTEL_TRACES_SAMPLER`.
    """

    def __init__(self, resource: Resource, sampler: sampling.Sampler | None) -> None:
        self._ids = _StepIds()
        self._kept = _Kept()
        self._sampled: bool | None = None
        self._provider = TracerProvider(sampler, resource, shutdown_on_exit=False, id_generator=self._ids)
        self._provider.add_span_processor(self._kept)
        self._tracer = self._provider.get_tracer("foresail")

    def samples(self, origin: Origin) -> bool:
        """Return whether the trace is taken; asked for when the record holds a step."""
        if self._sampled is None:
            around = origin.context(None, sampled=True)
            result = self._provider.sampler.should_sample(around, origin.trace_id, "foresail")
            self._sampled = result.decision is sampling.Decision.RECORD_AND_SAMPLE
        return self._sampled

    def emit(self, step: Step, origin: Origin) -> None:
        """Make a step's span; one thread at a time."""
        self._ids.trace, self._ids.span = origin.trace_id, int(step.id, 16)
        emit(self._tracer, step, origin, sampled=self.samples(origin))

    @abstractmethod
    def end(self, within: float) -> str:
        """Deliver what is left and let go of it.

        Args:
          within: Seconds that this may take.

        Returns:
          What is said of it, empty when all was delivered.
        """


class FileSink(Sink):
    """A file, which holds each span as soon as it has ended, whatever the sampler of the collector takes.

    Raises:
      OSError: it cannot be written.
    """

    def __init__(self, path: Path, resource: Resource) -> None:
        super().__init__(resource, sampling.ALWAYS_ON)
        self._path = path
        self._file = JsonLinesExporter(path)
        self._exporter = _Telling(self._file, self._kept)
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def end(self, within: float) -> str:
        """Write again what a full disk has refused."""
        del within
        self._exporter.export(list(self._kept.spans.values()))
        self._exporter.shutdown()
        left = len(self._kept.spans)
        return f"{left} spans could not be written to {self._path}: {self._file.trouble}" if left else ""


class CollectorSink(Sink):
    """A collector, which is sent what has ended every some seconds, by a thread of the SDK (`OTEL_BSP_*`).

    Raises:
      UsageError: the environment asks for what is not spoken here.
    """

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource, None)
        collector.mute()
        self._line = collector.Line()
        self._exporter = _Telling(collector.exporter(self._line), self._kept)
        self._again = _Telling(collector.exporter(self._line), self._kept)
        self._processor = BatchSpanProcessor(self._exporter)
        self._provider.add_span_processor(self._processor)

    def end(self, within: float) -> str:
        """Send what is left, by a thread that is left alone when it takes too long, or when nobody listens."""
        away = bool(self._line.trouble)
        self._line.settled.clear()
        threading.Thread(target=self._send_the_rest, args=(away,), name="trace", daemon=True).start()
        self._line.settled.wait(within)
        for exporter in (self._exporter, self._again):
            exporter.shutdown()  # ends what waits to try again
        if not self._kept.spans:
            return ""
        why = self._line.trouble or f"it did not take them within {within:g} s"
        return f"{len(self._kept.spans)} spans were not delivered to the collector at {collector.address()}: {why}"

    def _send_the_rest(self, away: bool) -> None:
        """Send what the SDK holds, then what it has lost; a collector that was away is asked once more."""
        try:
            if away:
                self._exporter.shutdown()
            else:
                self._processor.force_flush()
            left = list(self._kept.spans.values())
            for first in range(0, len(left), _AT_ONCE):
                if self._again.export(left[first : first + _AT_ONCE]) is not SpanExportResult.SUCCESS:
                    break
        finally:
            self._line.settled.set()
            self._processor.shutdown()  # type: ignore[no-untyped-call] # the SDK has left it out


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    return context.span_id if context else 0
