"""Objects and patches made by hypothesis from the recorded OpenAPI schemas. Used by test_generated_differential.

The schemas say what may stand where, which lists have keys and what is a map; the tables below say which fields are
filled, and with which words, so that objects meet each other's keys and that some of them are wrong.
"""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from projects.sim_cluster.api.recorded import record
from projects.sim_cluster.api.schema import Schema

Body = dict[str, Any]
#: The fields that are filled, by the name of the struct; of other structs all are.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "PodSpec": ("containers", "nodeSelector", "tolerations", "volumes", "hostNetwork", "restartPolicy", "dnsPolicy", "hostname",
                "terminationGracePeriodSeconds", "activeDeadlineSeconds", "initContainers"),
    "Container": ("name", "image", "env", "ports", "args", "command", "resources", "workingDir", "imagePullPolicy", "tty"),
    "EnvVar": ("name", "value"),
    "ContainerPort": ("name", "containerPort", "protocol"),
    "ResourceRequirements": ("limits", "requests"),
    "Volume": ("name", "emptyDir", "configMap", "secret"),
    "EmptyDirVolumeSource": ("medium",),
    "ConfigMapVolumeSource": ("name", "optional", "defaultMode"),
    "SecretVolumeSource": ("secretName", "optional"),
    "ObjectMeta": ("labels", "annotations"),
    "PodTemplateSpec": ("metadata", "spec"),
    "ServiceSpec": ("ports", "selector", "sessionAffinity", "publishNotReadyAddresses", "internalTrafficPolicy"),
    "ServicePort": ("name", "port", "protocol", "targetPort"),
    "LeaseSpec": ("holderIdentity", "leaseDurationSeconds", "leaseTransitions"),
    "PodDisruptionBudgetSpec": ("minAvailable", "maxUnavailable", "selector"),
    "NetworkPolicyPort": ("port", "protocol"),
    "LabelSelector": ("matchLabels", "matchExpressions"),
}  # fmt: skip
WORDS: Final[dict[str, tuple[Any, ...]]] = {
    "name": ("a", "b", "c", "Bad_"), "image": ("i:1", "i:2", ""), "containerPort": (80, 81, 0), "port": (80, 81, 0), "protocol": ("TCP", "UDP", "X"),
    "restartPolicy": ("Always", "Never", "X"), "dnsPolicy": ("Default", "ClusterFirst", "X"), "imagePullPolicy": ("Always", "Never", "X"),
    "operator": ("Exists", "Equal", "In", "NotIn", "DoesNotExist", "X"), "effect": ("NoSchedule", "NoExecute", "X"), "key": ("k", "l", "a b"),
    "sessionAffinity": ("None", "ClientIP", "X"), "internalTrafficPolicy": ("Cluster", "Local", "X"), "policyTypes": ("Ingress", "Egress", "X"),
    "cidr": ("10.0.0.0/8", "10.1.0.0/16", "x"), "except": ("10.2.0.0/16", "11.0.0.0/8"), "hostname": ("h", "H_"), "medium": ("", "Memory"),
    "minAvailable": (1, "50%", -1, "x"), "maxUnavailable": (1, "101%"), "targetPort": (80, "http", "Bad_"), "verbs": ("get", "list"),
    "apiGroups": ("", "apps"), "resources": ("pods", "nodes"),
}  # fmt: skip
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "limits": ("cpu", "memory", "nope"),
    "requests": ("cpu", "memory"),
    "data": ("a", "b", "c d"),
}
_QUANTITIES: Final = ("1", "500m", "1Gi", "2000m", "0.5", "x")
_SCALARS: Final[dict[str, tuple[Any, ...]]] = {
    "string": ("x", "y", "", "z w"), "integer": (0, 1, 7, -1), "number": (0, 1.5), "boolean": (True, False),
}  # fmt: skip
_WRONG: Final = ("text", 5, True, ["x"], {"x": "y"})
_DEPTH: Final = 9


def filled(schema: Schema, field: str = "", depth: int = 0) -> SearchStrategy[Any]:
    """Return values of a schema, now and then of a wrong type."""
    right = _right(schema, field, depth)
    wrong = st.sampled_from(_WRONG)
    return st.integers(0, 60).flatmap(lambda die: wrong if die == 0 and depth > 1 else right)


def _right(schema: Schema, field: str, depth: int) -> SearchStrategy[Any]:
    if schema.items is not None:
        return st.lists(filled(schema.items, field, depth + 1), max_size=0 if depth > _DEPTH else 2)
    if schema.is_quantity:
        return st.sampled_from(_QUANTITIES)
    if field in WORDS and not schema.node.get("properties"):
        return st.sampled_from(WORDS[field])
    if schema.is_map:
        child = schema.child("x")
        assert child is not None
        return st.dictionaries(st.sampled_from(KEYS.get(field, ("a", "b"))), filled(child, "", depth + 1), max_size=2)
    if schema.node.get("properties"):
        return struct(schema, depth)
    if schema.is_int_or_string:
        return st.sampled_from((0, 80, "http", "25%"))
    return st.sampled_from(_SCALARS.get(schema.type, ("x",)))


def struct(schema: Schema, depth: int = 0) -> SearchStrategy[Body]:
    """Return structs with some of their fields, those that are required nearly always."""
    names = FIELDS.get(schema.short_name, tuple(schema.node["properties"]))
    fields = {name: filled(child, name, depth + 1) for name in names if (child := schema.child(name)) is not None}
    whole = st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in schema.required},
        optional={name: fields[name] for name in fields if name not in schema.required},
    )
    return st.integers(0, 30).flatmap(lambda die: st.just({}) if die == 0 else whole)


def schema_of(group: str, version: str, kind: str) -> Schema:
    """Return the recorded schema of a kind."""
    definitions = record().definitions
    return definitions.schema(definitions.by_kind[group, version, kind])


def content(schema: Schema, fields: tuple[str, ...]) -> SearchStrategy[Body]:
    """Return the content of an object: some of its own fields and some metadata."""
    return st.fixed_dictionaries(
        {"metadata": struct(schema_of("", "v1", "ConfigMap").child("metadata") or schema, 1)},
        optional={name: filled(child, name, 1) for name in fields if (child := schema.child(name)) is not None},
    )


def with_nulls(value: Any, dice: Any) -> Any:
    """Return a patch with some of its fields taken away instead of set."""
    if isinstance(value, dict):
        return {key: None if dice.random() < 0.08 else with_nulls(item, dice) for key, item in value.items()}
    return [with_nulls(item, dice) for item in value] if isinstance(value, list) else value
