"""The second wall of a plan: which events it lets pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible._internal._templating._jinja_common import MarkerError

from projects.core.execution.plan_gate import _Wall

INSIDE, OUTSIDE = "/tmp/plan/a", "/etc/b"
wall = _Wall((Path(INSIDE).parent,))


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("os.remove", (OUTSIDE, -1)),
        ("os.remove", (f"{INSIDE}/../../../{OUTSIDE}", -1)),
        ("os.rename", (INSIDE, OUTSIDE, -1, -1)),
        ("os.rename", (OUTSIDE, INSIDE, -1, -1)),
        ("os.link", (INSIDE, OUTSIDE, -1, -1)),
        ("os.symlink", (INSIDE, OUTSIDE, -1)),
        ("os.kill", (1, 0)),
        ("os.killpg", (1, 0)),
        ("os.fork", ()),
    ],
)
def test_what_has_an_effect_outside_is_refused(event: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(MarkerError, match="a plan does not do it"):
        wall(event, arguments)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("os.remove", (INSIDE, -1)),
        ("os.rename", (INSIDE, INSIDE + "b", -1, -1)),
        ("os.utime", (INSIDE, None, None, -1)),
        ("os.chmod", (5, 0o600, -1)),
        ("open", ("/dev/null", "w", 1)),
        ("open", (OUTSIDE, "r", 0)),
        ("import", ("os",)),
    ],
)
def test_what_stays_inside_or_only_reads_passes(event: str, arguments: tuple[Any, ...]) -> None:
    wall(event, arguments)
