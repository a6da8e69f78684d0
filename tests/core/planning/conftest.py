"""Plans of this test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.library import plans
from projects.core.planning.notes import watched


@pytest.fixture
def plan_root(nowhere: None) -> Iterator[Path]:
    """A plan, in which the test stands; its root."""
    with plans.standing_in_a_plan(None) as root, watched():
        yield root
