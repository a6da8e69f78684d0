"""How log records look: on standard error, one format. Called by `main` and by orchestrations through the library."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s [%(filename)s:%(lineno)d] %(message)s"


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at that moment, so that it does not matter which of the two is set up first."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT, datefmt="%H:%M:%S"))

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """Do nothing: the stream is the present one."""


def configure_logging() -> None:
    """Let the root logger write records of INFO and worse as ``HH:MM:SS LEVEL [file:line] message`` to standard error.

    A second call changes nothing, and a handler that somebody set up for a standard stream stays the only one.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    streams = {id(stream) for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}
    present = [handler for handler in root.handlers if isinstance(handler, logging.StreamHandler)]
    if not any(id(handler.stream) in streams for handler in present):
        root.addHandler(_StandardError())
