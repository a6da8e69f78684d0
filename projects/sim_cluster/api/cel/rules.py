"""Whether a place of a custom resource keeps a rule of its schema, in the server's words. Called by `custom_rules`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.alternatives import NOWHERE
from projects.sim_cluster.api.cel.optionals import Optional
from projects.sim_cluster.api.cel.programs import EvaluationError, Program, UnusableError, program
from projects.sim_cluster.api.cel.values import to_cel
from projects.sim_cluster.api.errors import Cause
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.ratcheting import ABSENT, Place

_WORDS: Final = {
    "FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value", "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
}  # fmt: skip
_WITHOUT_VALUE: Final = frozenset({"FieldValueForbidden", "FieldValueRequired"})


def broken(rule: Object, place: Place) -> Iterator[Cause]:
    """Yield that a rule is broken at a place, or fails there."""
    try:
        compiled = program(rule["rule"])
    except UnusableError:
        return  # who made the definition was told, or it is of a capture
    try:
        values = _values(rule, compiled, place)
        if values is not None and not compiled.evaluate(values):
            yield _cause(rule, place, _message(rule, values))
    except (EvaluationError, ValueError) as error:
        yield Cause(place.path or NOWHERE, "FieldValueInvalid", _failure(rule, place, str(error)))


def _failure(rule: Object, place: Place, error: str) -> str:
    about = rule.get("message") or rule["rule"]
    if error.startswith("no such overload"):
        error = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule:"
        return f'Invalid value: "{place.schema.type}": {error} {about}'
    return f'Invalid value: "{place.schema.type}": {error} evaluating rule: {about}'


def _values(rule: Object, compiled: Program, place: Place) -> dict[str, Any] | None:
    """Return what a rule is about; None when it is about a change and nothing changes, or nothing could."""
    is_new, may_be_new = place.before is ABSENT, rule.get("optionalOldSelf")
    if (is_new and not may_be_new) if compiled.uses_old else place.is_as_before:
        return None
    values = {"self": to_cel(place.value, place.schema)}
    if not compiled.uses_old:
        return values
    before = [] if is_new else [to_cel(place.before, place.schema)]
    return values | {"oldSelf": Optional(*before) if may_be_new else before[0]}


def _message(rule: Object, values: dict[str, Any]) -> str:
    if expression := rule.get("messageExpression"):
        try:
            said = str(program(expression).evaluate(values)).strip()
        except (EvaluationError, UnusableError):
            said = ""
        if said and "\n" not in said:
            return said
    return str(rule.get("message") or f"failed rule: {rule['rule'].strip()}")


def _cause(rule: Object, place: Place, message: str) -> Cause:
    reason = rule.get("reason") or "FieldValueInvalid"
    path = f"{place.path}{rule.get('fieldPath', '')}".lstrip(".")
    has_value = reason not in _WITHOUT_VALUE and not isinstance(place.value, dict | list)
    value = f"{shown(place.value)}: " if has_value else ""
    return Cause(path or NOWHERE, reason, f"{_WORDS[reason]}: {value}{message}")
