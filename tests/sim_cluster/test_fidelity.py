"""The page of what differs from a real API: each of its rows is asked of both, and both must still say what it says."""

import base64
import json
import ssl
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.docs.pages import page, plain
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.talk import DEFINITIONS, JSON, Answer, Client, config_map

pytestmark = pytest.mark.envtest
PAGE: Final = "docs/explanation/fidelity.md"

Question = Callable[[Client, str], str]
QUESTIONS: Final[dict[str, Question]] = {}


def question(text: str) -> Callable[[Question], Question]:
    """Register what asks one row of the page, named as the row is."""

    def register(asks: Question) -> Question:
        QUESTIONS[text] = asks
        return asks

    return register


def said(answer: Answer) -> str:
    """Return an answer as the page shows it: the status, and the reason where there is one."""
    is_status = answer.status >= 400 and answer.headers.get("content-type", "").startswith(JSON)
    return f"{answer.status} {answer.body.get('reason', '') if is_status else ''}".strip()


def plainly(text: str, method: str, path: str, body: Any = None, content: str = JSON, accept: str = JSON) -> None:
    """Register a question that is one request; NS stands for a namespace of its own, POD for a pod in it."""

    @question(text)
    def _(api: Client, namespace: str) -> str:
        if "POD" in path:
            api.post(f"/api/v1/namespaces/{namespace}/pods", pod("p", schedulerName="nobody"))
        filled = path.replace("NS", namespace).replace("POD", f"/api/v1/namespaces/{namespace}/pods/p")
        return said(api.ask(method, filled, body, content, accept))


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def until_refused(api: Client, path: str, body: Any) -> str:
    """Create (dry) until that is refused; the simulated one knows at once what is in force, and is asked once."""
    if api.ask("GET", "/sim/clock").status == 200:
        return said(api.ask("POST", f"{path}?dryRun=All", body))
    return said(api.try_creating(path, body, lambda answer: answer.status != 201))


def token_of(api: Client, namespace: str) -> str:
    answer = api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token", {"spec": {}})
    return str(answer["status"]["token"])


MAPS = "/api/v1/namespaces/NS/configmaps"
plainly("forward a port of a pod, without an upgrade", "GET", "POD/portforward")
plainly("reach a pod through the API server (`proxy`)", "GET", "POD/proxy")
plainly(
    "watch by the deprecated `/api/v1/watch/…` paths", "GET", "/api/v1/watch/namespaces/NS/configmaps?timeoutSeconds=1"
)
plainly("list `componentstatuses`", "GET", "/api/v1/componentstatuses")
plainly("read `/metrics` of the API server", "GET", "/metrics")
plainly("profile the API server, `/debug/pprof/`", "GET", "/debug/pprof/")
plainly(
    "discover the issuer of tokens, `/.well-known/openid-configuration`", "GET", "/.well-known/openid-configuration"
)
plainly("ask for protobuf", "GET", MAPS, accept="application/vnd.kubernetes.protobuf")
plainly(
    "ask for a certificate with what is no request for one",
    "POST",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All",
    {"metadata": {"name": "c"}, "spec": {
        "request": "eA==", "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}},
)  # fmt: skip


@question("create what a webhook behind a Service has to admit")
def _(api: Client, namespace: str) -> str:
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hook = {"name": "nobody.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [rule],
            "clientConfig": {"service": {"name": "nobody", "namespace": namespace}}, "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}  # fmt: skip
    api.post(hooks, {"metadata": {"name": namespace}, "webhooks": [hook]})
    try:
        return until_refused(api, MAPS.replace("NS", namespace), config_map("a"))
    finally:
        api.ask("DELETE", f"{hooks}/{namespace}")


def _defined_with(rule: str) -> tuple[str, dict[str, Any]]:
    text = {"type": "string", "x-kubernetes-validations": [{"rule": rule}]}
    schema = {"type": "object", "properties": {"texts": {"type": "array", "items": text}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "a.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return f"{DEFINITIONS}?dryRun=All", {"metadata": {"name": "widgets.a.example.com"}, "spec": spec}


plainly("define a CEL rule that compares a text with a number", "POST", *_defined_with("self > 1"))
plainly("define a CEL rule that may cost too much", "POST", *_defined_with("self.matches('a(b|c)*$')"))


@question("the generation of a NetworkPolicy in which an empty list takes the place of none")
def _(api: Client, namespace: str) -> str:
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    api.post(path, {"metadata": {"name": "p"}, "spec": {"podSelector": {}}})
    api.ask("PUT", f"{path}/p", {"metadata": {"name": "p"}, "spec": {"podSelector": {"matchExpressions": []}}})
    return str(api.get(f"{path}/p")["metadata"]["generation"])


@question("speak HTTP/2")
def _(api: Client, _namespace: str) -> str:
    context: ssl.SSLContext = api.stranger
    context.set_alpn_protocols(["h2", "http/1.1"])
    connection = api.connect(certificate=False)
    connection.connect()
    try:
        return str(connection.sock.selected_alpn_protocol() or "http/1.1")
    finally:
        connection.close()
        context.set_alpn_protocols(["http/1.1"])


@question("ask for a compressed answer")
def _(api: Client, _namespace: str) -> str:
    connection = api.connect()
    try:
        connection.request("GET", "/openapi/v2", headers={"Accept": JSON, "Accept-Encoding": "gzip"})
        response = connection.getresponse()
        response.read()
        return response.getheader("Content-Encoding") or "plain"
    finally:
        connection.close()


@question("the signature of a service account's token")
def _(api: Client, namespace: str) -> str:
    head = token_of(api, namespace).partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"])


@question("the flow schema that let a request in (`X-Kubernetes-PF-FlowSchema-UID`)")
def _(api: Client, namespace: str) -> str:
    headers = api.ask("GET", f"/api/v1/namespaces/{namespace}").headers
    return "named" if "x-kubernetes-pf-flowschema-uid" in headers else "absent"


def rows() -> dict[str, tuple[str, str]]:
    """Return what the page says that each of both answers."""
    return {row[0]: (plain(row[1]), plain(row[2])) for row in page(PAGE).table("asked for", "real", "simulated")}


def test_the_page_has_a_row_for_each_question_and_no_other() -> None:
    assert sorted(rows()) == sorted(QUESTIONS)


@pytest.mark.parametrize("text", QUESTIONS)
def test_both_answer_as_the_page_says(text: str, judge: Client, client: Client, new_name: Callable[[str], str]) -> None:
    answers = []
    namespace = new_name("fidelity")
    for api in (judge, client):
        make_namespace(api, namespace)
        try:
            answers.append(QUESTIONS[text](api, namespace))
        finally:
            api.ask("DELETE", f"/api/v1/namespaces/{namespace}")
    real, simulated = answers
    assert real != simulated, f"both answer {real}: this is a difference no more, so the row leaves the page"
    assert rows().get(text) == (real, simulated), f"| {text} | `{real}` | `{simulated}` | why |"
