"""The rules of a schema, ``x-kubernetes-validations``: evaluated for a custom resource, and for what changes of it. Called by `validation`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from projects.sim_cluster.api.alternatives import NOWHERE
from projects.sim_cluster.api.errors import Cause
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.ratcheting import ABSENT, field_before, item_before
from projects.sim_cluster.api.schema import Schema

if TYPE_CHECKING:
    from projects.sim_cluster.api.cel.programs import Program

RULES: Final = "x-kubernetes-validations"
_BLOCKING: Final = frozenset({
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
})  # fmt: skip
_UNCHECKED: Final = Cause(NOWHERE, "FieldValueInvalid", "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")  # fmt: skip
_WORDS: Final = {
    "FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value", "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
}  # fmt: skip
_WITHOUT_VALUE: Final = frozenset({"FieldValueForbidden", "FieldValueRequired"})


@dataclass(frozen=True)
class _Place:
    """A value, what its schema says, and what stood there before."""

    value: Any
    schema: Schema
    before: Any
    path: str

    @property
    def is_as_before(self) -> bool:
        """Whether nothing changes here: what was wrong before stays unsaid then."""
        return bool(self.before == self.value)

    def inside(self) -> Iterator[_Place]:
        """Yield the places inside that have rules, here or further in."""
        if isinstance(self.value, dict):
            yield from self._fields(self.value)
        elif isinstance(self.value, list) and (items := self.schema.items) is not None and items.has(RULES):
            for index, item in enumerate(self.value):
                before = item_before(self.before, item, self.schema.list_keys)
                yield _Place(item, items, before, f"{self.path}[{index}]")

    def _fields(self, value: dict[str, Any]) -> Iterator[_Place]:
        for key, item in value.items():
            if (child := self.schema.child(key)) is not None and child.has(RULES):
                named = f"{self.path}.{key}".lstrip(".") if self.schema.has_field(key) else f"{self.path}[{key}]"
                yield _Place(item, child, field_before(self.before, key), named)


def rule_causes(schema: Schema, before: Object | None, after: Object, wrong: Sequence[Cause]) -> Iterator[Cause]:
    """Yield which rules an object breaks, unless something is wrong with it that a rule may stumble over.

    Args:
      schema: The schema of its kind.
      before: What it was, None for a new one.
      after: What it is to be.
      wrong: What is wrong with it by the other rules of the schema.
    """
    if not schema.has(RULES):
        return
    if any(cause.reason in _BLOCKING for cause in wrong):
        yield _UNCHECKED
        return
    yield from _causes(_Place(after, schema, ABSENT if before is None else before, ""))


def _causes(place: _Place) -> Iterator[Cause]:
    if place.value is None:
        return
    for rule in place.schema.node.get(RULES, ()):
        yield from _broken(rule, place)
    for inner in place.inside():
        yield from _causes(inner)


def _broken(rule: Object, place: _Place) -> Iterator[Cause]:
    from projects.sim_cluster.api.cel.programs import EvaluationError, UnusableError, program  # noqa: PLC0415 - few have rules

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


def _failure(rule: Object, place: _Place, error: str) -> str:
    about = rule.get("message") or rule["rule"]
    if error.startswith("no such overload"):
        error = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule:"
        return f'Invalid value: "{place.schema.type}": {error} {about}'
    return f'Invalid value: "{place.schema.type}": {error} evaluating rule: {about}'


def _values(rule: Object, compiled: Program, place: _Place) -> dict[str, Any] | None:
    """Return what a rule is about; None when it is about a change and nothing changes, or nothing could."""
    from projects.sim_cluster.api.cel.optionals import Optional  # noqa: PLC0415 - see above
    from projects.sim_cluster.api.cel.values import to_cel  # noqa: PLC0415 - see above

    is_new, may_be_new = place.before is ABSENT, rule.get("optionalOldSelf")
    if (is_new and not may_be_new) if compiled.uses_old else place.is_as_before:
        return None
    values = {"self": to_cel(place.value, place.schema)}
    if not compiled.uses_old:
        return values
    before = [] if is_new else [to_cel(place.before, place.schema)]
    return values | {"oldSelf": Optional(*before) if may_be_new else before[0]}


def _message(rule: Object, values: dict[str, Any]) -> str:
    from projects.sim_cluster.api.cel.programs import EvaluationError, UnusableError, program  # noqa: PLC0415 - see above

    if expression := rule.get("messageExpression"):
        try:
            said = str(program(expression).evaluate(values)).strip()
        except (EvaluationError, UnusableError):
            said = ""
        if said and "\n" not in said:
            return said
    return str(rule.get("message") or f"failed rule: {rule['rule'].strip()}")


def _cause(rule: Object, place: _Place, message: str) -> Cause:
    reason = rule.get("reason") or "FieldValueInvalid"
    at = replace(place, path=f"{place.path}{rule.get('fieldPath', '')}".lstrip("."))
    has_value = reason not in _WITHOUT_VALUE and not isinstance(place.value, dict | list)
    value = f"{shown(place.value)}: " if has_value else ""
    return Cause(at.path or NOWHERE, reason, f"{_WORDS[reason]}: {value}{message}")
