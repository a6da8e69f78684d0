"""What expressions call by way of a name: ``format.dns1123Label()``, ``sets.contains(…)``, ``ip.isCanonical(…)``. Used by `programs`.

To cel-python such a name is a variable, and what is called a method of it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from celpy import celtypes
from celpy.evaluation import function_contains

from projects.sim_cluster.api import names
from projects.sim_cluster.api.cel.optionals import Optional
from projects.sim_cluster.api.errors import Cause
from projects.sim_cluster.api.formats import FORMATS

_Bool, _Text, _List = celtypes.BoolType, celtypes.StringType, celtypes.ListType


@dataclass(frozen=True)
class Namespace:
    """The name by which functions are called."""

    name: str


@dataclass(frozen=True)
class Format:
    """A named format: `wrong` yields what is wrong with a text."""

    wrong: Callable[[str], Iterator[str]]


NAMESPACES: Final[dict[str, Any]] = {
    name: Namespace(name) for name in ("format", "ip", "lists", "optional", "sets", "strings")
}


def _by(causes: Callable[[str, str], Iterator[Cause]], *, as_prefix: bool = False) -> Format:
    """Return a format that names of objects and labels have."""

    def wrong(text: str) -> Iterator[str]:
        whole = names.as_whole_name(text) if as_prefix else text
        for cause in causes(whole, ""):
            yield names.without_value(cause, whole)

    return Format(wrong)


def _like(form: str) -> Format:
    return Format(lambda text: iter(() if FORMATS[form](text) else (f"invalid {form}",)))


_FORMATS: Final = {
    "byte": _like("byte"), "date": _like("date"), "datetime": _like("date-time"), "uri": _like("uri"), "uuid": _like("uuid"),
    "dns1035Label": _by(names.dns_label_1035), "dns1035LabelPrefix": _by(names.dns_label_1035, as_prefix=True),
    "dns1123Label": _by(names.dns_label), "dns1123LabelPrefix": _by(names.dns_label, as_prefix=True),
    "dns1123Subdomain": _by(names.dns_subdomain), "dns1123SubdomainPrefix": _by(names.dns_subdomain, as_prefix=True),
    "labelValue": _by(names.value_causes), "qualifiedName": _by(names.key_causes),
}  # fmt: skip


def _named(_format: Namespace, name: str) -> Optional:
    found = _FORMATS.get(str(name))
    return Optional(found) if found else Optional()


def _validate(form: Format, text: str) -> Optional:
    wrong = [_Text(each) for each in form.wrong(str(text))]
    return Optional(_List(wrong)) if wrong else Optional()


def _contains(holder: Any, *what: Any) -> Any:
    if isinstance(holder, Namespace):
        whole, part = what
        return _Bool(all(item in whole for item in part))
    return function_contains(holder, *what)


def _is_canonical(_ip: Namespace, text: str) -> Any:
    return _Bool(str(ipaddress.ip_address(str(text))) == text)


def _format_of(name: str) -> Callable[[Namespace], Format]:
    return lambda _format: _FORMATS[name]


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: _format_of(name) for name in _FORMATS},
    "named": _named,
    "validate": _validate,
    "contains": _contains,
    "equivalent": lambda _sets, one, other: _Bool(all(x in other for x in one) and all(x in one for x in other)),
    "intersects": lambda _sets, one, other: _Bool(any(item in other for item in one)),
    "isCanonical": _is_canonical,
    "of": lambda _optional, value: Optional(value),
    "ofNonZeroValue": lambda _optional, value: Optional(value) if value else Optional(),
    "none": lambda _optional: Optional(),
    "range": lambda _lists, count: _List([celtypes.IntType(number) for number in range(count)]),
    "quote": lambda _strings, text: _Text(json.dumps(str(text), ensure_ascii=False)),
}
