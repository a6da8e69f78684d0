"""The rules of a schema, ``x-kubernetes-validations``: evaluated for a custom resource, and for what changes of it. Called by `validation`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from projects.sim_cluster.api.alternatives import NOWHERE
from projects.sim_cluster.api.errors import Cause
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.ratcheting import ABSENT, Place
from projects.sim_cluster.api.schema import Schema

RULES: Final = "x-kubernetes-validations"
_BLOCKING: Final = frozenset({
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
})  # fmt: skip
_UNCHECKED: Final = Cause(NOWHERE, "FieldValueInvalid", "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")  # fmt: skip


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
    from projects.sim_cluster.api.cel.rules import broken  # noqa: PLC0415 - few definitions have rules

    for place in _places(Place(after, schema, ABSENT if before is None else before, "")):
        for rule in place.schema.node.get(RULES, ()):
            yield from broken(rule, place)


def _places(place: Place) -> Iterator[Place]:
    """Yield a place and those inside that may have rules."""
    if place.value is not None:
        yield place
        for inner in place.inside(RULES):
            yield from _places(inner)
