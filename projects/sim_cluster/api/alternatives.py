"""Schemas made of schemas, in custom resources: ``allOf``, ``anyOf``, ``oneOf``, ``not``. Called by `custom_validation`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.errors import Cause

NOWHERE: Final = "<nil>"
"""How the server prints the place of a whole object, and of what it does not say the place of."""
Check = Callable[[dict[str, Any]], list[Cause]]
"""Returns what another schema finds wrong with the value."""


def alternative_causes(node: dict[str, Any], path: str, check: Check) -> Iterator[Cause]:
    """Yield what is wrong with a value by the schemas that its schema is made of.

    Args:
      node: The schema.
      path: Where the value is.
      check: Asks one of those schemas.
    """
    if every := [check(part) for part in node.get("allOf", ())]:
        yield from _all(every, path)
    if (any_of := [check(part) for part in node.get("anyOf", ())]) and all(any_of):
        yield _cause(path, "must validate at least one schema (anyOf)")
        yield from any_of[0]
    if one_of := [check(part) for part in node.get("oneOf", ())]:
        yield from _one(one_of, path)
    if "not" in node and not check(node["not"]):
        yield _cause(path, "must not validate the schema (not)")


def _all(found: list[list[Cause]], path: str) -> Iterator[Cause]:
    if any(found):
        for causes in found:
            yield from causes
        yield _cause(path, "must validate all the schemas (allOf)" + (". None validated" if all(found) else ""))


def _one(found: list[list[Cause]], path: str) -> Iterator[Cause]:
    valid = sum(1 for causes in found if not causes)
    if valid == 1:
        return
    count = f"Found {valid} valid alternatives" if valid else "Found none valid"
    yield _cause(path, f"must validate one and only one schema (oneOf). {count}")
    yield from found[0] if not valid else ()


def _cause(path: str, message: str) -> Cause:
    return Cause(NOWHERE, "FieldValueInvalid", f'Invalid value: "": "{path}" {message}')
