"""Kinds that answer and store nothing: who am I, may I, whose token is this.

`application` registers `answerers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from projects.sim_cluster.api.authorization import Attributes, Authorizer
from projects.sim_cluster.api.errors import ApiError, Cause, invalid_review, invalid_value
from projects.sim_cluster.api.identity import AUDIENCE, User, user_of
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.requests import Outcome, WriteOptions
from projects.sim_cluster.api.resources import Answerer

_KEYS: Final = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def _access(authorizer: Authorizer) -> Answerer:
    async def review(namespace: str, obj: Object, options: WriteOptions) -> Outcome:
        if causes := list(_causes(obj)):
            raise invalid_review(causes)
        spec = obj["spec"]
        asks_for_itself = obj["kind"] == "SelfSubjectAccessReview"
        user = options.by if asks_for_itself else User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        decision = authorizer.decide(user, _attributes(spec, namespace))
        reason = {"reason": decision.reason} if decision.reason else {}
        return Outcome(obj | {"status": {"allowed": decision.allowed, **reason}}, created=True)

    return review


def _attributes(spec: Object, namespace: str) -> Attributes:
    if path := spec.get("nonResourceAttributes"):
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    given = spec["resourceAttributes"]
    keys = ("verb", "group", "resource", "subresource", "name")
    wanted = {key: given.get(key, "") for key in keys}
    return Attributes(**wanted, namespace=given.get("namespace", "") or namespace)


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


def _rules(authorizer: Authorizer) -> Answerer:
    async def review(_namespace: str, obj: Object, options: WriteOptions) -> Outcome:
        namespace = (obj.get("spec") or {}).get("namespace", "")
        resources, paths, error = authorizer.rules(options.by, namespace)
        status: Object = {
            "resourceRules": [_ordered(each) for each in resources],
            "nonResourceRules": [_ordered(each) for each in paths],
            "incomplete": False,
        }
        if error:
            status["evaluationError"] = error
        return Outcome({**obj, "metadata": {}, "spec": {}, "status": status}, created=True)

    return review


def _ordered(rule: Object) -> Object:
    return {key: rule[key] for key in _KEYS if key in rule}


async def _self(_namespace: str, obj: Object, options: WriteOptions) -> Outcome:
    return Outcome(obj | {"status": {"userInfo": options.by.as_info()}}, created=True)


def _token(now: Callable[[], float]) -> Answerer:
    async def review(_namespace: str, obj: Object, _options: WriteOptions) -> Outcome:
        token = (obj.get("spec") or {}).get("token", "")
        try:
            user = user_of(None, f"Bearer {token}", now)
        except ApiError:
            status: Object = {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
        else:
            status = {"authenticated": True, "user": user.as_info(), "audiences": [AUDIENCE]}
        return Outcome(obj | {"status": status}, created=True)

    return review


def answerers(authorizer: Authorizer, now: Callable[[], float]) -> Iterator[tuple[tuple[str, str], Answerer]]:
    """Yield what answers the create of each review, by group and resource."""
    yield ("authentication.k8s.io", "tokenreviews"), _token(now)
    for resource in ("selfsubjectaccessreviews", "subjectaccessreviews", "localsubjectaccessreviews"):
        yield ("authorization.k8s.io", resource), _access(authorizer)
    yield ("authorization.k8s.io", "selfsubjectrulesreviews"), _rules(authorizer)
    yield ("authentication.k8s.io", "selfsubjectreviews"), _self
