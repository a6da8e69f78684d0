"""Objects, patches, applies and selectors that nobody thought of, asked of both APIs: they have to say the same.

A few in `make test`, always the same ones; as many as FORESAIL_EXAMPLES says (500 by default) in `make soak`, with figures.
"""

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sim_cluster.comparing import differences, normal
from tests.sim_cluster.conftest import make_namespace
from tests.sim_cluster.generated import content, schema_of, with_nulls
from tests.sim_cluster.talk import APPLY, JSON, JSON_PATCH, MERGE, STRATEGIC, Client
from tests.soaking import WHOLE, say

pytestmark = [pytest.mark.envtest, pytest.mark.soak, pytest.mark.timeout(900)]
EXAMPLES: Final = int(os.environ.get("FORESAIL_EXAMPLES", "500")) if WHOLE else 12
FIGURES: Final[Counter[str]] = Counter()
KINDS: Final = {
    "podtemplates": ("", "v1", "PodTemplate", ("template",)),
    "configmaps": ("", "v1", "ConfigMap", ("data", "immutable")),
    "services": ("", "v1", "Service", ("spec",)),
    "networkpolicies": ("networking.k8s.io", "v1", "NetworkPolicy", ("spec",)),
    "leases": ("coordination.k8s.io", "v1", "Lease", ("spec",)),
    "roles": ("rbac.authorization.k8s.io", "v1", "Role", ("rules",)),
}
#: What may differ, and why; a difference that is none of these fails the test.
EXPLAINED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Go's decoder and the patch code name the first of several wrong types, in the order of Go's maps": lambda real, simulated: (
        real["status"] == simulated["status"] >= 400
        and all(re.search("cannot (unmarshal|be handled|restore|convert)|unrecognized type|typed patch|proper version", json.dumps(side["body"])) for side in (real, simulated))
    ),
    "an empty list in the place of none is a change to Go, so the generation counts it": lambda real, simulated: (
        list(differences(_without_generation(real), _without_generation(simulated))) == []
    ),
}  # fmt: skip


def _without_generation(side: Any) -> Any:
    metadata = side["body"].get("metadata") or {}
    return side | {"body": side["body"] | {"metadata": metadata | {"generation": 0}}}


@st.composite
def sequences(draw: st.DrawFn) -> tuple[str, list[tuple[str, Any, str]]]:
    """Draw a resource and what is done to an object of it: how, with which body, by whom."""
    resource = draw(st.sampled_from(sorted(KINDS)))
    group, version, kind, fields = KINDS[resource]
    bodies = content(schema_of(group, version, kind), fields)
    dice = random.Random(draw(st.integers(0, 2**32)))
    ways = st.sampled_from(("create", "create", "apply", "apply", "force", "merge", "strategic", "json", "put"))
    managers = st.sampled_from(("alpha", "beta"))
    steps = [(way, draw(bodies), draw(managers)) for way in draw(st.lists(ways, min_size=3, max_size=6))]
    return resource, [(way, _shaped(way, body, dice), manager) for way, body, manager in steps]


def _shaped(way: str, body: Any, dice: random.Random) -> Any:
    if way in {"merge", "strategic"}:
        return with_nulls(body, dice)
    if way == "json":
        place, value = dice.choice(
            [(key, item) for key, item in body.items() if key != "metadata"] or [("metadata/labels", {})]
        )
        return [{"op": dice.choice(("add", "replace")), "path": f"/{place}", "value": value}]
    return body


def asked(way: str, resource: str, body: Any, manager: str) -> tuple[str, str, Any, str]:
    """Return a step as a request: method, path, body, content type."""
    group, version, kind, _ = KINDS[resource]
    base = f"/apis/{group}/{version}" if group else f"/api/{version}"
    path = f"{base}/namespaces/NS/{resource}"
    head = {"apiVersion": f"{group}/{version}".strip("/"), "kind": kind}
    query = f"?fieldManager={manager}"
    if way in {"create", "put", "apply", "force"}:
        body = head | body | {"metadata": body["metadata"] | {"name": "it"}}
    match way:
        case "create":
            return "POST", path + query, body, JSON
        case "put":
            return "PUT", f"{path}/it{query}", body, JSON
        case "apply" | "force":
            return "PATCH", f"{path}/it{query}" + ("&force=true" if way == "force" else ""), body, APPLY
    return "PATCH", f"{path}/it{query}", body, {"merge": MERGE, "strategic": STRATEGIC, "json": JSON_PATCH}[way]


def told(api: Client, namespace: str, request: tuple[str, str, Any, str]) -> dict[str, Any]:
    """Ask and return the answer, comparable; the causes in an order of our own."""
    method, path, body, content_type = request
    answer = api.ask(method, path.replace("NS", namespace), body, content_type)
    said = normal(json.loads(answer.text))
    causes = (said.get("details") or {}).get("causes") if isinstance(said, dict) else None
    if causes:
        causes.sort(key=json.dumps)
        said["message"] = "of its causes"  # which stand there in the order of Go's maps
    return {"status": answer.status, "warning": sorted(filter(None, [answer.headers.get("warning")])), "body": said}


def judged(real: Any, simulated: Any, request: Any) -> None:
    """Count whether two answers agree; fail when they differ without a reason."""
    FIGURES["requests"] += 1
    if real == simulated:
        FIGURES["agreed"] += 1
        return
    for reason, explains in EXPLAINED.items():
        if explains(real, simulated):
            FIGURES["explained"] += 1
            FIGURES[f"explained: {reason}"] += 1
            return
    pytest.fail(f"{json.dumps(request)}\n" + "\n".join(differences(real, simulated)))


def test_generated_objects_patches_and_applies(judge: Client, client: Client, new_name: Callable[[str], str]) -> None:
    namespace = new_name("made")
    for api in (judge, client):
        make_namespace(api, namespace)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=not WHOLE, database=None, print_blob=False,
              phases=(Phase.generate,), suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(sequences())
    def play(drawn: tuple[str, list[tuple[str, Any, str]]]) -> None:
        resource, steps = drawn
        requests = [asked(way, resource, body, manager) for way, body, manager in steps]
        gone = ("DELETE", asked("put", resource, {"metadata": {}}, "x")[1].partition("?")[0], None, JSON)
        try:
            for request in requests:
                judged(told(judge, namespace, request), told(client, namespace, request), request)
        finally:
            for api in (judge, client):
                told(api, namespace, gone)

    play()
    for api in (judge, client):
        api.ask("DELETE", f"/api/v1/namespaces/{namespace}")
    figures = "; ".join(f"{name} {count}" for name, count in sorted(FIGURES.items()))
    say(f"generated objects, patches and applies on both APIs: {figures}")


_WORD = st.sampled_from(("a", "b", "c d", "", "x/y", "1", "Z"))
_CLAUSE = st.one_of(
    st.builds(lambda key, sign, value: f"{key}{sign}{value}", _WORD, st.sampled_from(("=", "==", "!=", ">", "<")), _WORD),
    st.builds(lambda key, word, values: f"{key} {word} ({','.join(values)})", _WORD, st.sampled_from(("in", "notin", "on")), st.lists(_WORD, max_size=3)),
    st.builds(lambda bang, key: bang + key, st.sampled_from(("", "!")), _WORD),
)  # fmt: skip


def test_generated_selectors(judge: Client, client: Client, new_name: Callable[[str], str]) -> None:
    namespace = new_name("picked")
    maps = "/api/v1/namespaces/NS/configmaps"
    for api in (judge, client):
        make_namespace(api, namespace)
        for number, labels in enumerate(({"a": "a"}, {"a": "b", "b": "1"}, {"x/y": "1"}, {}, {"a": "", "b": "Z"})):
            api.post(maps.replace("NS", namespace), {"metadata": {"name": f"m{number}", "labels": labels}})

    @settings(max_examples=EXAMPLES * 2, deadline=None, derandomize=not WHOLE, database=None, print_blob=False,
              phases=(Phase.generate,), suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.lists(_CLAUSE, min_size=1, max_size=3))
    def play(clauses: list[str]) -> None:
        picked = f"{maps}?fieldSelector=metadata.name!%3Dkube-root-ca.crt&labelSelector={quote(','.join(clauses))}"
        request = ("GET", picked, None, JSON)
        judged(told(judge, namespace, request), told(client, namespace, request), request)

    play()
    for api in (judge, client):
        api.ask("DELETE", f"/api/v1/namespaces/{namespace}")
    say(f"generated selectors on both APIs: {EXAMPLES * 2} asked, all agreed or explained")
