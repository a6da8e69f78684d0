"""The ``matchConditions`` of webhooks: expressions of which one that is false keeps a webhook from being asked. Called by `matching`.

The rules are those of k8s.io/apiserver, pkg/admission/plugin/webhook/matchconditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.authorization import Authorizer
from projects.sim_cluster.api.cel.authorizer import asking
from projects.sim_cluster.api.cel.conditions import conditions_hold
from projects.sim_cluster.api.cel.programs import EvaluationError, unsupported_in
from projects.sim_cluster.api.cel.values import to_cel
from projects.sim_cluster.api.errors import forbidden
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.webhooks.attributes import Attributes
from projects.sim_cluster.api.webhooks.reviews import review

NAMES: Final = frozenset({"object", "oldObject", "request", "namespaceObject", "authorizer"})
_NOT_OF_REQUEST: Final = frozenset({"object", "oldObject", "options", "uid"})


def hold(hook: Object, attributes: Attributes, kind: Kind, authorizer: Authorizer) -> bool:
    """Return whether a webhook is to be asked, by its conditions, about a request shown as one of a version of its resource.

    Raises:
      ApiError: none of them is false, and one fails, of a webhook that has to be asked.
    """
    try:
        return conditions_hold(hook.get("matchConditions") or (), _values(attributes, kind, authorizer), NAMES)
    except EvaluationError as error:
        if hook.get("failurePolicy") != "Ignore":
            raise forbidden(attributes.kind, attributes.name, str(error)) from None
        return False


def _values(attributes: Attributes, kind: Kind, authorizer: Authorizer) -> dict[str, Any]:
    asked = review("", attributes, kind)["request"]
    known = {name: to_cel(asked[name], None) for name in ("object", "oldObject")}
    about = {key: value for key, value in asked.items() if key not in _NOT_OF_REQUEST}
    return {
        **known,
        "request": to_cel(about, None),
        "namespaceObject": to_cel(None, None),
        "authorizer": asking(authorizer, attributes),
    }


def unsupported(hook: Object) -> Iterator[str]:
    """Yield the warning of each condition of a webhook that is not evaluated here."""
    for condition in hook.get("matchConditions") or ():
        if reason := unsupported_in(condition["expression"], NAMES):
            name = hook["name"]
            yield f"the simulated cluster calls webhook {name} as if this condition held: {condition['expression']} ({reason})"
