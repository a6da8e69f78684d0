from __future__ import annotations

import enum
from typing import Literal

from projects.core.toolbox.binding import parameters_of
from projects.core.toolbox.help import command_help, listing, usage_of
from projects.core.toolbox.specification import read_docstring


class Platform(enum.Enum):
    OPENSHIFT = "openshift"
    KUBERNETES = "kubernetes"


def scale(
    instance_type: str,
    scale: int,
    *,
    spot: bool = False,
    force: bool = True,
    mode: Literal["fast", "slow"] = "fast",
    platform: Platform = Platform.OPENSHIFT,
    taint: str | None = None,
) -> None:
    """Ensure that exactly `scale` nodes of one machine type are ready.

    The first MachineSet of the type is scaled.

    Args:
      instance_type: Cloud machine type, such as ``m6i.2xlarge``. It is a long text that has to be folded somewhere, since
        a terminal is not that wide.
      scale: Number of ready nodes wanted.
      spot: Ask for spot instances.

    Raises:
      UsageError: `scale` is negative.
      CommandFailed: not ready in time.
    """


def test_usage_shows_what_must_and_what_may_be_given() -> None:
    assert usage_of("./run_toolbox.py cluster set_scale", parameters_of(scale)) == (
        "usage: ./run_toolbox.py cluster set_scale --instance_type=INSTANCE_TYPE --scale=SCALE"
        " [--spot] [--noforce] [--mode=MODE] [--platform=PLATFORM] [--taint=TAINT]"
    )


def test_usage_without_arguments() -> None:
    assert usage_of("script", {}) == "usage: script"


def test_help_says_it_all() -> None:
    text = command_help("script", parameters_of(scale), read_docstring(scale))
    usage, *lines = text.splitlines()
    assert usage == usage_of("script", parameters_of(scale))
    assert lines == [
        "",
        "Ensure that exactly `scale` nodes of one machine type are ready.",
        "",
        "The first MachineSet of the type is scaled.",
        "",
        "arguments:",
        "  --instance_type  str, required",
        "      Cloud machine type, such as ``m6i.2xlarge``. It is a long text that has to be folded",
        "      somewhere, since a terminal is not that wide.",
        "  --scale  int, required",
        "      Number of ready nodes wanted.",
        "  --spot  bool, default: False",
        "      Ask for spot instances.",
        "  --force  bool, default: True",
        "  --mode  'fast' or 'slow', default: 'fast'",
        "  --platform  'openshift' or 'kubernetes', default: 'openshift'",
        "  --taint  str | None, default: None",
        "",
        "errors:",
        "  UsageError     `scale` is negative.",
        "  CommandFailed  not ready in time.",
    ]


def test_a_listing_has_two_columns() -> None:
    assert listing([("a", "one"), ("long_name", "two"), ("b", "")]) == "  a          one\n  long_name  two\n  b"
    assert listing([]) == ""
