"""The rules that a CustomResourceDefinition declares, ``x-kubernetes-validations``: what is wrong with them, and which cannot be evaluated here.

Called by `custom_definitions`. The real server also checks types, and how much a rule may cost; this one does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.custom_rules import RULES
from projects.sim_cluster.api.errors import Cause, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import escaped_by_go, shown
from projects.sim_cluster.api.schema import Schema, nodes_of

_REASONS: Final = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_GO_NAMES: Final = ("rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf")
_OF_OBJECTS: Final[Object] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}},
}
"""What a rule can see of a whole object besides its own fields."""


def rule_definition_causes(node: Object, path: str, *, is_whole: bool = False) -> Iterator[Cause]:
    """Yield what is wrong with the rules that stand at one place of a schema.

    Args:
      node: The schema there.
      path: Where it is.
      is_whole: Whether it describes a whole object, with metadata.
    """
    if not node.get(RULES):
        return
    if is_whole or node.get("x-kubernetes-embedded-resource"):
        node = node | {"properties": {**node.get("properties", {}), **_OF_OBJECTS}}
    schema = Schema(node)
    for index, rule in enumerate(node[RULES]):
        yield from _causes(rule, schema, f"{path}.{RULES}[{index}]")


def unsupported_rules(schema: Any) -> Iterator[str]:
    """Yield the rules of a schema that cannot be evaluated here, and why."""
    for rule in (rule for node in nodes_of(schema) for rule in node.get(RULES, ())):
        from projects.sim_cluster.api.cel.programs import unsupported_in  # noqa: PLC0415 - few definitions have rules

        if reason := unsupported_in(rule.get("rule", "")):
            yield f"{rule['rule']} ({reason})"


def _causes(rule: Object, schema: Schema, path: str) -> Iterator[Cause]:
    if not rule.get("rule", "").strip():
        yield required(f"{path}.rule", "rule is not specified")
        return
    wrong = list(_word_causes(rule, schema, path))
    yield from wrong or _expression_causes(rule, schema, path)


def _word_causes(rule: Object, schema: Schema, path: str) -> Iterator[Cause]:
    """Yield what is wrong with what a rule says beside its expressions."""
    message = rule.get("message", "")
    if message and not message.strip():
        yield invalid_value(f"{path}.message", shown(message), "must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid_value(f"{path}.message", shown(message), "must not contain line breaks")
    elif "\n" in rule["rule"].strip() and not message:
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")
    if rule.get("reason") and rule["reason"] not in _REASONS:
        yield not_supported(f"{path}.reason", shown(rule["reason"]), _REASONS)
    if rule.get("fieldPath") and not _is_there(schema, rule["fieldPath"]):
        yield invalid_value(f"{path}.fieldPath", shown(rule["fieldPath"]), "must be a valid path")


def _expression_causes(rule: Object, schema: Schema, path: str) -> Iterator[Cause]:
    from projects.sim_cluster.api.cel.programs import OLD_SELF, SELF, CompilationError, UnsupportedError, program  # noqa: PLC0415 - see above

    for field, failed in (("rule", ""), ("messageExpression", "messageExpression ")):
        try:
            if text := rule.get(field):
                compiled = program(text)
                compiled.check_fields(schema, SELF, OLD_SELF)
                if field == "rule" and rule.get("optionalOldSelf") and not compiled.uses_old:
                    yield invalid_value(
                        f"{path}.optionalOldSelf", "true", "may not be set if oldSelf is not used in rule"
                    )
        except UnsupportedError:
            continue  # the warning of the definition says so
        except CompilationError as error:
            yield invalid_value(f"{path}.{field}", _as_go(rule), f"{failed}compilation failed: {error}")


def _as_go(rule: Object) -> str:
    """Return a rule as Go prints its struct."""
    zeros = {"reason": None, "optionalOldSelf": None}
    text = json.dumps(
        {name[0].upper() + name[1:]: rule.get(name, zeros.get(name, "")) for name in _GO_NAMES},
        separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip
    return escaped_by_go(text)


def _is_there(schema: Schema, path: str) -> bool:
    """Return whether a path such as ``.spec.replicas`` leads to a field."""
    if not path.startswith("."):
        return False
    found: Schema | None = schema
    for key in path[1:].split("."):
        found = found.child(key) if found is not None else None
    return found is not None
