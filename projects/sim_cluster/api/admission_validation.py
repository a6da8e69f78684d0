"""What ValidatingAdmissionPolicies and their bindings must hold, and what is filled into them. Called through `spec_checks` and `defaults`.

The rules are those of k8s.io/kubernetes pkg/apis/admissionregistration; of types, only what an expression names is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from projects.sim_cluster.api.checks import Causes, choice, duplicate, label_selector, needed
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label_1035, dns_subdomain, key_causes, shown
from projects.sim_cluster.api.resource_rules import constraints, doubles, set_constraint_defaults
from projects.sim_cluster.api.schema import Schema

_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS: Final = ("Audit", "Deny", "Warn")
_IDENTIFIER: Final = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
_LONGEST_GROUP_VERSION: Final = 2
_FREE: Final[Object] = {"x-kubernetes-preserve-unknown-fields": True}
_ALWAYS: Final = frozenset({"object", "oldObject", "request", "namespaceObject", "authorizer"})


def set_policy_defaults(obj: Object) -> None:
    """Fill a ValidatingAdmissionPolicy."""
    if isinstance(spec := obj.get("spec"), dict):
        spec.setdefault("failurePolicy", "Fail")
        set_constraint_defaults(spec.get("matchConstraints"))


def set_binding_defaults(obj: Object) -> None:
    """Fill a ValidatingAdmissionPolicyBinding."""
    if isinstance(spec := obj.get("spec"), dict):
        set_constraint_defaults(spec.get("matchResources"))


def policy(obj: Object) -> Causes:
    """Check a ValidatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    if spec.get("paramKind") is not None:
        yield from _param_kind(spec["paramKind"])
    yield from choice(spec.get("failurePolicy"), "spec.failurePolicy", ("Fail", "Ignore"))
    yield from _policy_constraints(spec.get("matchConstraints"))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        yield from (required(f"spec.{field}", why) for field in ("validations", "auditAnnotations"))
    check = expressions({**spec, "variables": []})
    yield from match_conditions(spec.get("matchConditions") or (), "spec.matchConditions", check)
    yield from _variables(spec)
    check = expressions(spec)
    for index, validation in enumerate(spec.get("validations") or ()):
        yield from _validation(validation, f"spec.validations[{index}]", check)
    yield from _annotations(spec, obj["metadata"]["name"])


def binding(obj: Object) -> Causes:
    """Check a ValidatingAdmissionPolicyBinding."""
    spec = obj.get("spec") or {}
    yield from needed(spec, "spec", "policyName")
    if name := spec.get("policyName"):
        yield from dns_subdomain(name, "spec.policyName")
    if spec.get("paramRef") is not None:
        yield from _param_ref(spec["paramRef"])
    if spec.get("matchResources") is not None:
        yield from constraints(spec["matchResources"], "spec.matchResources")
    yield from _actions(spec.get("validationActions") or [])


def _policy_constraints(found: Object | None) -> Causes:
    if found is None:
        yield required("spec.matchConstraints")
        return
    yield from constraints(found, "spec.matchConstraints")
    if not found.get("resourceRules"):
        yield required("spec.matchConstraints.resourceRules")


def _param_kind(kind: Object) -> Causes:
    yield from needed(kind, "spec.paramKind", "apiVersion", "kind")
    if (version := kind.get("apiVersion", "")).count("/") >= _LONGEST_GROUP_VERSION:
        yield invalid_value("spec.paramKind.apiVersion", shown(version), f"unexpected GroupVersion string: {version}")
    for cause in dns_label_1035(kind.get("kind", "").lower(), "spec.paramKind.kind") if kind.get("kind") else ():
        why = cause.message.partition(": ")[2].partition(": ")[2]
        yield invalid_value(cause.field, shown(kind["kind"]), f"may have mixed case, but should otherwise match: {why}")


def _param_ref(ref: Object) -> Causes:
    has_name, has_selector = bool(ref.get("name")), ref.get("selector") is not None
    if has_name and has_selector:
        why = "name and selector are mutually exclusive"
        yield from (forbidden_change(f"spec.paramRef.{field}", why) for field in ("name", "selector"))
    elif not has_name and not has_selector:
        yield required("spec.paramRef", "one of name or selector must be specified")
    if has_selector:
        yield from label_selector(ref["selector"], "spec.paramRef.selector")
    yield from needed(ref, "spec.paramRef", "parameterNotFoundAction")
    if action := ref.get("parameterNotFoundAction"):
        yield from choice(action, "spec.paramRef.parameterNotFoundAction", ("Deny", "Allow"))


def _actions(listed: list[str]) -> Causes:
    path = "spec.validationActions"
    if not listed:
        yield required(path, "at least one validation action is required")
    yield from (cause for index, each in enumerate(listed) for cause in choice(each, f"{path}[{index}]", _ACTIONS))
    yield from doubles(listed, path)
    if {"Deny", "Warn"} <= set(listed):
        why = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"  # fmt: skip
        yield invalid_value(path, shown(listed), why)


def match_conditions(conditions: Iterable[Object], path: str, check: Check) -> Causes:
    """Check the ``matchConditions`` of a policy or of a webhook."""
    names: list[str] = []
    for index, condition in enumerate(conditions):
        at, name = f"{path}[{index}]", condition.get("name", "")
        if not condition.get("expression", "").strip():
            yield required(f"{at}.expression")
        else:
            yield from check(condition["expression"], f"{at}.expression")
        yield from key_causes(name, f"{at}.name") if name else (required(f"{at}.name"),)
        if name in names:
            yield duplicate(name, f"{at}.name")
        names.append(name)


def _variables(spec: Object) -> Causes:
    declared = spec.get("variables") or []
    for index, variable in enumerate(declared):
        path, name = f"spec.variables[{index}]", variable.get("name", "")
        if not name:
            yield required(f"{path}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield invalid_value(f"{path}.name", shown(name), "must be a valid CEL identifier")
        before = expressions({**spec, "variables": declared[:index]}, has_variables=True)
        yield from _expression(variable, f"{path}.expression", before)


def _validation(validation: Object, path: str, check: Check) -> Causes:
    yield from _expression(validation, f"{path}.expression", check)
    if text := validation.get("messageExpression", ""):
        yield from check(text, f"{path}.messageExpression")
    message = validation.get("message", "")
    if message and not message.strip():
        yield invalid_value(f"{path}.message", shown(message), "must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid_value(f"{path}.message", shown(message), "must not contain line breaks")
    if (reason := validation.get("reason")) and reason not in _REASONS:
        yield not_supported(f"{path}.reason", shown(reason), _REASONS)


def _annotations(spec: Object, name: str) -> Causes:
    keys: list[str] = []
    for index, annotation in enumerate(spec.get("auditAnnotations") or ()):
        path, key = f"spec.auditAnnotations[{index}]", annotation.get("key", "")
        yield from key_causes(f"{name}/{key}", f"{path}.key") if key else (required(f"{path}.key"),)
        yield from _expression(annotation, f"{path}.valueExpression", expressions(spec), "valueExpression")
        if key in keys:
            yield duplicate(key, f"{path}.key")
        keys.append(key)


def _expression(holder: Object, path: str, check: Check, field: str = "expression") -> Causes:
    text = holder.get(field, "")
    if text.strip():
        yield from check(text, path)
    else:
        yield required(path, f"{field} is not specified")


Check = Callable[[str, str], Iterator[Cause]]


def expressions(spec: Object, *, has_variables: bool = False) -> Check:
    """Return what checks an expression, which may name what the policy has (a webhook has nothing of its own)."""
    declared = spec.get("variables") or []
    names = _ALWAYS | ({"params"} if spec.get("paramKind") else set())
    names |= {"variables"} if declared or has_variables else set()
    known = {"type": "object", "properties": {each.get("name", ""): _FREE for each in declared}}

    def check(text: str, path: str) -> Causes:
        from projects.sim_cluster.api.cel.programs import CompilationError, UnsupportedError, program  # noqa: PLC0415 - few clusters have policies

        try:
            program(text, frozenset(names)).check_fields(Schema(known), "variables")
        except UnsupportedError:
            return  # the warning says so
        except CompilationError as error:
            yield invalid_value(path, shown(text), f"compilation failed: {error}")

    return check


def unsupported_expressions(obj: Object) -> Iterator[str]:
    """Yield the warning of each expression of a policy that is not evaluated here."""
    from projects.sim_cluster.api.cel.programs import unsupported_in  # noqa: PLC0415 - see above

    spec = obj.get("spec") or {}
    for text in (each.get(field, "") for part in ("matchConditions", "variables", "validations") for each in spec.get(part) or ()
                 for field in ("expression", "messageExpression")):  # fmt: skip
        if text.strip() and (reason := unsupported_in(text, _ALWAYS | {"params", "variables"})):
            yield f"the simulated cluster does not evaluate this expression: {text} ({reason})"
