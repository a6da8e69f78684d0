"""The trace of a run that goes on: each step becomes a span as its end is recorded. Called by `start`.

What is traced is read from the record, not from the objects of this process: a step that a child process has recorded
is told of there, too. This process's own steps are what makes it look.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from projects.core import tracing
from projects.core.record.following import Follower
from projects.core.record.steps import Record, Step, read_steps
from projects.core.record.verdict import within
from projects.core.tracing import origin as origins
from projects.core.tracing.origin import Origin
from projects.core.tracing.sinks import CollectorSink, FileSink, Sink
from projects.core.tracing.spans import resource
from projects.core.values.errors import ForesailError

logger = logging.getLogger(__name__)
_FLUSH_S = 3.0
"""How long the end of a run waits for a collector; Prow kills 15 s after a signal."""


class Trace:
    """The spans of what this process and its children record.

    Args:
      record: The run's record.
      origin: Where the trace begins.
      sinks: Where the spans go; none in a child, whose steps the process that began the run tells of.
    """

    def __init__(self, record: Record, origin: Origin, sinks: Sequence[Sink]) -> None:
        self._origin = origin
        self._sinks = sinks
        self._root = record.root
        self._follower = Follower(record.root)
        deque(self._follower.changes(), maxlen=0)  # what was there before is told by whoever did it
        self._own: set[str] = set()
        self._told: set[str] = set()
        self._lock = threading.RLock()
        self._deaf = record.listen(self._hear) if sinks else lambda: None

    @classmethod
    def of(cls, record: Record, file: Path | None) -> Self:
        """Begin a trace.

        Args:
          record: The run's record.
          file: Where the trace is written.
        """
        origin = Origin(record.root, origins.outside())
        if origins.is_inside(record.root, origin.outside):
            return cls(record, origin, [])
        return cls(record, origin, list(_sinks(origin, file)))

    def traceparent(self, step_id: str) -> str:
        """Return the header that names the span of a step."""
        sampled = all(sink.samples(self._origin) for sink in self._sinks)
        if not self._sinks:
            sampled = self._origin.outside.trace_flags.sampled
        return self._origin.traceparent(step_id, sampled=sampled)

    def end(self) -> None:
        """Tell of what has not ended and of what others have recorded last, and deliver it all."""
        with self._lock:
            sinks, self._sinks = self._sinks, ()
            if not sinks:
                return
            self._deaf()
            # All of it once more: a signal may have cut off a look.
            for step in within(read_steps(self._root), self._own):
                self._tell(sinks, step)
        for sink in sinks:
            try:
                trouble = sink.end(_FLUSH_S)
            except Exception as error:  # noqa: BLE001 - a run is worth more than its trace
                trouble = str(error)
            if trouble:
                logger.warning("the trace is not whole: %s", trouble)

    def _hear(self, step: Step) -> None:
        try:
            with self._lock:
                self._own.add(step.id)
                if step.end is not None:
                    self._look(self._sinks)
        except Exception as error:  # noqa: BLE001 - a run is worth more than its trace
            logger.debug("a step is not traced yet: %s", error)

    def _look(self, sinks: Sequence[Sink]) -> None:
        """Read what the record holds by now, and make the spans of what has ended."""
        for step in self._follower.changes():
            if step.parent in self._own:
                self._own.add(step.id)
            if step.end is not None and step.id in self._own:
                self._tell(sinks, step)

    def _tell(self, sinks: Sequence[Sink], step: Step) -> None:
        if step.id in self._told:
            return
        for sink in sinks:
            try:
                sink.emit(step, self._origin)
            except Exception as error:  # noqa: BLE001 - the other sinks, and the other steps, go on
                logger.warning("the step '%s' is not traced: %s", step.name, error)
        self._told.add(step.id)


def _sinks(origin: Origin, file: Path | None) -> Iterator[Sink]:
    """Yield the places that spans go to; one that cannot be used is warned of."""
    what = resource(origin.root)
    if file is not None:
        try:
            yield FileSink(file.absolute(), what)
        except OSError as error:
            logger.warning("the trace cannot be written to %s: %s", file, error)
    if tracing.has_collector():
        try:
            yield CollectorSink(what)
        except ForesailError as error:
            logger.warning("the trace is not sent: %s", error)
