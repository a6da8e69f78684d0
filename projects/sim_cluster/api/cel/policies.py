"""What the expressions of a ValidatingAdmissionPolicy say of a write. Called by `admission_policies`.

Which variables there are, and what a failure is called: k8s.io/apiserver pkg/admission/plugin/policy/validating and …/plugin/cel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from celpy import celtypes
from celpy.evaluation import CELEvalError

from projects.sim_cluster.api.admission_policies import Denial
from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.authorization import Authorizer
from projects.sim_cluster.api.cel.authorizer import asking
from projects.sim_cluster.api.cel.conditions import conditions_hold, value_of
from projects.sim_cluster.api.cel.programs import EvaluationError, UnusableError, program
from projects.sim_cluster.api.cel.values import Fields, to_cel
from projects.sim_cluster.api.kinds import Object

NAMES: Final = frozenset({"object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables"})


class _Variables(Fields):
    """The variables of a policy, each evaluated when it is asked for, and once."""

    def __init__(self, declared: list[Object], values: dict[str, Any]) -> None:
        super().__init__()
        self._texts = {str(each["name"]): str(each["expression"]) for each in declared}
        self._values = values

    def __contains__(self, name: object) -> bool:
        return str(name) in self._texts

    def __getitem__(self, name: Any) -> Any:
        """Return the value of a variable, or why it has none."""
        if not super().__contains__(name) and name in self:
            try:
                self[name] = program(self._texts[str(name)], NAMES).evaluate(self._values | {"variables": self})
            except EvaluationError as error:
                return CELEvalError(f'composited variable "{name}" fails to evaluate: {error}')
        return super().__getitem__(name)


class Evaluation:
    """A policy and a write, with one of the policy's params.

    Args:
      spec: What the policy says.
      asked: The write.
      values: The other objects that its expressions may look at, by the names of their variables.
      authorizer: Whom they may ask.
    """

    def __init__(self, spec: Object, asked: AdmissionRequest, values: dict[str, Any], authorizer: Authorizer) -> None:
        self._spec = spec
        known = {name: to_cel(value, None) for name, value in values.items()}
        known["object"] = to_cel(None if asked.operation == "DELETE" else asked.after, None)
        known["oldObject"] = to_cel(asked.before, None)
        known["request"] = to_cel(asked.document(), None)
        known["authorizer"] = asking(authorizer, asked)
        known["variables"] = _Variables(spec.get("variables") or [], dict(known))
        self._values: dict[str, Any] = known

    def denials(self) -> Iterator[Denial]:
        """Yield why the write is not to pass."""
        try:
            if not conditions_hold(self._spec.get("matchConditions") or (), self._values, NAMES):
                return
        except EvaluationError as error:
            yield from self._failed(error)
            return
        for validation in self._spec.get("validations") or ():
            try:
                passes = value_of(validation["expression"], self._values, NAMES) == celtypes.BoolType(True)
            except EvaluationError as error:
                yield from self._failed(error)
                continue
            if not passes:
                yield Denial(self._message(validation), validation.get("reason") or "Invalid")

    def _failed(self, error: EvaluationError) -> Iterator[Denial]:
        if self._spec.get("failurePolicy") != "Ignore":
            yield Denial(str(error))

    def _message(self, validation: Object) -> str:
        if text := validation.get("messageExpression"):
            try:
                if said := str(program(text, NAMES).evaluate(self._values)).strip():
                    return said
            except (EvaluationError, UnusableError):
                said = ""  # then the message says it
        return str(validation.get("message", "")).strip() or f"failed expression: {validation['expression'].strip()}"
