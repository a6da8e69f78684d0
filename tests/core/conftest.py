"""What the tests of the core share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.library import config
from projects.core.record import context
from projects.core.record.steps import Record
from projects.core.values.redaction import REDACTOR, Redactor


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """The redactor of the process, which knows nothing before the test and forgets what it learned in it."""
    nothing: dict[str, object] = {"_values": {}, "_search": None, "_stale": False}
    for attribute, value in nothing.items():
        monkeypatch.setattr(REDACTOR, attribute, value)
    return REDACTOR


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No run: neither in the context of this thread, nor in the environment."""
    for name in [name for name in os.environ if name.startswith(("FORESAIL_", "TOPSAIL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(config, "_process", [])
    configuration = config._here.set(None)
    monkeypatch.delenv("ARTIFACT_DIR", raising=False)
    monkeypatch.setattr(context, "_root", [])
    token = context._here.set(None)
    yield
    context._here.reset(token)
    config._here.reset(configuration)


@pytest.fixture
def run_root(nowhere: None, tmp_path: Path) -> Path:
    """A run of this test's own, in which the test stands; its root."""
    root = tmp_path / "run"
    root.mkdir()
    context.initialise(context.Place(Record(root), root))
    return root
