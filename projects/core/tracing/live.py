"""The trace of a run that goes on: each step becomes a span as its end is recorded. Called by `start`.

What is traced is read from the record, not from the objects of this process: a step that a child process has recorded
is told of there, too. This process's own steps are what makes it look.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from projects.core import tracing
from projects.core.record.steps import Record, Step, merged
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
        self._lines = _Lines(record.path)
        self._own: set[str] = set()
        self._begun: dict[str, Mapping[str, Any]] = {}
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
            self._look(sinks)
            for line in [each for each in self._begun.values() if each["id"] in self._own]:
                self._tell(sinks, merged([line])[0])
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
        self._lines.read()
        for line in self._lines.taken():
            name = line.get("id", "")
            if "start" in line:
                self._begun[name] = line
                if line.get("parent") in self._own:
                    self._own.add(name)
            elif "end" in line and name in self._own and name in self._begun:
                self._tell(sinks, merged([self._begun[name], line])[0])
                del self._begun[name]

    def _tell(self, sinks: Sequence[Sink], step: Step) -> None:
        for sink in sinks:
            try:
                sink.emit(step, self._origin)
            except Exception as error:  # noqa: BLE001 - the other sinks, and the other steps, go on
                logger.warning("the step '%s' is not traced: %s", step.name, error)


def _sinks(origin: Origin, file: Path | None) -> Iterator[Sink]:
    """Yield the places that spans go to; one that cannot be used is warned of."""
    what = resource(origin.root)
    if file is not None:
        try:
            yield FileSink(file, what)
        except OSError as error:
            logger.warning("the trace cannot be written to %s: %s", file, error)
    if tracing.has_collector():
        try:
            yield CollectorSink(what)
        except ForesailError as error:
            logger.warning("the trace is not sent: %s", error)


class _Lines:
    """The lines that a record gets from now on.

    Args:
      path: The record, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0
        self._waiting: deque[dict[str, Any]] = deque()

    def read(self) -> None:
        """Read the whole lines that were written since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._waiting.extend(filter(None, map(_parsed, data[:whole].split(b"\n"))))
        self._read += whole

    def taken(self) -> Iterator[dict[str, Any]]:
        """Yield what was read; a line is off the list when the next one is asked for, so that a signal loses none."""
        while self._waiting:
            yield self._waiting[0]
            self._waiting.popleft()


def _parsed(text: bytes) -> dict[str, Any]:
    """Return a line, nothing when it was cut off by a kill."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
