"""Checks that many fields share: ports, numbers, choices, paths, addresses, selectors. Used by the modules that validate kinds.

Each yields the causes that the real server would name, in its words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from projects.sim_cluster.api.errors import Cause, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import key_causes, shown, value_causes

Causes = Iterator[Cause]
_LAST_PORT: Final = 65535
_LARGEST: Final = 2**31 - 1
_LONGEST_SERVICE_NAME: Final = 15
_MODES: Final = 0o777
_PERCENT: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_WHOLE: Final = 100


def choice(value: Any, field: str, choices: Sequence[str]) -> Causes:
    """Check a value that is one of some; none at all is left to the defaults."""
    if value is not None and value not in choices:
        yield not_supported(field, shown(value), choices)


def duplicate(value: Any, field: str) -> Cause:
    """Return the cause "Duplicate value"."""
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def between(value: int, field: str, least: int, most: int) -> Causes:
    """Check the bounds of a number."""
    if not least <= value <= most:
        yield invalid_value(field, shown(value), f"must be between {least} and {most}, inclusive")


def not_negative(value: int | None, field: str) -> Causes:
    """Check a number that may not be below zero."""
    if value is not None and value < 0:
        yield invalid_value(field, shown(value), "must be greater than or equal to 0")


def port_number(value: int, field: str) -> Causes:
    """Check the number of a port."""
    return between(value, field, 1, _LAST_PORT)


def port_name(value: str, field: str) -> Causes:
    """Check the name of a port (an IANA service name)."""
    if len(value) > _LONGEST_SERVICE_NAME:
        yield invalid_value(field, shown(value), f"must be no more than {_LONGEST_SERVICE_NAME} characters")
    if not re.fullmatch(r"[-a-z0-9]*", value):
        yield invalid_value(
            field, shown(value), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        )
    elif not re.search("[a-z]", value):
        yield invalid_value(field, shown(value), "must contain at least one letter (a-z)")
    if "--" in value:
        yield invalid_value(field, shown(value), "must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        yield invalid_value(field, shown(value), "must not begin or end with a hyphen")


def port(value: Any, field: str) -> Causes:
    """Check a port that is a number or a name."""
    return port_name(value, field) if isinstance(value, str) else port_number(value or 0, field)


def user_id(value: int | None, field: str) -> Causes:
    """Check the number of a user or a group."""
    if value is not None:
        yield from between(value, field, 0, _LARGEST)


def mode(value: int | None, field: str) -> Causes:
    """Check the mode bits of files."""
    if value is not None and not 0 <= value <= _MODES:
        yield invalid_value(field, shown(value), "must be a number between 0 and 0777 (octal), both inclusive")


def relative_path(value: str, field: str) -> Causes:
    """Check a path below a volume."""
    if value.startswith("/"):
        yield invalid_value(field, shown(value), "must be a relative path")
    if ".." in value.split("/"):
        yield invalid_value(field, shown(value), "must not contain '..'")


def needed(obj: Object, field: str, *keys: str) -> Causes:
    """Check that fields are there."""
    for key in keys:
        if not obj.get(key):
            yield required(f"{field}.{key}")


def address(value: str, field: str) -> Causes:
    """Check an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield invalid_value(field, shown(value), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def label_selector(selector: Any, field: str) -> Causes:
    """Check a label selector of a spec."""
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        yield from key_causes(key, f"{field}.matchLabels")
        yield from value_causes(value, f"{field}.matchLabels")
    for index, expression in enumerate((selector or {}).get("matchExpressions") or ()):
        yield from _requirement(expression, f"{field}.matchExpressions[{index}]")


def _requirement(expression: Object, field: str) -> Causes:
    values = expression.get("values") or ()
    match expression.get("operator"):
        case "In" | "NotIn":
            if not values:
                yield required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield Cause(f"{field}.values", "FieldValueForbidden", message)
        case operator:
            yield invalid_value(f"{field}.operator", shown(operator or ""), "not a valid selector operator")
    yield from key_causes(expression.get("key", ""), f"{field}.key")
    for index, value in enumerate(values):
        yield from value_causes(value, f"{field}.values[{index}]")


def number_or_share(value: Any, field: str) -> Causes:
    """Check a number of things, or a share of all."""
    if isinstance(value, str) and not re.fullmatch("[0-9]+%", value):
        yield invalid_value(field, shown(value), _PERCENT)
    elif isinstance(value, int):
        yield from not_negative(value, field)


def within_all(value: Any, field: str) -> Causes:
    """Check that a share is not of more than all."""
    if isinstance(value, str) and re.fullmatch("[0-9]+%", value) and int(value[:-1]) > _WHOLE:
        yield invalid_value(field, shown(value), "must not be greater than 100%")
