"""The redactor: it knows every secret value that was read and takes it out of text. Every writer of the core calls it.

There is one per process, because there is one disk and one console to keep clean. A process that serves
another one (the warm Ansible host) is handed the values over its socket.
"""

from __future__ import annotations

import base64
import json
import shlex
import threading
import urllib.parse
from collections.abc import Iterable

MASK = "********"
SHORTEST = 4  # a shorter value would take ordinary words out of every log
_SHORTEST_BASE64 = 8
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Redactor:
    """A set of secret values and the text without them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._forms: tuple[str, ...] = ()  # longest first

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
            self._forms = tuple(sorted({*self._forms, *_encodings(value)}, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """Return `text` with a mask in place of each known value."""
        for form in self._forms:  # one pattern of them all takes seconds to compile, and longer to match
            text = text.replace(form, MASK)
        return text

    def begun(self, text: str) -> int:
        """Return how many characters at the end of `text` may be the beginning of a known value, whose rest is to come."""
        found = 0
        for form in self._forms:
            longest = min(len(form) - 1, len(text))
            found = max(found, next((size for size in range(longest, found, -1) if text.endswith(form[:size])), 0))
        return found


def _encodings(value: str) -> Iterable[str]:
    lines = [line.strip() for line in value.splitlines()]
    for plain in {value, value.strip(), *lines}:
        if len(plain.strip()) < SHORTEST:  # white space alone would take the indentation out of every file
            continue
        yield plain
        yield base64.b64encode(plain.encode()).decode().rstrip("=")
        yield base64.b64encode(f"{plain}\n".encode()).decode().rstrip("=")
        yield base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
        yield from _inside_base64(plain.encode())
        yield urllib.parse.quote(plain, safe="")
        yield urllib.parse.quote_plus(plain)
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield shlex.quote(plain)
        yield repr(plain)[1:-1]
        yield plain.replace("'", "''")  # in single quotes of YAML


def _inside_base64(value: bytes) -> Iterable[str]:
    """Yield what a value looks like within a longer text in base64, such as the ``user:password`` of a pull secret.

    It depends on how many bytes stand before it, modulo three. The characters that its neighbours have a share in are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value)
        first, end = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        if end - first >= _SHORTEST_BASE64:
            yield encoded[first:end].decode()
            yield encoded[first:end].translate(_URL_SAFE).decode()


REDACTOR = Redactor()
