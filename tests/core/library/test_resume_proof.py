"""The proof of resume: an orchestration killed at every write point of its record, and resumed, has done each thing once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.session import disconnect
from projects.core.record.attempts import paths, superseded
from projects.core.record.steps import FILE_NAME, read_lines
from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.running import running_cluster
from tests.core.library.orchestrations import Orchestration, processes_of
from tests.soaking import WHOLE, say

BODY = '''
from projects.core.record.steps import Record

append, written = Record._append, itertools.count(1)
POINT, HOW = int(os.environ.get("KILL_AT", 0)), os.environ.get("KILL_HOW", "")


def killed(self, line):
    here = next(written) == POINT
    if here and HOW == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    if here and HOW == "torn":
        with self.path.open("ab") as file:
            file.write(b'{"id": "half of a li')
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, line)
    if here and HOW == "after":
        os.kill(os.getpid(), signal.SIGKILL)


Record._append = killed


def effect(name):
    run.run_toolbox("probe", "effect", name=name)


def inner(first, second):
    effect(first)
    with run.Parallel(f"below_{first}") as parallel:
        parallel.delayed(effect, second)
        parallel.delayed(effect, second + "-too")


@run.step
def counted():
    effect("counted")
    return {"number": 3}


@entrypoint()
def test_ci():
    """Twelve steps, some side by side."""
    effect("one")
    with env.NextArtifactDir("outer"):
        effect("two")
        with run.Parallel("both") as parallel:
            parallel.delayed(inner, "three", "four")
            parallel.delayed(inner, "five", "six")
    number = counted()["number"]
    effect(f"with-{number}")
    with env.NextArtifactDir("last"):
        effect("eleven")
        effect("twelve")


if __name__ == "__main__":
    sys.exit(main(test_ci))
'''
METHODS = '''
@command
def effect(self, name: str) -> None:
    """Append to a list on the cluster.

    Args:
      name: The object that holds the list.
    """
'''
EFFECT = """
- name: Make the object when it is missing
  foresail.core.apply:
    manifest: {apiVersion: v1, kind: ServiceAccount, metadata: {name: "{{ probe_effect_name }}", namespace: default}}
- name: See what is there
  foresail.core.get: {kind: ServiceAccount, name: "{{ probe_effect_name }}", namespace: default}
  register: found
- name: Make the list when it is missing
  when: found.object.imagePullSecrets is not defined
  foresail.core.patch:
    {kind: ServiceAccount, name: "{{ probe_effect_name }}", namespace: default, patch: {imagePullSecrets: []}}
- name: Append, which is not idempotent
  foresail.core.patch:
    kind: ServiceAccount
    name: "{{ probe_effect_name }}"
    namespace: default
    type: json
    patch:
      - {op: add, path: "{{ '/secrets' if found.object.secrets is not defined else '/secrets/-' }}", value: "{{ value if found.object.secrets is defined else [value] }}"}
  vars: {value: {name: "done-{{ found.object.secrets | default([]) | length }}"}}
"""
PROBE = """
- name: The effect is there
  foresail.core.wait:
    {kind: ServiceAccount, name: "{{ probe_effect_name }}", namespace: default, where: [{path: secrets, exists: true}], timeout: 0.2}
"""
NAMES = ("one", "two", "three", "four", "four-too", "five", "six", "six-too", "counted", "with-3", "eleven", "twelve")
_NUMBER = re.compile(r"(?:^|(?<=/))\d{3}__|__attempt_\d+")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Orchestration:
    directory = tmp_path_factory.mktemp("resume")
    return Orchestration.make(directory, BODY, methods=METHODS, roles={"effect": EFFECT}, probes={"effect": PROBE})


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.envtest)])
def cluster(request: pytest.FixtureRequest, probe: Orchestration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with ExitStack() as stack:
        if request.param == "real":
            probe.kubeconfig = request.getfixturevalue("real_cluster").kubeconfig
        else:
            probe.kubeconfig = stack.enter_context(running_cluster(ClusterOptions(nodes=1))).kubeconfig
        monkeypatch.setenv("KUBECONFIG", str(probe.kubeconfig))
        yield Cluster()
        disconnect()


def effects(cluster: Cluster) -> dict[str, int]:
    """Return how often each effect is there, and forget them."""
    found = {}
    for each in cluster.objects(Target("ServiceAccount", "v1", namespace="default")):
        if (name := each["metadata"]["name"]) in NAMES:
            found[name] = len(each.get("secrets") or [])
            cluster.delete(Target("ServiceAccount", "v1", name, "default"))
    return found


def tree(root: Path) -> set[str]:
    """Return the directories of a run, without what tells attempts apart."""
    found = {str(path.relative_to(root)) for path in root.rglob("*__*") if path.is_dir()}
    return {_NUMBER.sub("", each) for each in found}


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_killed_at_every_write_point_and_resumed_everything_is_done_once(
    request: pytest.FixtureRequest, probe: Orchestration, cluster: Cluster
) -> None:
    whole = probe.run(probe.fresh("whole"), "test_ci")
    assert whole.code == 0, whole.out + whole.err
    assert effects(cluster) == dict.fromkeys(NAMES, 1)
    count = len(list(read_lines(whole.root)))
    assert count == 2 * len(whole.steps) + 1, "the start and the end of each step, and the conclusion"
    points = [(point, how) for point in range(1, count + 1) for how in ("before", "torn", "after")]
    real = request.node.callspec.params["cluster"] == "real"
    chosen = points[7::11] if real and WHOLE else points if WHOLE else points[31::60] if real else points[4::23]
    attempts = 0
    for point, how in chosen:
        root = probe.fresh(f"{point}-{how}")
        killed = probe.run(root, "test_ci", KILL_AT=str(point), KILL_HOW=how)
        assert killed.code == -9, f"{point} {how}: {killed.out}{killed.err}"
        if not (root / FILE_NAME).exists():
            root.joinpath(FILE_NAME).touch()  # nothing was written yet, so there is nothing to resume
        resumed = probe.run(root, "test_ci", "--resume", str(root))
        said = f"killed {how} write {point} of {count}:\n{killed.out[-1500:]}\n--- resumed:\n{resumed.out[-3000:]}{resumed.err[-3000:]}"
        assert resumed.code == 0, said
        assert effects(cluster) == dict.fromkeys(NAMES, 1), said
        assert tree(root) == tree(whole.root), said
        steps = resumed.steps
        known, replaced = paths(steps), superseded(steps)
        current = {known[step.id]: step.status for step in steps if step.id not in replaced}
        missing = set(paths(whole.steps).values()) - set(current)
        assert not set(current) - set(paths(whole.steps).values()), said
        assert all(current[path[:-1]] == "skipped" for path in missing), said  # inside of what was not done again
        assert set(current.values()) <= {"passed", "skipped"}, said
        assert not (root / "FAILURES").exists()
        assert (root / "FINISHED").read_text().startswith("Test of 'test_ci' succeeded"), said
        assert processes_of(root) == [], said
        attempts += sum(step.attempt > 1 and step.kind == "command" and not step.reuses for step in steps)
    say(
        f"resume: killed at {len(chosen)} points ({count} writes, before, within and after each), 12 effects once each; {attempts} second attempts"
    )
