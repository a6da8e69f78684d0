"""What a policy's expressions ask about permissions: ``authorizer.group('apps').resource('deployments').check('get').allowed()``.

Called by `policies`; its functions are known to `programs`. Names and meaning: the API's documentation, "Kubernetes authorizer library".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from celpy import celtypes

from projects.sim_cluster.api.admission_requests import Asked
from projects.sim_cluster.api.authorization import Attributes, Authorizer, Decision
from projects.sim_cluster.api.cel.values import Fields
from projects.sim_cluster.api.identity import ACCOUNT, User, named


@dataclass(frozen=True)
class Question:
    """Who may do what: a question that is not complete until a verb is asked for."""

    authorizer: Authorizer
    user: User
    wanted: Attributes

    def about(self, **details: Any) -> Question:
        """Return the question about more."""
        return replace(self, wanted=replace(self.wanted, **{key: str(value) for key, value in details.items()}))

    def check(self, verb: Any) -> Decision:
        """Return the answer."""
        return self.authorizer.decide(self.user, self.about(verb=verb).wanted)


class _Asking(Fields):
    """The variable ``authorizer``: a question about nothing yet, and in ``requestResource`` one about what is written."""

    def __init__(self, question: Question, resource: Question) -> None:
        super().__init__({celtypes.StringType("requestResource"): resource})
        self.question = question


def asking(authorizer: Authorizer, asked: Asked) -> Fields:
    """Return the variable ``authorizer`` for a write."""
    kind, question = asked.kind, Question(authorizer, asked.by, Attributes(""))
    about = {"group": kind.group, "resource": kind.resource, "subresource": asked.subresource}
    return _Asking(question, question.about(**about, namespace=asked.namespace, name=asked.name))


def _question(value: Any) -> Question:
    question: Question = value.question if isinstance(value, _Asking) else value
    return question


def _about(detail: str) -> Callable[[Any, Any], Question]:
    return lambda value, text: _question(value).about(**{detail: text})


def _as_account(value: Any, namespace: Any, name: Any) -> Question:
    return replace(_question(value), user=named(f"{ACCOUNT}{namespace}:{name}"))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{detail: _about(detail) for detail in ("group", "path", "resource", "subresource", "namespace", "name")},
    "serviceAccount": _as_account,
    "check": lambda value, verb: _question(value).check(verb),
    "allowed": lambda decision: celtypes.BoolType(decision.allowed),
    "reason": lambda decision: celtypes.StringType(decision.reason),
    "errored": lambda _decision: celtypes.BoolType(False),
    "error": lambda _decision: celtypes.StringType(""),
}
