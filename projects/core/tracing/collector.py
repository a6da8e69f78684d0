"""The way to a collector: OTLP over HTTP, and how it goes. Used by the sinks.

The SDK says in many lines that a collector is away, each time that it tries; here it is known in one sentence.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from projects.core.values.errors import UsageError

_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SPOKEN = "http/protobuf"
_BAD = 400
_SDK_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


class Line(requests.Session):
    """An HTTP session that remembers how its last request went.

    Attributes:
      trouble: Why the last request was not taken, empty when it was or there was none.
      settled: Set when the collector could not be reached, so that nobody waits for more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trouble = ""
        self.settled = threading.Event()

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request."""
        try:
            response = super().request(*args, **kwargs)
        except requests.RequestException as error:
            self.trouble = _innermost(error)
            self.settled.set()
            raise
        self.trouble = f"HTTP {response.status_code} {response.reason}" if response.status_code >= _BAD else ""
        return response


def exporter(line: Line) -> OTLPSpanExporter:
    """Return an exporter that is configured by the `OTEL_EXPORTER_OTLP_*` variables.

    Raises:
      UsageError: they ask for another protocol.
    """
    wanted = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), _SPOKEN)
    if wanted != _SPOKEN:
        raise UsageError(f"expected {_SPOKEN} in $OTEL_EXPORTER_OTLP_PROTOCOL, found '{wanted}'")
    return OTLPSpanExporter(session=line)


def address() -> str:
    """Return host and port of the collector, without what in its URL may be a password."""
    url = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
    return urlsplit(url).netloc.rpartition("@")[2] or url


def mute() -> None:
    """Keep the SDK from saying on the console, again and again, what is said once here."""
    for name in _SDK_LOGGERS:
        logging.getLogger(name).disabled = True


def _innermost(error: BaseException) -> str:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__
