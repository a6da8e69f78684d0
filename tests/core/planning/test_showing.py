from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.core.execution import planned
from projects.core.execution.planned import PlannedTask
from projects.core.library import env, run
from projects.core.library.scope import StepScope
from projects.core.planning import note, show
from projects.core.planning.text import write
from projects.core.planning.tree import read_plan
from projects.core.record import context
from projects.core.record.history import Durations
from projects.core.record.steps import Cause, Record, Step, new_id, read_steps
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import Status
from tests.core.execution.test_plan_gate import KUBECONFIG, listener

TASKS = [
    PlannedTask("A", "a", "p", skipped="when: never"),
    PlannedTask(
        "B",
        "a",
        "p",
        does="apply ConfigMap n/c",
        verb="apply",
        manifests=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b\nc"}}],
    ),
    PlannedTask(
        "C", "a", "p", does="wait for Pod n/p", verb="wait", timeout=600, when="x == 'y'", unknown=["elsewhere"]
    ),
    PlannedTask(
        "D", "a", "p", does="run a script", script="one\ntwo", timeout=30, each="reg.items", unknown=["reg.items"]
    ),
]
TEXT = """\
test_ci speed=3
├── would copy it away
├── parallel both
│   ├── branch f
│   │   └── $ echo hello [up to 7.0s]
│   └── branch f
│       └── $ echo hello [up to 7.0s]
├── probe go label=a-<unknown: stdout of `id`> [up to 10m30s]
│   ├── skipped: A (when: never)
│   ├── apply ConfigMap n/c
│   │   └── apiVersion: v1
│   │       kind: ConfigMap
│   │       metadata:
│   │         name: c
│   │       data:
│   │         a: |-
│   │           b
│   │           c
│   ├── wait for Pod n/p [up to 10m00s]
│   │   └── may run: when x == 'y'
│   │       depends on what only a run knows: elsewhere
│   └── run a script [up to 30.0s]
│       └── for each of reg.items
│           one
│           two
├── $ cat $ARTIFACT_DIR/file
├── goes on
└── inner
    └── skipped: exec_list.inner is false

probe: 1 toolbox command, 3 shell commands, 1 manifest; nothing was run.
What is written <unknown: …> is known to a real run only.
"""


@pytest.fixture
def small_plan(plan_root: Path) -> Path:
    """A plan with something of everything."""

    def f() -> None:
        run.run("echo hello", timeout=7)

    with StepScope("entrypoint", "test_ci", project="probe", arguments={"speed": 3, "nothing": None}):
        note("effect", "copy it away")
        with run.Parallel("both") as parallel:
            parallel.delayed(f)
            parallel.delayed(f)
        directory = env.claim_directory("probe__go")
        with StepScope("command", "probe go", directory=directory, arguments={"label": "a-<unknown: stdout of `id`>"}):
            for task in TASKS:
                planned.append(directory, task)
        run.run(f"cat {plan_root}/file")
        with env.NextArtifactDir("goes on"):
            pass
        _skip("inner", "exec_list.inner is false")
    return plan_root


def _skip(name: str, reason: str) -> None:
    place = context.here()
    step = Step(new_id(), place.step, "entrypoint", name, ".")
    place.record.start(step)
    place.record.end(step, Status.SKIPPED, Cause("Skipped", reason, step.id, 0))


def test_a_plan_is_a_tree_for_people(
    small_plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    show(small_plan, as_json=False, earlier_runs=tmp_path)
    assert capsys.readouterr().out == TEXT


def test_a_plan_as_json_holds_what_the_record_has_and_what_is_planned(
    small_plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(small_plan, as_json=True, earlier_runs=tmp_path)
    text = capsys.readouterr().out
    assert str(small_plan) not in text
    document = json.loads(text)
    (outermost,) = document["steps"]
    steps = {step.id: step for step in read_steps(small_plan)}
    for node in _nodes(document):
        step = steps.pop(node["id"])
        assert (node["parent"], node["kind"], node["name"]) == (step.parent, step.kind, _shown(small_plan, step))
        assert set(node) >= {"arguments", "status", "timeout", "manifests", "tasks", "unknown", "estimate_s", "steps"}
    assert steps == {}
    both, command, shell, _, inner = outermost["steps"]
    assert both["steps"][0]["steps"][0]["timeout"] == 7
    assert command["manifests"] == TASKS[1].manifests
    assert command["unknown"] == ["stdout of `id`", "elsewhere", "reg.items"]
    assert [task["name"] for task in command["tasks"]] == ["A", "B", "C", "D"]
    assert shell["arguments"]["command"] == "cat $ARTIFACT_DIR/file"
    assert (inner["status"], inner["skipped_because"]) == ("skipped", "exec_list.inner is false")


def _shown(root: Path, step: Step) -> str:
    return step.name.replace(str(root), "$ARTIFACT_DIR")


def _nodes(node: Any) -> list[Any]:
    return [each for inside in node["steps"] for each in (inside, *_nodes(inside))]


def test_earlier_runs_say_how_long_it_takes(small_plan: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    record = Record(earlier)
    entry = Step("1", None, "entrypoint", "test_ci", ".", project="probe")
    go = Step("2", "1", "command", "probe go", "000__probe__go")
    for step in (entry, go):
        record.start(step)
    record.end(go, Status.PASSED)
    record.end(entry, Status.FAILED)
    lines = [json.loads(line) for line in (earlier / "_steps.jsonl").read_text().splitlines()]
    lines[1]["start"], lines[2]["end"] = "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"
    (earlier / "_steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    plan = read_plan(small_plan, Durations.of(tmp_path, "probe"))
    (outermost,) = plan.steps
    assert plan.runs == 1
    assert [node.estimate for node in outermost.steps] == [None, 90, None, None, None]
    assert (outermost.estimate, plan.estimate) == (90, 90)
    assert "It takes at least 90.0s, by 1 earlier run; 1 step is not in them.\n" in write(plan)


def test_a_deletion_is_counted(plan_root: Path) -> None:
    directory = env.claim_directory("probe__clean")
    with StepScope("command", "probe clean", directory=directory):
        planned.append(directory, PlannedTask("A", "a", "p", does="delete Namespace n", verb="delete"))
    assert ": 1 toolbox command, 1 deletion; nothing was run.\n" in write(
        read_plan(plan_root, Durations.of(plan_root, "probe"))
    )


def test_an_entrypoint_is_planned_with_no_network_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "artifacts").mkdir()
    with listener() as (port, connections):
        (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(port=port))
        done = subprocess.run(
            [sys.executable, "projects/skeleton/testing/test.py", "prepare_ci", "--plan", "--json"],
            cwd=ROOT,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("FORESAIL_")},
                "KUBECONFIG": str(tmp_path / "kubeconfig"),
                "ARTIFACT_DIR": str(tmp_path / "artifacts"),
                "TMPDIR": str(tmp_path / "tmp"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert connections == []
    assert list((tmp_path / "artifacts").iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    names = [node["name"] for node in _nodes(json.loads(done.stdout))]
    assert "server deploy_redis_server" in names
    assert done.stderr == ""
