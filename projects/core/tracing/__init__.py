"""The record of a run as an OpenTelemetry trace. Called by the session of a run, and by `env` for the children that it starts.

A trace is asked for by `--trace FILE`, or by the standard variables of OpenTelemetry. When it is not, nothing of the SDK is
imported.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.record.steps import Record

if TYPE_CHECKING:
    from projects.core.tracing.live import Trace

logger = logging.getLogger(__name__)
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_trace: list[Trace] = []
"""The trace of this process, if there is one: children are told of it from any thread."""


def is_on(file: Path | None) -> bool:
    """Return whether a run is to be traced.

    Args:
      file: Where `--trace` says that the trace is written, if it was given.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return file is not None or has_collector()


def has_collector() -> bool:
    """Return whether the environment names a collector that spans are sent to."""
    if os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(os.environ.get(name) for name in _ENDPOINTS)


def start(record: Record, *, file: Path | None) -> Callable[[], None]:
    """Trace what is recorded from now on; what goes wrong with it is said and does not touch the run.

    Args:
      record: The run's record.
      file: Where the trace is written as OTLP JSON lines; None to send it to the collector only.

    Returns:
      A function that ends it: what is left is exported, within some seconds. It may be called more than once.
    """
    from projects.core.tracing.live import Trace  # noqa: PLC0415 - the SDK takes 0.1 s to import, and is rarely wanted

    try:
        trace = Trace.of(record, file)
    except Exception as error:  # noqa: BLE001 - a run is worth more than its trace
        logger.warning("the run is not traced: %s", error)
        return lambda: None
    _trace[:] = [trace]

    def end() -> None:
        _trace.clear()
        try:
            trace.end()
        except Exception as error:  # noqa: BLE001 - likewise
            logger.warning("the trace is not whole: %s", error)

    return end


def traceparent(step_id: str) -> dict[str, str]:
    """Return the variables by which a child process of a step joins the trace; none when there is no trace.

    Args:
      step_id: The step that starts the child.
    """
    try:
        return {"TRACEPARENT": _trace[0].traceparent(step_id)} if _trace else {}
    except Exception as error:  # noqa: BLE001 - a run is worth more than its trace
        logger.warning("a child is not told of the trace: %s", error)
        return {}
