from __future__ import annotations

import pytest

from projects.core.toolbox import command
from projects.core.toolbox.declaration import MARK, Declaration
from projects.core.values.errors import UsageError


class Probe:
    @command
    def plain(self, text: str = "a") -> None:
        """Do."""

    @command(directory_suffix="_{name}")
    def suffixed(self, name: str) -> None:
        """Do."""
        if not name:
            raise UsageError("the name is empty")

    def ordinary(self) -> None:
        """Not a command."""


def test_a_decorated_method_is_marked_with_and_without_parentheses() -> None:
    assert getattr(Probe.plain, MARK) == Declaration()
    assert getattr(Probe.suffixed, MARK) == Declaration("_{name}")
    assert not hasattr(Probe.ordinary, MARK)


def test_calling_a_command_only_validates() -> None:
    Probe().plain()
    Probe().suffixed("x")
    with pytest.raises(UsageError, match="the name is empty"):
        Probe().suffixed("")
