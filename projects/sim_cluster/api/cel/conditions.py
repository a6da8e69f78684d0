"""Expressions about a request: their values, and whether ``matchConditions`` hold. Used by `policies` and by webhooks.

The rules are those of k8s.io/apiserver, pkg/admission/plugin/webhook/matchconditions, which policies use too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celpy import celtypes

from projects.sim_cluster.api.cel.programs import EvaluationError, UnusableError, program
from projects.sim_cluster.api.errors import together
from projects.sim_cluster.api.kinds import Object


def value_of(text: str, values: dict[str, Any], names: frozenset[str]) -> Any:
    """Return what an expression says; one that cannot be evaluated here is true, of which who wrote it was told.

    Raises:
      EvaluationError: it fails on the values.
    """
    try:
        return program(text, names).evaluate(values)
    except UnusableError:
        return celtypes.BoolType(True)
    except EvaluationError as error:
        raise EvaluationError(f"expression '{text}' resulted in error: {error}") from None


def conditions_hold(conditions: Iterable[Object], values: dict[str, Any], names: frozenset[str]) -> bool:
    """Return whether none of some conditions is false.

    Raises:
      EvaluationError: none of them is false, and one or more fail.
    """
    failed: list[str] = []
    for condition in conditions:
        try:
            if value_of(condition["expression"], values, names) == celtypes.BoolType(False):
                return False
        except EvaluationError as error:
            failed.append(str(error))
    if failed:
        raise EvaluationError(together(failed))
    return True
