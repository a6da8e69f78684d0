"""The functions that Kubernetes adds to CEL: of texts, lists, regular expressions, URLs, quantities and addresses. Used by `programs`.

Names and meaning are those of the API's documentation, "Common Expression Language in Kubernetes".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import re2
from celpy import celtypes

from projects.sim_cluster.api import quantities

_Bool, _Int, _Text, _List = celtypes.BoolType, celtypes.IntType, celtypes.StringType, celtypes.ListType
Function = Callable[..., Any]


def _is(parse: Callable[[str], object]) -> Function:
    """Return a function that says whether a text can be parsed."""

    def parses(text: str) -> Any:
        try:
            parse(str(text))
        except ValueError:
            return _Bool(False)
        return _Bool(True)

    return parses


def _quantity(text: str) -> quantities.Quantity:
    found = quantities.quantity(str(text))
    if found is None:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    return found


def _url(text: str) -> Any:
    found = urlsplit(str(text))
    if not found.scheme and not found.path.startswith("/"):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return found


def _compared(one: quantities.Quantity, other: quantities.Quantity) -> int:
    return (one.value > other.value) - (one.value < other.value)


def _split(text: str, separator: str, most: int = -1) -> Any:
    if most == 0:
        return _List([])
    parts = list(text) if not separator else text.split(separator, most - 1 if most > 0 else -1)
    return _List([_Text(part) for part in parts])


def _find_all(text: str, pattern: str, most: int = -1) -> Any:
    found = [_Text(match.group()) for match in re2.finditer(pattern, text)]
    return _List(found if most < 0 else found[:most])


def _find(text: str, pattern: str) -> Any:
    match = re2.search(pattern, text)
    return _Text(match.group() if match else "")


def _index(within: Any, what: Any, start: int = 0) -> Any:
    if isinstance(within, str):
        return _Int(within.find(what, start))
    return _Int(next((number for number, item in enumerate(within) if item == what), -1))


def _last_index(within: Any, what: Any) -> Any:
    if isinstance(within, str):
        return _Int(within.rfind(what))
    return _Int(max((number for number, item in enumerate(within) if item == what), default=-1))


def _sum(items: Any) -> Any:
    total = items[0] if items else _Int(0)
    for item in items[1:]:
        total = total + item
    return total


def _is_sorted(items: Any) -> Any:
    return _Bool(all(one <= other for one, other in pairwise(items)))


TEXTS: Final[dict[str, Function]] = {
    "charAt": lambda text, index: _Text(text[index : index + 1]),
    "indexOf": _index,
    "join": lambda items, separator="": _Text(separator.join(items)),
    "lastIndexOf": _last_index,
    "lowerAscii": lambda text: _Text(text.lower()),
    "replace": lambda text, old, new, most=-1: _Text(str.replace(text, old, new, int(most))),
    "reverse": lambda text: _Text(text[::-1]),
    "split": _split,
    "substring": lambda text, start, end=None: _Text(text[start:end]),
    "trim": lambda text: _Text(text.strip()),
    "upperAscii": lambda text: _Text(text.upper()),
    "find": _find,
    "findAll": _find_all,
}
LISTS: Final[dict[str, Function]] = {"isSorted": _is_sorted, "max": max, "min": min, "sum": _sum}
URLS: Final[dict[str, Function]] = {
    "isURL": _is(_url),
    "url": _url,
    "getScheme": lambda url: _Text(url.scheme),
    "getHost": lambda url: _Text(url.netloc.rpartition("@")[2]),
    "getHostname": lambda url: _Text(url.hostname or ""),
    "getPort": lambda url: _Text(url.port or ""),
    "getEscapedPath": lambda url: _Text(url.path),
    "getQuery": lambda url: celtypes.MapType(
        {_Text(name): _List([_Text(value) for value in values]) for name, values in parse_qs(url.query).items()}
    ),
}
QUANTITIES: Final[dict[str, Function]] = {
    "isQuantity": _is(_quantity),
    "quantity": _quantity,
    "isGreaterThan": lambda one, other: _Bool(_compared(one, other) > 0),
    "isLessThan": lambda one, other: _Bool(_compared(one, other) < 0),
    "compareTo": lambda one, other: _Int(_compared(one, other)),
    "sign": lambda quantity: _Int((quantity.value > 0) - (quantity.value < 0)),
    "isInteger": lambda quantity: _Bool(quantity.value == int(quantity.value)),
    "asInteger": lambda quantity: _Int(int(quantity.value)),
    "asApproximateFloat": lambda quantity: celtypes.DoubleType(quantity.value),
    "add": lambda one, other: quantities.Quantity(one.value + getattr(other, "value", other), one.form),
    "sub": lambda one, other: quantities.Quantity(one.value - getattr(other, "value", other), one.form),
}
ADDRESSES: Final[dict[str, Function]] = {
    "isIP": _is(ipaddress.ip_address),
    "ip": lambda text: ipaddress.ip_address(str(text)),
    "family": lambda address: _Int(address.version),
    "isCIDR": _is(lambda text: ipaddress.ip_network(text, strict=False)),
    "cidr": lambda text: ipaddress.ip_network(str(text), strict=False),
    "containsIP": lambda network, address: _Bool(ipaddress.ip_address(str(address)) in network),
    "prefixLength": lambda network: _Int(network.prefixlen),
}
FUNCTIONS: Final = TEXTS | LISTS | URLS | QUANTITIES | ADDRESSES
