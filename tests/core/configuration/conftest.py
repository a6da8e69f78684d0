"""A checkout of its own for each test."""

from pathlib import Path

import pytest

from tests.core.configuration.checkouts import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
