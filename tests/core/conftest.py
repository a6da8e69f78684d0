"""What the tests of the core share."""

from __future__ import annotations

import pytest

from projects.core.values.redaction import REDACTOR, Redactor


@pytest.fixture
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """The redactor of the process, which knows nothing before the test and forgets what it learned in it."""
    monkeypatch.setattr(REDACTOR, "_values", set())
    monkeypatch.setattr(REDACTOR, "_forms", ())
    return REDACTOR
