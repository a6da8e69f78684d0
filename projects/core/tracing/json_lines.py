"""Spans as lines of OTLP JSON, appended to a file as they end. Used by the sinks.

A line is one `ExportTraceServiceRequest`, which is what the file exporter of the OpenTelemetry collector writes and its
file receiver reads.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from projects.core.record.journal import Journal

_IDS = ("traceId", "spanId", "parentSpanId")


class JsonLinesExporter(SpanExporter):
    """Appends each span to a file, a line in one write.

    Args:
      path: The file. The directories around it are made; what it holds already stays, so that the processes of a job can
        share it.

    Raises:
      OSError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(path)
        self._journal.open()
        self.trouble = ""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans; `trouble` is why one of them was not taken whole, as by a full disk."""
        try:
            for span in spans:
                self._journal.append(line_of(span))
        except OSError as error:
            self.trouble = f"[Errno {error.errno}] {error.strerror}"
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._journal.close()


def line_of(span: ReadableSpan) -> bytes:
    """Return a span as a line of OTLP JSON, without its end."""
    message = MessageToDict(encode_spans([span]), use_integers_for_enums=True)
    for each in _spans(message):
        _write_ids_in_hex(each)
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _spans(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield span
                yield from span.get("links", ())


def _write_ids_in_hex(value: dict[str, Any]) -> None:
    """Turn the ids of a span or link from base64, which is protobuf's JSON, into hex, which is OTLP's."""
    for name in _IDS:
        if name in value:
            value[name] = base64.b64decode(value[name]).hex()
