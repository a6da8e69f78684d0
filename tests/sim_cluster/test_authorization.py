"""Who may do what, asked of both APIs: roles, bindings, subjects, reviews, acting for somebody else."""

import json
from functools import partial
from typing import Any

import pytest

from tests.sim_cluster.comparing import MAPS, Both
from tests.sim_cluster.talk import JSON, Answer, Client

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
pytestmark = pytest.mark.envtest


def policy(namespace: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what gives ann, the group of the makers, and a service account some rights in a namespace."""
    spaced = f"{RBAC}/namespaces/NS"
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"], "resourceNames": ["one"]},
        {"apiGroups": ["apps"], "resources": ["deployments/scale", "*/status"], "verbs": ["*"]},
    ]
    user = {"kind": "User", "name": f"ann-{namespace}", "apiGroup": "rbac.authorization.k8s.io"}
    group = {"kind": "Group", "name": f"makers-{namespace}", "apiGroup": "rbac.authorization.k8s.io"}
    account = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}

    def refers(kind: str, name: str) -> dict[str, str]:
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}

    return [
        (f"{spaced}/roles", {"metadata": {"name": "some"}, "rules": rules}),
        (f"{spaced}/rolebindings", {"metadata": {"name": "ann"}, "roleRef": refers("Role", "some"), "subjects": [user]}),
        (f"{spaced}/rolebindings", {"metadata": {"name": "makers"}, "roleRef": refers("ClusterRole", "edit"), "subjects": [group]}),
        (f"{spaced}/rolebindings", {"metadata": {"name": "viewer"}, "roleRef": refers("ClusterRole", "view"), "subjects": [account]}),
        (f"{spaced}/rolebindings", {"metadata": {"name": "broken"}, "roleRef": refers("ClusterRole", "nobodys"), "subjects": [account]}),
    ]  # fmt: skip


def asked_as(api: Client, who: dict[str, str], method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = api.connect()
    try:
        headers = {"Accept": JSON, "Content-Type": JSON} | who
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith(b"{") else {"kind": text.decode()}
    finally:
        connection.close()


def said(answer: tuple[int, Any]) -> Any:
    status, body = answer
    if body["kind"] == "Status":
        details = {key: value for key, value in (body.get("details") or {}).items() if key != "uid"}
        return status, body.get("reason"), body.get("message"), details
    return status, body["kind"], body.get("status") if body["kind"].endswith("Review") else None


def who_of(namespace: str) -> list[dict[str, str]]:
    return [
        {},
        {"Impersonate-User": f"ann-{namespace}"},
        {"Impersonate-User": "bob", "Impersonate-Group": f"makers-{namespace}"},
        {"Impersonate-User": f"system:serviceaccount:{namespace}:default"},
        {"Impersonate-User": "system:anonymous"},
        {"Impersonate-User": "root", "Impersonate-Group": "system:masters"},
        {"Impersonate-Group": "without-a-user"},
    ]


REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", MAPS, None),
    ("GET", f"{MAPS}?fieldSelector=metadata.name%3Done", None),
    ("GET", f"{MAPS}/one", None),
    ("GET", f"{MAPS}/two", None),
    ("POST", f"{MAPS}?dryRun=All", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}),
    ("DELETE", f"{MAPS}/one?dryRun=All", None),
    ("DELETE", f"{MAPS}?dryRun=All", None),
    ("GET", "/api/v1/namespaces/NS/secrets", None),
    ("GET", "/api/v1/namespaces/NS", None),
    ("GET", "/api/v1/nodes", None),
    ("GET", "/apis/apps/v1/namespaces/NS/deployments/d/scale", None),
    ("GET", "/apis/apps/v1/namespaces/NS/deployments/d/status", None),
    ("GET", "/apis/apps/v1/namespaces/NS/deployments/d", None),
    ("GET", "/nowhere", None),
    ("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "NS"}}}),
    ("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}}}),
    ("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/api/v1"}}}),
    ("POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "NS"}}),
    ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}),
]  # fmt: skip


@pytest.fixture
def bound(both: Both) -> Both:
    for api in both.apis:
        for path, body in policy(both.namespace):
            api.post(path.replace("NS", both.namespace), body)
        api.post(MAPS.replace("NS", both.namespace), {"metadata": {"name": "one"}})
        until_authorized(api, both.namespace)
    return both


def until_authorized(api: Client, namespace: str) -> None:
    """Wait until each role and each binding is known: the real authorizer sees them a moment after they were made, and `edit` is put together then."""
    account = {"user": f"system:serviceaccount:{namespace}:default"}
    for who, verb, resource, word in (
        ({"user": f"ann-{namespace}"}, "get", "configmaps", '"allowed": true'),
        ({"user": "bob", "groups": [f"makers-{namespace}"]}, "create", "configmaps", '"allowed": true'),
        (account, "list", "configmaps", '"allowed": true'),
        (account, "list", "secrets", "nobodys"),
    ):
        attributes = {"verb": verb, "resource": resource, "name": "one", "namespace": namespace}
        review = {"spec": {**who, "resourceAttributes": attributes}}
        api.ask_until(partial(_tells, word), "POST", f"{REVIEWS}/subjectaccessreviews", review)


def _tells(word: str, answer: Answer) -> bool:
    return word in json.dumps(answer.body["status"])


def test_both_allow_and_refuse_the_same_in_the_same_words(bound: Both) -> None:
    for who in who_of(bound.namespace):
        for method, path, body in REQUESTS:
            given = json.loads(json.dumps(body).replace("NS", bound.namespace))
            answers = [
                said(asked_as(api, who, method, path.replace("NS", bound.namespace), given)) for api in bound.apis
            ]
            if method == "POST" and "rules" in path:
                answers = [_sorted(each) for each in answers]
            if method == "POST" and "selfsubjectreviews" in path:
                answers = [_without_what_differs(each) for each in answers]
            assert answers[0] == answers[1], (who, method, path)


def _sorted(answer: Any) -> Any:
    """Return the rules in an order of ours: the real server tells them in that of its cache."""
    status, kind, *rest = answer
    rules = rest[0] if isinstance(rest[0], dict) else None
    if rules is None:
        return answer
    return (
        status,
        kind,
        {key: sorted(map(json.dumps, value)) if isinstance(value, list) else value for key, value in rules.items()},
    )


def _without_what_differs(answer: Any) -> Any:
    """Return who somebody is without the certificate's own extras."""
    status, kind, *rest = answer
    info = (rest[0] or {}).get("userInfo") if isinstance(rest[0], dict) else None
    return answer if info is None else (status, kind, info["username"] != "", sorted(info.get("groups") or []))


def test_a_token_has_the_rights_of_its_account(bound: Both) -> None:
    for api in bound.apis:
        token = api.post(f"/api/v1/namespaces/{bound.namespace}/serviceaccounts/default/token", {"spec": {}})["status"][
            "token"
        ]
        assert api.ask("GET", MAPS.replace("NS", bound.namespace), token=token).status == 200
        refused = api.ask("GET", f"/api/v1/namespaces/{bound.namespace}/secrets", token=token)
        assert refused.status == 403
        assert refused.body["message"] == (
            f'secrets is forbidden: User "system:serviceaccount:{bound.namespace}:default" cannot list resource "secrets" in API group "" '
            f'in the namespace "{bound.namespace}": RBAC: clusterrole.rbac.authorization.k8s.io "nobodys" not found'
        )  # fmt: skip
