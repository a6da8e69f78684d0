"""ValidatingAdmissionPolicies, asked of the simulated API and of the real one."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sim_cluster.comparing import Both
from tests.sim_cluster.talk import MERGE, Client, deployment

_GROUP = "/apis/admissionregistration.k8s.io/v1"
_POLICIES = f"{_GROUP}/validatingadmissionpolicies"
_BINDINGS = f"{_GROUP}/validatingadmissionpolicybindings"
_CONFIG_MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"], "resources": ["configmaps"]}  # fmt: skip


def _says(*expressions: str, **more: Any) -> list[dict[str, Any]]:
    return [{"expression": text} | more for text in expressions]


def _named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "expression": "true"} for name in names]


#: By case: what the policy says beside the usual, what its binding says, and the data of the ConfigMaps that are written.
_CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({"validations": _says("object.data.a != 'x'")}, {}),
    "message": ({"validations": _says("object.data.a != 'x'", message=" an x ", reason="Forbidden")}, {}),
    "long": ({"validations": _says("object.data.a != 'x'", messageExpression="'found ' + object.data.a", reason="RequestEntityTooLarge")}, {}),
    "failing-message": ({"validations": _says("object.data.a != 'x'", messageExpression="string(object.data.z)", message="m")}, {}),
    "several": ({"validations": _says("object.data.a != 'y'", "object.data.a != 'x'", "object.data.a == 'z'")}, {}),
    "failing": ({"validations": _says("object.data.z == 'x'")}, {}),
    "ignoring": ({"failurePolicy": "Ignore", "validations": _says("object.data.z == 'x'", "object.data.a != 'x'")}, {}),
    "variables": ({"variables": [{"name": "data", "expression": "object.data"}, {"name": "first", "expression": "variables.data.a"}],
                   "validations": _says("variables.first != 'x'", messageExpression="variables.first + ' it is'")}, {}),
    "bad-variable": ({"variables": [{"name": "gone", "expression": "object.data.z"}], "validations": _says("variables.gone != 'x'")}, {}),
    "conditions": ({"matchConditions": [{"name": "some", "expression": "object != null && object.data.a == 'x'"}], "validations": _says("false")}, {}),
    "bad-condition": ({"matchConditions": [{"name": "some", "expression": "object.data.z == 'x'"}], "validations": _says("false")}, {}),
    "bad-and-false-conditions": ({"matchConditions": [{"name": "bad", "expression": "object.data.z == 'x'"}, {"name": "not", "expression": "false"}],
                                  "validations": _says("false")}, {}),
    "bad-conditions": ({"matchConditions": [{"name": "one", "expression": "object.data.z == 'x'"}, {"name": "two", "expression": "object.data.q == 'x'"}],
                        "validations": _says("false")}, {}),
    "request": ({"validations": _says("request.operation != 'CREATE' || request.name != 'request-x' || request.userInfo.username == ''",
                                      messageExpression="request.operation + request.resource.resource + request.kind.kind + request.namespace + string(request.dryRun)")}, {}),
    "namespace": ({"validations": _says("!('kubernetes.io/metadata.name' in namespaceObject.metadata.labels)")}, {}),
    "authorizer": ({"validations": _says("authorizer.group('').resource('secrets').namespace('default').check('list').allowed()",
                                         "!authorizer.requestResource.check('create').allowed()",
                                         "authorizer.serviceAccount('default', 'default').path('/healthz').check('get').allowed()")}, {}),
    "warned": ({"validations": _says("object.data.a != 'x'")}, {"validationActions": ["Warn", "Audit"]}),
    "warned-and-denied": ({"validations": _says("object.data.a != 'x'")}, {"validationActions": ["Deny", "Audit"]}),
    "deleting": ({"validations": _says("request.operation != 'DELETE' || oldObject.data.a != 'y'")}, {}),
    "changing": ({"validations": _says("oldObject == null || object == null || object.data.a != 'y' || oldObject.data.a != 'z'")}, {}),
    "not-bound-here": ({"validations": _says("false")}, {"matchResources": {"namespaceSelector": {"matchLabels": {"no": "such"}}}}),
    "bound-by-rule": ({"validations": _says("false")}, {"matchResources": {"resourceRules": [_CONFIG_MAPS | {"operations": ["UPDATE"]}]}}),
    "params": ({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": _says("params.data.most != object.data.a")},
               {"paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"}}),
    "no-params": ({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": _says("params.data.most != object.data.a")},
                  {"paramRef": {"name": "nothing", "parameterNotFoundAction": "Deny"}}),
    "allowed-params": ({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": _says("false")},
                       {"paramRef": {"name": "nothing", "parameterNotFoundAction": "Allow"}}),
    "some-params": ({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": _says("params.data.most != object.data.a")},
                    {"paramRef": {"selector": {"matchLabels": {"for": "some"}}, "parameterNotFoundAction": "Deny"}}),
    "params-unnamed": ({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "validations": _says("params == null")}, {}),
}  # fmt: skip


def _documents(case: str, namespace: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the policy and the binding of a case; they are about what has its label in the namespace."""
    said, bound = _CASES[case]
    constraints = {
        "resourceRules": [_CONFIG_MAPS],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {"case": case}},
    }
    name = f"{namespace}-{case}"
    policy = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
              "spec": {"matchConstraints": constraints} | said}  # fmt: skip
    binding = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
               "spec": {"policyName": name, "validationActions": ["Deny"]} | bound}  # fmt: skip
    return policy, binding


def _map(name: str, case: str, value: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"case": case}}, "data": {"a": value}}  # fmt: skip


def _in_force(api: Client, maps: str, namespace: str) -> None:
    """Wait until the policies are: the real server looks for new ones each second, for all of them at once."""
    policy, binding = _documents("plain", namespace)
    policy["metadata"]["name"] = binding["metadata"]["name"] = binding["spec"]["policyName"] = f"{namespace}-zz"
    policy["spec"]["matchConstraints"]["objectSelector"] = {"matchLabels": {"case": "canary"}}
    api.post(_POLICIES, policy)
    api.post(_BINDINGS, binding)
    answer = api.try_creating(maps, _map("canary", "canary", "x"), lambda answer: answer.status == 422)
    assert answer.status == 422, answer


@pytest.fixture
def policed(both: Both) -> Iterator[Both]:
    """Both APIs with the policies of all cases in force; they are gone after the test."""
    for api in both.apis:
        maps = f"/api/v1/namespaces/{both.namespace}/configmaps"
        limits = _map("limits", "none", "") | {"data": {"most": "x"}}
        api.post(maps, limits)
        other = {"metadata": {"name": "others", "labels": {"for": "some"}}, "data": {"most": "y"}}
        api.post(maps, limits | other)
        for case in _CASES:
            policy, binding = _documents(case, both.namespace)
            api.post(_POLICIES, policy)
            api.post(_BINDINGS, binding)
        _in_force(api, maps, both.namespace)
    yield both
    for api in both.apis:
        for case in (*_CASES, "zz"):
            for path in (_BINDINGS, _POLICIES):
                assert api.ask("DELETE", f"{path}/{both.namespace}-{case}").status == 200


def _told(api: Client, method: str, path: str, body: Any = None, content: str = "application/json") -> tuple[Any, ...]:
    answer = api.ask(method, path, body, content)
    said = answer.body
    if answer.status < 300:
        return answer.status, answer.headers.get("warning")
    return answer.status, said["reason"], said["message"], said["details"], answer.headers.get("warning")


def _life(api: Client, maps: str, case: str) -> list[Any]:
    return [
        *(_told(api, "POST", maps, _map(f"{case}-{value}", case, value)) for value in ("x", "z")),
        _told(api, "POST", f"{maps}?dryRun=All", _map(f"{case}-y", case, "y")),
        *(_told(api, "PATCH", f"{maps}/{case}-z", {"data": {"a": value}}, MERGE) for value in ("y", "x")),
        *(_told(api, "DELETE", f"{maps}/{case}-{value}") for value in ("z", "x")),
    ]


@pytest.mark.envtest
def test_policies_decide_the_same(policed: Both) -> None:
    maps = f"/api/v1/namespaces/{policed.namespace}/configmaps"
    for case in _CASES:
        real, simulated = (_life(api, maps, case) for api in policed.apis)
        assert simulated == real, case


def _ruled(**rule: Any) -> dict[str, Any]:
    return {"matchConstraints": {"resourceRules": [_CONFIG_MAPS | rule]}}


_WITHOUT: Any = object()
_VARIABLES: list[list[dict[str, str]]] = [
    _named("x"), [{"name": "1x", "expression": "true"}], [{"name": "x", "expression": ""}], [{"name": "x", "expression": "nope"}],
    [{"name": "x", "expression": "variables.y"}, {"name": "y", "expression": "1"}], [{"name": "x", "expression": "1"}, {"name": "y", "expression": "variables.x"}],
]  # fmt: skip
_CONSTRAINTS: list[dict[str, Any]] = [
    {"matchPolicy": "No"}, {"namespaceSelector": {"matchLabels": {"a b": "c"}}}, {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "No"}]}},
    {"excludeResourceRules": [_CONFIG_MAPS | {"operations": []}]},
]  # fmt: skip
_RULES: list[dict[str, Any]] = [
    {"operations": []}, {"operations": ["NOPE"]}, {"operations": ["*", "CREATE"]}, {"apiGroups": []}, {"apiGroups": ["*", "a"]}, {"apiVersions": []},
    {"apiVersions": [""]}, {"resources": []}, {"resources": [""]}, {"resources": ["*", "pods"]}, {"resources": ["*", "pods/status"]},
    {"resources": ["*/*", "pods"]}, {"resources": ["pods/*", "pods/status"]}, {"resources": ["*/status", "pods/status"]}, {"resources": ["*/status", "pods"]},
    {"scope": "No"}, {"resourceNames": ["a", "a"]}, {"resourceNames": ["A_"]},
]  # fmt: skip
_ANNOTATIONS: list[list[dict[str, str]]] = [
    [{"key": "a", "valueExpression": "'x'"}], [{"key": "A b", "valueExpression": ""}], [{"key": "a", "valueExpression": "'x'"}] * 2,
]  # fmt: skip
_VALIDATIONS: list[dict[str, str]] = [
    {"expression": ""}, {"reason": "Nope"}, {"expression": "nope"}, {"message": "  "}, {"message": "a\nb"}, {"expression": "true\n&& true"},
    {"messageExpression": "nope"}, {"expression": "variables.x"}, {"expression": "params.x == 1"}, {"expression": "object.x.nope()"},
]  # fmt: skip
_CONDITIONS: list[list[dict[str, str]]] = [
    [{"name": "", "expression": "true"}], [{"name": "a b", "expression": ""}], _named("a", "a"), [{"name": "a", "expression": "variables.x"}],
]  # fmt: skip
_UNFIT_POLICIES: list[dict[str, Any]] = [
    {}, {"validations": _WITHOUT}, {"validations": []}, {"matchConstraints": _WITHOUT}, {"matchConstraints": {}}, {"matchConstraints": {"resourceRules": []}},
    *({"validations": [{"expression": "true"} | each]} for each in _VALIDATIONS),
    {"paramKind": {"apiVersion": "", "kind": ""}}, {"paramKind": {"apiVersion": "a/b/c", "kind": "-x"}}, {"failurePolicy": "No"},
    *({"variables": each} for each in _VARIABLES), *({"matchConditions": each} for each in _CONDITIONS),
    *(_ruled(**each) for each in _RULES),
    *({"matchConstraints": {"resourceRules": [_CONFIG_MAPS]} | each} for each in _CONSTRAINTS),
    *({"auditAnnotations": each} for each in _ANNOTATIONS),
    {"validations": _WITHOUT, "auditAnnotations": [{"key": "a", "valueExpression": "'x'"}]},
]  # fmt: skip
_UNFIT_BINDINGS: list[dict[str, Any]] = [
    {}, {"policyName": "p", "validationActions": _WITHOUT}, {"policyName": "P_"}, {"validationActions": []}, {"validationActions": ["No"]},
    {"validationActions": ["Deny", "Warn"]}, {"validationActions": ["Deny", "Deny"]}, {"paramRef": {}}, {"paramRef": {"name": "a", "selector": {}}},
    {"paramRef": {"name": "a"}}, {"paramRef": {"name": "A_", "parameterNotFoundAction": "No"}}, {"paramRef": {"selector": {"matchLabels": {"a b": "c"}}}},
    {"matchResources": {"matchPolicy": "No"}}, {"matchResources": {"resourceRules": [{}]}},
]  # fmt: skip


def _definitions(api: Client) -> list[Any]:
    policy = {"matchConstraints": {"resourceRules": [_CONFIG_MAPS]}, "validations": _says("true")}
    binding = {"policyName": "p", "validationActions": ["Deny"]}
    told = []
    for path, kind, usual, unfit in (
        (_POLICIES, "ValidatingAdmissionPolicy", policy, _UNFIT_POLICIES),
        (_BINDINGS, "ValidatingAdmissionPolicyBinding", binding, _UNFIT_BINDINGS),
    ):
        for said in unfit:
            spec = {key: value for key, value in (usual | said).items() if value is not _WITHOUT} if said else {}
            body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}  # fmt: skip
            answer = api.ask("POST", f"{path}?dryRun=All", body)
            told.append((said, answer.status, answer.body.get("spec"), answer.body.get("details"), answer.headers.get("warning")))  # fmt: skip
    return told


@pytest.mark.envtest
def test_what_a_policy_must_hold(both: Both) -> None:
    real, simulated = (_definitions(api) for api in both.apis)
    for wanted, found in zip(real, simulated, strict=True):
        assert found == wanted
    assert sum(status == 422 for _, status, *_ in real) > 50


def test_an_expression_that_is_not_evaluated_is_told(client: Client, namespace: str) -> None:
    """It lets everything pass; that it does is said where the policy is made."""
    policy, binding = _documents("plain", namespace)
    policy["spec"]["variables"] = [{"name": "version", "expression": "semver('1.2.3')"}]
    policy["spec"]["validations"] = _says("variables.version == 'x'")
    answer = client.ask("POST", _POLICIES, policy)
    assert answer.status == 201
    assert answer.headers["warning"] == (
        "299 - \"the simulated cluster does not evaluate this expression: semver('1.2.3') (semver)\""
    )
    client.post(_BINDINGS, binding)
    client.post(f"/api/v1/namespaces/{namespace}/configmaps", _map("a", "plain", "x"))
    for path in (_BINDINGS, _POLICIES):
        client.ask("DELETE", f"{path}/{policy['metadata']['name']}")


def _matched(namespace: str, **constraints: Any) -> dict[str, Any]:
    """Return constraints that are about one namespace."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}} | constraints


def _rule(resources: list[str], group: str = "", version: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": [version], "operations": ["CREATE", "UPDATE"], "resources": resources} | more  # fmt: skip


@pytest.fixture
def bound(both: Both) -> Iterator[Both]:
    """Both APIs with policies that deny, as their name says, what they match; they are gone after the test."""
    namespace = both.namespace
    policies = {
        "status": _matched(namespace, resourceRules=[_rule(["replicationcontrollers/status"])]),
        "scale": _matched(namespace, resourceRules=[_rule(["*/scale"], "apps")]),
        "old-version": _matched(namespace, resourceRules=[_rule(["horizontalpodautoscalers"], "autoscaling")]),
        "exact-version": _matched(namespace, matchPolicy="Exact", resourceRules=[_rule(["leases"], "coordination.k8s.io", "v1beta1")]),
        "excluded": _matched(namespace, resourceRules=[_rule(["secrets"])], excludeResourceRules=[_rule(["secrets"], resourceNames=["let-in"])]),
        "cluster": _matched(namespace, resourceRules=[_rule(["*"], scope="Cluster", resourceNames=[namespace])]),
        "namespaced": _matched(namespace, resourceRules=[_rule(["services"], scope="Namespaced")]),
    }  # fmt: skip
    for api in both.apis:
        api.post(f"/api/v1/namespaces/{namespace}/replicationcontrollers", _controller())
        api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("d", namespace, 0))
        for name, constraints in policies.items():
            policy, binding = _documents("plain", namespace)
            policy["metadata"]["name"] = binding["metadata"]["name"] = binding["spec"]["policyName"] = (
                f"{namespace}-{name}"
            )
            policy["spec"] |= {"matchConstraints": constraints, "validations": _says("false")}
            api.post(_POLICIES, policy)
            api.post(_BINDINGS, binding)
        _in_force(api, f"/api/v1/namespaces/{namespace}/configmaps", namespace)
    yield both
    for api in both.apis:
        for name in (*policies, "zz"):
            for path in (_BINDINGS, _POLICIES):
                assert api.ask("DELETE", f"{path}/{namespace}-{name}").status == 200


def _controller() -> dict[str, Any]:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"}, "spec": {"replicas": 0, "template": pod}}  # fmt: skip


def _writes(api: Client, namespace: str) -> list[Any]:
    core, apps = f"/api/v1/namespaces/{namespace}", f"/apis/apps/v1/namespaces/{namespace}"
    scaler = {"metadata": {"name": "h"}, "spec": {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}}  # fmt: skip
    return [
        _told(api, "PATCH", f"{core}/replicationcontrollers/rc/status", {"status": {"replicas": 0}}, MERGE),
        _told(api, "PATCH", f"{core}/replicationcontrollers/rc", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        _told(api, "PATCH", f"{apps}/deployments/d/scale", {"spec": {"replicas": 0}}, MERGE),
        _told(api, "PATCH", f"{apps}/deployments/d", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        *(_told(api, "POST", f"/apis/autoscaling/{version}/namespaces/{namespace}/horizontalpodautoscalers", scaler) for version in ("v1", "v2")),
        _told(api, "POST", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", {"metadata": {"name": "l"}, "spec": {}}),
        *(_told(api, "POST", f"{core}/secrets", {"metadata": {"name": name}}) for name in ("kept-out", "let-in")),
        _told(api, "PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        _told(api, "POST", f"{core}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}),
        _told(api, "POST", "/api/v1/namespaces", {"metadata": {"name": f"{namespace}-other"}}),
    ]  # fmt: skip


@pytest.mark.envtest
def test_policies_are_about_the_same(bound: Both) -> None:
    real, simulated = (_writes(api, bound.namespace) for api in bound.apis)
    assert simulated == real
    assert [status for status, *_ in real].count(422) == 7
    for api in bound.apis:
        api.ask("DELETE", f"/api/v1/namespaces/{bound.namespace}-other")
