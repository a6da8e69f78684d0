"""The modules of Ansible's collection kubernetes.core: one playbook on the simulated API and on the real one, the same results."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import control_plane
from tests.fetch_collection import COLLECTIONS
from tests.sim_cluster.talk import Client

PLAY = Path(__file__).parent / "kubernetes_core" / "play.yml"
SECONDS = 560
pytestmark = pytest.mark.timeout(2 * SECONDS)
#: What two clusters need not agree on, by key.
OWN = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "managedFields", "invocation", "delta", "duration", "clusterIP", "clusterIPs", "ansible_facts",
     "generation", "observedGeneration", "attempts", "lastTransitionTime", "lastUpdateTime", "conditions", "warnings", "deprecations"}
)  # fmt: skip
#: Pods and nodes are played by KWOK there; its containers print nothing; the addresses of the APIs.
NOT_COMPARED = frozenset({"pods", "tainted", "info", "log", "executed"})


def play(api: Client, space: str, scratch: Path, *, has_programs: bool) -> dict[str, Any]:
    """Run the playbook on one API and return what it registered, by name."""
    results = scratch / f"{space}.json"
    variables = {
        "ansible_python_interpreter": sys.executable, "space": space, "group": f"{space}.example.dev", "results": str(results),
        "has_programs": has_programs,
    }  # fmt: skip
    environment = os.environ | {
        "KUBECONFIG": str(api.kubeconfig), "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(scratch / "ansible"),
        "ANSIBLE_PIPELINING": "1", "HOME": str(scratch), "TMPDIR": str(scratch), "ANSIBLE_NOCOLOR": "1",
    }  # fmt: skip
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        json.dumps(variables),
        str(PLAY),
    ]
    done = subprocess.run(
        command, env=environment, cwd=scratch, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    registered: dict[str, Any] = json.loads(results.read_text())
    return registered


def comparable(value: Any, space: str) -> Any:
    """Return what was registered without what differs between any two clusters."""
    if isinstance(value, dict):
        return {key: comparable(inner, space) for key, inner in sorted(value.items()) if key not in OWN}
    if isinstance(value, list):
        return [comparable(inner, space) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.strip().replace(space, "<space>")
    text = re.sub(r"\bweb-[a-z0-9]{8,10}(-[a-z0-9]{5})?\b", "web-<hash>", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)


@pytest.fixture(scope="module")
def simulated(client: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return play(client, f"kc-{os.getpid()}", tmp_path_factory.mktemp("play"), has_programs=True)


def test_the_modules_do_what_they_say(simulated: dict[str, Any]) -> None:
    changed = {name: found.get("changed") for name, found in simulated.items()}
    assert {name for name, value in changed.items() if not value} == {
        "namespace_again", "deployment_again", "not_scaled", "pods", "not_patched", "rolled_out", "gone_back", "conflicting", "json_refused", "refused", "unknown", "info", "log",
    }  # fmt: skip
    assert simulated["deployment_made"]["result"]["status"]["readyReplicas"] == 2
    assert simulated["scaled"]["result"]["status"]["readyReplicas"] == 3
    assert len(simulated["pods"]["resources"]) == 3
    assert simulated["json_patched"]["result"]["data"] == {"more": "1"}
    assert 'conflict with "play": .data.a' in json.loads(simulated["conflicting"]["msg"].partition(": ")[2])["message"]
    assert simulated["executed"]["return_code"] == 127  # no program says what the container runs
    assert [each["changed"] for each in simulated["tainted"]["results"]] == [True, False, True]
    assert [each["changed"] for each in simulated["deleted"]["results"]] == [True, False, True, True, True]


@pytest.mark.envtest
def test_the_real_api_gives_the_same_results(
    simulated: dict[str, Any], tmp_path: Path, new_name: Callable[[str], str]
) -> None:
    """On a control plane of its own: the play makes a node, which a scheduler's words to others would count."""
    space = new_name("kc")
    with control_plane(tmp_path / "control-plane") as apart, closing(Client(apart.kubeconfig)) as api:
        real = play(api, space, tmp_path, has_programs=False)
    ours, theirs = (
        {name: comparable(found, own) for name, found in results.items() if name not in NOT_COMPARED}
        for results, own in ((simulated, f"kc-{os.getpid()}"), (real, space))
    )
    assert {name: (ours[name], theirs[name]) for name in theirs if ours[name] != theirs[name]} == {}
