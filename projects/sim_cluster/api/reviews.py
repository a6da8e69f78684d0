"""Kinds that answer and store nothing: who am I, may I, whose token is this. Everyone who is let in may do everything.

`application` registers `answerers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from projects.sim_cluster.api.errors import ApiError, Cause, invalid_review, invalid_value
from projects.sim_cluster.api.identity import AUDIENCE, groups_of, user_of
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.requests import Outcome, WriteOptions
from projects.sim_cluster.api.resources import Answerer

_ALL: Object = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_REASON = "the simulated cluster allows everything"


def _allow(_namespace: str, obj: Object, _options: WriteOptions) -> Outcome:
    if causes := list(_causes(obj)):
        raise invalid_review(causes)
    return Outcome(obj | {"status": {"allowed": True, "reason": _REASON}}, created=True)


def _causes(review: Object) -> Iterator[Cause]:
    spec = review.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        said = shown({"Path": path.get("path", ""), "Verb": path.get("verb", "")})
        yield invalid_value(
            "spec.nonResourceAttributes", said, "cannot be specified in combination with resourceAttributes"
        )
    elif resource is None and path is None:
        message = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid_value("spec.resourceAttributes", "null", message)
    if review["kind"] != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        yield invalid_value("spec.user", '""', "at least one of user or group must be specified")


def _rules(_namespace: str, obj: Object, _options: WriteOptions) -> Outcome:
    status = {
        "resourceRules": [_ALL],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    }
    return Outcome(obj | {"status": status}, created=True)


def _self(_namespace: str, obj: Object, options: WriteOptions) -> Outcome:
    groups = [*groups_of(options.user), "system:authenticated"]
    return Outcome(obj | {"status": {"userInfo": {"username": options.user, "groups": groups}}}, created=True)


def _token(tokens: Mapping[str, str], now: Callable[[], float]) -> Answerer:
    def review(_namespace: str, obj: Object, _options: WriteOptions) -> Outcome:
        token = (obj.get("spec") or {}).get("token", "")
        try:
            name = user_of(None, f"Bearer {token}", tokens, now)
        except ApiError:
            status: Object = {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
        else:
            groups = [*groups_of(name), "system:authenticated"]
            status = {"authenticated": True, "user": {"username": name, "groups": groups}, "audiences": [AUDIENCE]}
        return Outcome(obj | {"status": status}, created=True)

    return review


def answerers(tokens: Mapping[str, str], now: Callable[[], float]) -> Iterator[tuple[tuple[str, str], Answerer]]:
    """Yield what answers the create of each review, by group and resource."""
    yield ("authentication.k8s.io", "tokenreviews"), _token(tokens, now)
    for resource in ("selfsubjectaccessreviews", "subjectaccessreviews", "localsubjectaccessreviews"):
        yield ("authorization.k8s.io", resource), _allow
    yield ("authorization.k8s.io", "selfsubjectrulesreviews"), _rules
    yield ("authentication.k8s.io", "selfsubjectreviews"), _self
