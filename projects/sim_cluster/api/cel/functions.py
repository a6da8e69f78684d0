"""The functions that Kubernetes adds to CEL: of texts, lists, regular expressions, URLs, quantities and addresses. Used by `programs`.

Names and meaning are those of the API's documentation, "Common Expression Language in Kubernetes".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import re2
from celpy import celtypes
from celpy.evaluation import bool_eq

from projects.sim_cluster.api import quantities
from projects.sim_cluster.api.cel.optionals import Optional
from projects.sim_cluster.api.formats import parses

_Bool, _Int, _Text, _List = celtypes.BoolType, celtypes.IntType, celtypes.StringType, celtypes.ListType
Function = Callable[..., Any]


def _is(parse: Callable[[str], object]) -> Function:
    """Return a function that says whether a text can be parsed."""
    fits = parses(parse)
    return lambda text: _Bool(fits(str(text)))


def _quantity(text: str) -> quantities.Quantity:
    if not isinstance(text, str):
        raise TypeError("no such overload: quantity(int)")
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


def _flatten(items: Any, depth: int = 1) -> Any:
    found: list[Any] = []
    for item in items:
        found += _flatten(item, depth - 1) if isinstance(item, list) and depth > 0 else [item]
    return _List(found)


def _distinct(items: Any) -> Any:
    return _List([item for number, item in enumerate(items) if item not in items[:number]])


_VERB: Final = re.compile(r"%(?:\.(\d+))?([sdfexXob%])")


def _written(template: str, values: Any) -> Any:
    """Return a text in which each verb is filled with the next value."""
    rest = iter(values)

    def fill(found: re.Match[str]) -> str:
        digits, verb = found[1] or "6", found[2]
        match verb:
            case "%":
                return "%"
            case "s":
                return _as_text(next(rest))
            case "f" | "e":
                return format(float(next(rest)), f".{digits}{verb}")
        return format(int(next(rest)), verb)

    return _Text(_VERB.sub(fill, template))


def _as_text(value: Any) -> str:
    match value:
        case celtypes.BoolType():
            return str(bool(value)).lower()
        case list():
            return f"[{', '.join(map(_as_text, value))}]"
        case dict():
            return "{" + ", ".join(f"{_as_text(key)}: {_as_text(value[key])}" for key in sorted(value)) + "}"
    return "null" if value is None else str(value)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# An address with the length of its prefix, as Go's netip.Prefix.
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def _address(value: Any) -> Address:
    """Return the address that a text tells, or the one of a network."""
    if isinstance(value, Network):
        return value.ip
    address = ipaddress.ip_address(str(value))
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise ValueError(f"IP Address {value!r} with zone value or mapped from IPv4 is not allowed")
    return address


def _network(value: Any) -> Network:
    """Return the network that a text tells; unlike Python, Kubernetes takes neither a bare address nor a mask."""
    address, _, length = str(value).partition("/")
    if not _LENGTH.fullmatch(length):
        raise ValueError(f"network address parse error during conversion from string: {value!r}")
    return ipaddress.ip_interface(f"{_address(address)}/{length}")


def _contains_network(network: Network, other: Any) -> Any:
    whole, part = network.network, _network(other)
    return _Bool(part.ip in whole and part.network.prefixlen >= whole.prefixlen)


def _equal(one: Any, other: Any) -> Any:
    """Return whether two values are equal; those of unlike types are not, which to cel-python is an error."""
    try:
        return bool_eq(one, other)
    except TypeError:
        return _Bool(False)


def _is_sorted(items: Any) -> Any:
    return _Bool(all(one <= other for one, other in pairwise(items)))


_LENGTH: Final = re.compile("0|[1-9][0-9]*")
_LINK_LOCAL: Final = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}
TEXTS: Final[dict[str, Function]] = {
    "charAt": lambda text, index: _Text(text[index : index + 1]),
    "indexOf": _index,
    "join": lambda items, separator="": _Text(separator.join(items)),
    "lastIndexOf": _last_index,
    "lowerAscii": lambda text: _Text(text.lower()),
    "replace": lambda text, old, new, most=-1: _Text(str.replace(text, old, new, int(most))),
    "split": _split,
    "substring": lambda text, start, end=None: _Text(text[start:end]),
    "trim": lambda text: _Text(text.strip()),
    "upperAscii": lambda text: _Text(text.upper()),
    "find": _find,
    "findAll": _find_all,
    "format": _written,
}
LISTS: Final[dict[str, Function]] = {
    "distinct": _distinct,
    "first": lambda items: Optional(*items[:1]),
    "flatten": _flatten,
    "isSorted": _is_sorted,
    "last": lambda items: Optional(*items[-1:]),
    "max": max,
    "min": min,
    "reverse": lambda items: _List(items[::-1]),
    "slice": lambda items, start, end: _List(items[start:end]),
    "sort": lambda items: _List(sorted(items)),
    "sum": _sum,
}
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
    "isIP": _is(_address),
    "ip": _address,
    "family": lambda address: _Int(address.version),
    "isCIDR": _is(_network),
    "cidr": _network,
    "containsIP": lambda network, address: _Bool(_address(address) in network.network),
    "prefixLength": lambda network: _Int(network.network.prefixlen),
    "containsCIDR": _contains_network,
    "isGlobalUnicast": lambda address: _Bool(
        not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_link_local)
    ),
    "isLinkLocalMulticast": lambda address: _Bool(address.is_multicast and address in _LINK_LOCAL[address.version]),
    "isLinkLocalUnicast": lambda address: _Bool(address.is_link_local),
    "isLoopback": lambda address: _Bool(address.is_loopback),
    "isUnspecified": lambda address: _Bool(address.is_unspecified),
    "masked": lambda network: ipaddress.ip_interface(network.network),
}
OPERATORS: Final[dict[str, Function]] = {
    "_==_": _equal,
    "_!=_": lambda one, other: _Bool(not same) if isinstance(same := _equal(one, other), int) else same,
    "string": lambda value: _Text(str(bool(value)).lower() if isinstance(value, _Bool) else value),
}
"""What cel-python has and does otherwise."""
FUNCTIONS: Final = OPERATORS | TEXTS | LISTS | URLS | QUANTITIES | ADDRESSES
