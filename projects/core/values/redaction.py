"""The redactor: it knows every secret value that was read and takes it out of text. Every writer of the core calls it.

There is one per process, because there is one disk and one console to keep clean. A process that serves
another one (the warm Ansible host) is handed the values over its socket.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import threading
import urllib.parse
from collections.abc import Iterable

MASK = "********"
SHORTEST = 4  # a shorter value would take ordinary words out of every log


class Redactor:
    """A set of secret values and the text without them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """The values that are known, to be handed to another process over a private channel."""
        return tuple(self._values)

    def register(self, value: str) -> None:
        """Take a secret value out of everything that is redacted from now on, in each of its encodings.

        Args:
          value: The secret. One of fewer than four characters cannot be told from ordinary text and is left out.
        """
        with self._lock:
            self._values.add(value)
            forms = sorted({form for known in self._values for form in _encodings(known)}, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def redact(self, text: str) -> str:
        """Return `text` with a mask in place of each known value."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _encodings(value: str) -> Iterable[str]:
    lines = [line.strip() for line in value.splitlines()]
    for plain in {value, value.strip(), *lines}:
        if len(plain) < SHORTEST:
            continue
        yield plain
        yield base64.b64encode(plain.encode()).decode().rstrip("=")
        yield base64.b64encode(f"{plain}\n".encode()).decode().rstrip("=")
        yield urllib.parse.quote(plain, safe="")
        yield urllib.parse.quote_plus(plain)
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield shlex.quote(plain)


REDACTOR = Redactor()
