"""Formats and patterns of texts in the schema of a custom resource, as the real server checks them. Used by `custom_validation` and `cel`."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from datetime import date
from typing import Final
from urllib.parse import urlsplit

_GO_DURATION: Final = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|[+-]?0")
_GO_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_GO_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_UNITS: Final = (
    (("ns",), "nano", 1e-9), (("us", "µs"), "micro", 1e-6), (("ms",), "milli", 1e-3), (("s",), "sec", 1.0), (("m",), "min", 60.0),
    (("h", "hr"), "hour", 3600.0), (("d",), "day", 86_400.0), (("w", "wk"), "week", 604_800.0),
)  # fmt: skip
_TIME: Final = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|Z|[+-]\d\d:\d\d)"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def searches(pattern: str, text: str) -> bool:
    """Return whether a text has a match of a pattern, which is one of Go's dialect."""
    import re2  # noqa: PLC0415 - a cluster without such definitions starts without it

    try:
        return re2.search(pattern, text) is not None
    except re2.error:  # it is no pattern: the real server refuses its definition
        return True


def duration_seconds(text: str) -> float | None:
    """Return the length of a duration such as ``1h30m``, ``1 day`` or ``3 weeks``; None when it is none."""
    if _GO_DURATION.fullmatch(text):
        length = sum(float(number) * _GO_SECONDS[unit] for number, unit in _GO_PART.findall(text))
        return -length if text.startswith("-") else length
    found = [int(number) * seconds for number, unit in _PART.findall(text) if (seconds := _unit(unit.lower()))]
    return sum(found) if found else None


def _unit(name: str) -> float | None:
    return next((seconds for short, long, seconds in _UNITS if name in short or name.startswith(long)), None)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """Return what says whether a text can be parsed: whether `parse` raises no ``ValueError``."""

    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


def _date_time(text: str) -> None:
    day, time = text[:10], text[11:]
    if text[10:11] not in {"t", "T"} or not re.fullmatch(_TIME, time):
        raise ValueError(text)
    date.fromisoformat(day)


def _day(text: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(text)
    date.fromisoformat(text)


def _network(text: str) -> None:
    if "/" not in text:
        raise ValueError(text)
    ipaddress.ip_network(text, strict=False)


def _bytes(text: str) -> None:
    if not text:
        raise ValueError(text)
    base64.b64decode(text, validate=True)


def _request_uri(text: str) -> bool:
    return text.startswith("/") or bool(urlsplit(text).scheme)


_UUID: Final = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matches(r"(?i)[0-9a-f]{24}"),
    "byte": parses(_bytes),
    "cidr": parses(_network),
    "date": parses(_day),
    "date-time": parses(_date_time),
    "duration": lambda text: duration_seconds(text) is not None,
    "email": _matches(r"[^@\s]+@[^@\s]+"),
    "hexcolor": _matches(r"(?i)#([0-9a-f]{3}|[0-9a-f]{6})"),
    "hostname": _matches(rf"[A-Za-z0-9](-?[A-Za-z0-9]{{0,62}})?|({_LABEL}\.)+[A-Za-z]{{2,63}}"),
    "ipv4": parses(ipaddress.IPv4Address),
    "ipv6": parses(ipaddress.IPv6Address),
    "mac": _matches(r"(?i)[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}"),
    "uri": _request_uri,
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID % ("4", "[89ab]")),
    "uuid5": _matches(_UUID % ("5", "[89ab]")),
}
"""Which texts have a format."""
KNOWN: Final = FORMATS.keys() | {
    "creditcard", "double", "float", "int32", "int64", "isbn", "isbn10", "isbn13", "password", "rgbcolor", "ssn",
}  # fmt: skip
"""The formats of which the server does not say that it does not know them."""
