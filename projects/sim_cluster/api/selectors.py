"""Label and field selectors: parsed from a query, matched against objects. Used by list, watch and deletecollection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from projects.sim_cluster.api.errors import ApiError, bad_request
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import key_causes, shown, value_causes

Matches = Callable[[Object], bool]
_TOKEN: Final = re.compile(r"\s*(==|!=|=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")
_SYMBOLS: Final = frozenset({"==", "!=", "=", "!", ",", "(", ")", "<", ">"})
_OPERATORS: Final = frozenset({"=", "==", "!=", "in", "notin", "gt", "lt", ">", "<"})
_EXPECTED: Final = "in, notin, =, ==, !=, gt, lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of a label selector."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy the clause."""
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case _:
                return value is not None and _compares(value, self.operator, next(iter(self.values)))


def _compares(value: str, operator: str, bound: str) -> bool:
    try:
        return int(value) > int(bound) if operator == "gt" else int(value) < int(bound)
    except ValueError:
        return False


class _Parser:
    """A label selector's tokens, read from left to right; an error is worded as the server's parser words it."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while word := self.peek():
            if word != "!" and _is_symbol(word):
                raise bad_request(f"found '{word}', expected: !, identifier, or 'end of string'")
            found.append(self.requirement())
            separator = self.take()
            if separator not in {"", ","}:
                raise bad_request(f"found '{separator}', expected: ',' or 'end of string'")
            if separator and (not self.peek() or (self.peek() != "!" and _is_symbol(self.peek()))):
                raise bad_request(f"found '{self.peek()}', expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        absent = self.peek() == "!"
        if absent:
            self.take()
        key = self.take()
        if not key or _is_symbol(key):
            raise _unfit(f"found '{key}', expected: identifier")
        for cause in key_causes(key, "<nil>"):
            raise _unfit(f"{cause.field}: {cause.message}")
        if absent or self.peek() in {",", ""}:
            return Requirement(key, "!" if absent else "exists")
        operator = self.take()
        if operator not in _OPERATORS:
            raise _unfit(f"found '{operator}', expected: {_EXPECTED}")
        meant = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}.get(operator, operator)
        values = self.value_set() if operator in {"in", "notin"} else {self.exact_value()}
        _check_values(key, meant, sorted(values))
        return Requirement(key, meant, frozenset(values))

    def exact_value(self) -> str:
        if self.peek() in {",", ""}:
            return ""
        value = self.take()
        if _is_symbol(value):
            raise _unfit(f"found '{value}', expected: identifier")
        return value

    def value_set(self) -> set[str]:
        if (found := self.take()) != "(":
            raise _unfit(f"found '{found}' expected: '('")
        word = self.peek()
        if word == ")":
            self.take()
            return {""}
        if not word or (word != "," and _is_symbol(word)):
            raise _unfit(f"found '{word}', expected: ',', ')' or identifier")
        values = self.identifiers()
        self.take()
        return values

    def identifiers(self) -> set[str]:
        values: set[str] = set()
        while True:
            word = self.take()
            if word == ",":
                values |= {""} if not values or self.peek() in {")", ","} else set()
                if self.peek() == ")":
                    return values
                self.at += self.peek() == ","
                if self.peek() == ")":
                    return values
            elif not word or _is_symbol(word):
                raise _unfit(f"found '{word}', expected: ',', or identifier")
            else:
                values.add(word)
                if self.peek() == ")":
                    return values
                if self.peek() != ",":
                    raise _unfit(f"found '{self.peek()}', expected: ',' or ')'")


def _is_symbol(token: str) -> bool:
    return token in _SYMBOLS


def _unfit(message: str) -> ApiError:
    return bad_request(f"unable to parse requirement: {message}")


def _check_values(key: str, operator: str, values: list[str]) -> None:
    found = []
    for index, value in enumerate(values):
        if operator in {"gt", "lt"} and not re.fullmatch(r"[+-]?\d+", value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            found.append(f"values[{index}]: Invalid value: {shown(value)}: {why}")
    for index, value in enumerate(values):
        found += [f"{cause.field}: {cause.message}" for cause in value_causes(value, f"values[{index}][{key}]")]
    if found:
        raise _unfit(found[0] if len(found) == 1 else f"[{', '.join(found)}]")


def label_requirements(text: str) -> list[Requirement]:
    """Return the clauses of a label selector; an error is worded as the server words it."""
    return _Parser(text).parse()


def label_selector(text: str) -> Matches:
    """Return a match function for the ``labelSelector`` of a query."""
    requirements = label_requirements(text)

    def matches(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement.matches(labels) for requirement in requirements)

    return matches


def field_selector(text: str, kind: Kind) -> Matches:
    """Return a match function for the ``fieldSelector`` of a query; only the fields that the kind supports are known."""
    known = ("metadata.name", "metadata.namespace", *kind.selectable)
    clauses = []
    for clause in filter(None, text.split(",")):
        if not (parsed := re.fullmatch(r"\s*([^=!]+?)(==|!=|=)(.*)", clause)):
            raise bad_request(f"invalid selector: '{text}'; can't understand '{clause}'")
        path, operator, value = parsed.groups()
        if path not in known:
            raise bad_request(_unknown_field(kind, path, known))
        clauses.append((tuple(path.split(".")), operator != "!=", value))
    return lambda obj: all((_text_at(obj, path) == value) == equal for path, equal, value in clauses)


def _unknown_field(kind: Kind, path: str, known: tuple[str, ...]) -> str:
    if kind.selectable and not kind.custom:
        return f"field label not supported: {path}"
    listed = ", ".join(f'"{name}"' for name in known)
    return f'"{path}" is not a known field selector: only {listed}'


def _text_at(obj: Object, path: tuple[str, ...]) -> str:
    value: object = obj
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if path == ("source",) and isinstance(value, dict):
        value = value.get("component")
    if value is None:
        return "false" if path[-1] in {"unschedulable", "hostNetwork"} else "0" if path[-1] == "replicas" else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


_OF_SPECS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector of a spec, known to be valid, matches labels."""
    wanted = [Requirement(key, "in", frozenset({value})) for key, value in (selector.get("matchLabels") or {}).items()]
    wanted += [
        Requirement(entry["key"], _OF_SPECS[entry["operator"]], frozenset(entry.get("values") or ()))
        for entry in selector.get("matchExpressions") or ()
    ]
    return all(requirement.matches(labels) for requirement in wanted)


def selector_text(selector: Any) -> str:
    """Return a label selector as text, as ``/scale`` shows it."""
    if isinstance(selector, str) or selector is None:
        return selector or ""
    labels = selector.get("matchLabels", selector if "matchExpressions" not in selector else {})
    clauses = [f"{key}={value}" for key, value in sorted(labels.items())]
    words = {"In": "in", "NotIn": "notin"}
    for expression in selector.get("matchExpressions") or ():
        operator, key = expression["operator"], expression["key"]
        if operator in words:
            clauses.append(f"{key} {words[operator]} ({','.join(sorted(expression.get('values') or ()))})")
        else:
            clauses.append(key if operator == "Exists" else f"!{key}")
    return ",".join(clauses)
