"""What the sections of a scenario are made of: the base of their models, and values such as a span of time. Used by the other models."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from projects.sim_cluster.options import MAX_SPEED, MOST_SPEED

_SPAN: Final = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}


class Section(BaseModel):
    """A mapping of a scenario file: no key but its own, and nobody changes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def _seconds(value: object) -> object:
    """Return a span of time in seconds; a number is one already."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a span of time such as 90, 90s or 1h30m")  # noqa: TRY004 - what pydantic collects
    if isinstance(value, str):
        found = _SPAN.fullmatch(value)
        if not value or found is None:
            raise ValueError("expected a span of time such as 90, 90s or 1h30m")
        value = sum(float(number) * _UNITS[unit] for unit, number in found.groupdict().items() if number)
    if not 0 <= value <= 1e9:  # noqa: PLR2004 - thirty years
        raise ValueError("expected a span of time from 0 on")
    return float(value)


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "title": "time",
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$", "minLength": 2},
            ],
        }
    ),
]
"""A span of the cluster's time: a number of seconds, or text such as ``3m`` or ``1h30m``."""

Patterns = tuple[str, ...]
"""Shell patterns, one of which has to fit; none at all fits everything."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""From 0, never, to 1, always."""


def _speed(value: object) -> object:
    if value == "max":
        return MAX_SPEED
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_SPEED:
        raise ValueError("expected how many times faster than real time the clock runs, such as 60, or max")
    return float(value)


Speed = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(_speed),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SPEED}, {"const": "max"}]}),
]
"""How much faster than real time a clock runs; ``max`` jumps to the next event."""


class ClusterFault(Section):
    """What all faults of the cluster have: a name, when they begin, and how probable they are."""

    name: str = ""
    """What the fault is called where it is counted; by default what it does."""
    after: Seconds = 0.0
    """When it begins, on the cluster's clock since its start."""
    probability: Probability = 1.0
    """How probable it is for each object that it may befall, by itself; the seed decides."""


class Pods(Section):
    """Which pods; a key that is not given fits every pod."""

    namespaces: Patterns = ()
    """Patterns of namespaces; any by default but those of the cluster itself (`default`, `kube-*`, `openshift*`)."""
    names: Patterns = ()
    """Patterns of names."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels that they have."""
