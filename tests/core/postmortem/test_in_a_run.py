"""Bundles of whole runs: made before a `finally` block cleans up, one for branches that fail at once, none for what may fail."""

from pathlib import Path

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.record.bundles import BUNDLES
from tests.core.library.orchestrations import Orchestration
from tests.core.postmortem.failures import read

BODY = """
@entrypoint()
def fails_and_cleans_up():
    with run.Parallel("both", exit_on_exception=False) as parallel:
        for number in (1, 2):
            parallel.delayed(fail_and_clean_up, number)

def fail_and_clean_up(number):
    try:
        run.run_toolbox("probe", "wait", namespace=f"both-{number}")
    finally:
        run.run_toolbox("probe", "remove", namespace=f"both-{number}")

@entrypoint()
def tolerates():
    run.run_toolbox("probe", "wait", namespace="tolerated", mute_stdout=True, check=False)

if __name__ == "__main__":
    sys.exit(main(fails_and_cleans_up, tolerates))
"""
METHODS = '''
@command
def wait(self, namespace: str) -> None:
    """Wait for what does not come.

    Args:
      namespace: Where.
    """

@command
def remove(self, namespace: str) -> None:
    """Remove it.

    Args:
      namespace: Where.
    """
'''
ROLES = {
    "wait": """
        - name: Make the namespace
          foresail.core.apply:
            manifest: {apiVersion: v1, kind: Namespace, metadata: {name: "{{ probe_wait_namespace }}"}}
        - name: Make a pod that no node takes
          foresail.core.apply:
            manifest:
              apiVersion: v1
              kind: Pod
              metadata: {name: nowhere, namespace: "{{ probe_wait_namespace }}"}
              spec:
                nodeSelector: {disk: none}
                containers: [{name: c, image: registry.invalid/c:1}]
        - name: Wait until the scheduler has said so
          foresail.core.wait:
            kind: Pod
            name: nowhere
            namespace: "{{ probe_wait_namespace }}"
            where: [{path: "status.conditions[PodScheduled].status", equals: "False"}]
            timeout: 60
        - name: Wait for it
          foresail.core.wait: {kind: Pod, name: nowhere, namespace: "{{ probe_wait_namespace }}", until: ready, timeout: 1.5}
    """,
    "remove": """
        - name: Remove the namespace
          foresail.core.delete: {kind: Namespace, name: "{{ probe_remove_namespace }}", wait: false}
    """,
}


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Orchestration:
    return Orchestration.make(tmp_path_factory.mktemp("postmortem"), BODY, methods=METHODS, roles=ROLES)


def test_branches_share_a_bundle_that_is_made_before_they_clean_up(
    probe: Orchestration, simulated: Cluster, simulated_kubeconfig: Path
) -> None:
    probe.kubeconfig = simulated_kubeconfig
    ended = probe.run(probe.fresh(), "fails_and_cleans_up")
    assert ended.code == 4, ended.out + ended.err
    (bundle,) = (ended.root / BUNDLES).iterdir()
    document = read(bundle)
    pod = next(each for each in document["objects"] if each["kind"] == "Pod")
    assert pod["telling"]
    assert "didn't match Pod's node affinity/selector" in pod["says"]
    assert len((bundle / "occurrences").read_text().splitlines()) == 2
    assert [step.name for step in ended.steps if step.kind == "command"].count("probe remove") == 2
    last = ended.out.splitlines()[-12:]
    assert any("last condition: Pod both-" in line and "node affinity" in line for line in last), last
    assert any(line.strip() == f"bundle: {bundle}/INDEX" for line in last), last
    for directory in {step.directory for step in ended.steps if step.name == "probe wait"}:
        assert "bundle: " in (ended.root / directory / "FAILURE").read_text()
    for namespace in ("both-1", "both-2"):
        simulated.delete(Target("Namespace", "v1", namespace))


def test_a_failure_that_is_tolerated_has_none(probe: Orchestration, simulated_kubeconfig: Path) -> None:
    probe.kubeconfig = simulated_kubeconfig
    ended = probe.run(probe.fresh(), "tolerates")
    assert ended.code == 0, ended.out + ended.err
    assert [str(step.status) for step in ended.steps if step.kind == "command"] == ["timed_out"]
    assert not (ended.root / BUNDLES).exists()
