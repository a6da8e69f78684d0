"""What keeping secrets out of text costs: a line, a megabyte, a fork of the Ansible host that learns them, a scan of the artifacts."""

from __future__ import annotations

import base64
import gzip
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Figure, median_seconds
from projects.core.record.scan import scan
from projects.core.values.redaction import REDACTOR, Redactor

_LINE = "2026-11-05T12:00:00Z an ordinary line of a log, with some eighty characters or a few more"
_FILES, _SIZE = 200, 500_000


def secrets() -> list[str]:
    """Return ten secrets, two of them of many lines: a key and a kubeconfig."""
    dice = random.Random(0)

    def text(size: int) -> str:
        return base64.b64encode(dice.randbytes(size)).decode()

    key = "\n".join(["-----BEGIN KEY-----", *(text(48) for _ in range(26)), "-----END KEY-----"])
    users = f"users:\n- name: admin\n  user:\n    client-key-data: {text(1200)}\n    token: {text(600)}"
    return [f"pass'w\"ord {number} {text(12)}" for number in range(4)] + [text(24) for _ in range(4)] + [key, users]


def measure() -> Iterator[Figure]:
    """Yield the figures."""
    values = secrets()
    known = _learnt(values)
    yield Figure(
        "ten secrets learnt, as each command's fork does", 1e3 * median_seconds(lambda: _learnt(values), 20), "ms"
    )
    lines = 20_000
    yield Figure("a line without a secret", 1e6 * _seconds(known, _LINE, lines), "us", 10)
    yield Figure("a line with a secret", 1e6 * _seconds(known, f"{_LINE} {values[0]}", lines), "us", 50)
    text = f"{_LINE}\n" * 50_000
    yield Figure("text without a secret", len(text) / 1e6 / _seconds(known, text, 3), "MB/s", 50, at_least=True)
    yield from _scanned(values)


def _learnt(values: list[str]) -> Redactor:
    made = Redactor()
    for value in values:
        made.register(value)
    made.redact("the first text")
    return made


def _seconds(known: Redactor, text: str, times: int) -> float:
    known.redact(text)
    started = time.perf_counter()
    for _ in range(times):
        known.redact(text)
    return (time.perf_counter() - started) / times


def _scanned(values: list[str]) -> Iterator[Figure]:
    for value in values:
        REDACTOR.register(value)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "run"
        root.mkdir()
        data = (f"{_LINE}\n" * (_SIZE // len(_LINE))).encode()
        for number in range(_FILES):
            (root / f"{number}.log").write_bytes(data)
            (root / f"{number}.log.gz").write_bytes(gzip.compress(data, 1))
        seconds = median_seconds(lambda: scan(root, seconds=60), 3)
    yield Figure(
        f"scan of {_FILES} logs and {_FILES} gz, {2 * _FILES * len(data) / 1e6:.0f} MB in all", seconds, "s", 10
    )
