"""The same requests to two APIs, and where their answers differ. Used by the suites that ask both; the fixture is `both`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.sim_cluster.talk import JSON, Client

MAPS = "/api/v1/namespaces/NS/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/NS/deployments"
PODS = "/api/v1/namespaces/NS/pods"
#: What differs between any two clusters: that it is there is compared, not what it is.
_VOLATILE = frozenset({
    "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time", "continue", "clusterIP", "clusterIPs", "startTime",
    "lastTransitionTime", "lastUpdateTime", "lastProbeTime", "completionTime", "podIP", "podIPs", "hostIP", "hostIPs",
})  # fmt: skip
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"kube-api-access-[a-z0-9]{5}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def normal(value: Any, key: str = "") -> Any:
    """Return an answer without what differs between any two clusters."""
    if key in _VOLATILE:
        return f"<{key}>"
    if isinstance(value, dict):
        return {normal(name): normal(item, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        items = [normal(item) for item in value]
        if (
            key == "causes"
        ):  # on an update the real server checks metadata two or three times, and lists what it finds each time
            items = [item for number, item in enumerate(items) if item not in items[:number]]
        return sorted(items, key=json.dumps) if key in {"managedFields", "conditions"} else items
    if isinstance(value, str):
        value = value.partition("previously negative)")[0]  # the real server adds a diff of its Go structs
        text = _TOKEN.sub("kube-api-access-<x>", _UID.sub("<uid>", _TIME.sub("<time>", value)))
        return re.sub(r'\\?"resourceVersion\\?":\\?"\d+\\?"', "<version>", text)
    return value


Step = tuple[Any, ...]


def said(client: Client, namespace: str, step: Step) -> dict[str, Any]:
    """Do one step and return what was answered, comparable."""
    method, path = step[:2]
    body, content = step[2] if len(step) > 2 else None, step[3] if len(step) > 3 else JSON
    answer = client.ask(method, path.replace("NS", namespace), body, content)
    shown = (
        normal(json.loads(answer.text))
        if answer.headers.get("content-type", "").startswith("application/json")
        else answer.text
    )
    text = json.dumps(shown).replace(namespace, "NS").replace(str(client.port), "PORT")
    return {"status": answer.status, "warning": answer.headers.get("warning"), "body": json.loads(text)}


@dataclass(frozen=True)
class Both:
    """The two APIs, and a namespace of the same name on each."""

    apis: tuple[Client, Client]
    namespace: str

    def __call__(self, steps: list[Step]) -> None:
        """Do each step on both; what they answer must be the same."""
        different = []
        for number, step in enumerate(steps):
            real, simulated = (said(api, self.namespace, step) for api in self.apis)
            if simulated != real:
                different.append(f"step {number}, {step[0]} {step[1]}\n" + "\n".join(differences(real, simulated)))
        assert not different, "the simulated API differs from the real one:\n" + "\n".join(different)


def differences(real: Any, simulated: Any, path: str = "") -> Iterator[str]:
    """Yield where two answers differ."""
    if isinstance(real, dict) and isinstance(simulated, dict):
        for key in sorted(real.keys() | simulated.keys()):
            yield from differences(real.get(key, "(nothing)"), simulated.get(key, "(nothing)"), f"{path}.{key}")
    elif isinstance(real, list) and isinstance(simulated, list) and len(real) == len(simulated):
        for number, (one, other) in enumerate(zip(real, simulated, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif real != simulated:
        yield f"  {path}\n    real:      {str(real)[:700]}\n    simulated: {str(simulated)[:700]}"
