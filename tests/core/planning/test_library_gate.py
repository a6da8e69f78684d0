"""What the library does in a plan: nothing that could be seen from outside."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.core.cluster.api import Cluster, Target
from projects.core.library import commands, config, env, export, plans, run
from projects.core.planning import forgiving
from projects.core.planning.needs import needs
from projects.core.planning.questions import MayDo
from projects.core.planning.tree import read_plan
from projects.core.record import attempts, context
from projects.core.record.plan_notes import read_notes
from projects.core.record.steps import Record, read_steps
from projects.core.toolbox import specification
from projects.core.values.errors import UnknownValue
from projects.core.values.outcomes import Status
from projects.core.values.redaction import MASK
from projects.core.values.unknown import unknowns
from tests.core.library.played_host import PlayedHost
from tests.core.trees import write_group


def test_a_shell_command_is_a_step_and_starts_nothing(plan_root: Path, tmp_path: Path) -> None:
    done = run.run(f"touch {tmp_path}/trace", capture_stdout=True, cwd="/", timeout=7)
    assert list(tmp_path.iterdir()) == []
    assert (done.returncode, done.stderr) == (0, None)
    assert unknowns(done.stdout) == [f"stdout of `touch {tmp_path}/trace`"]
    (step,) = read_steps(plan_root)
    assert (step.kind, step.status) == ("shell", Status.PLANNED)
    assert step.arguments == {"command": f"touch {tmp_path}/trace", "cwd": "/", "timeout": 7}


def test_what_is_handed_out_and_decided_is_noted_in_its_step(plan_root: Path) -> None:
    with env.NextArtifactDir("outer"):
        answer = run.run("id", capture_stdout=True).stdout
        run.run("true", check=False)
        if answer == "root":
            raise AssertionError
    outer, first, second = read_steps(plan_root)
    assert [(note.kind, note.what, note.step) for note in read_notes(plan_root)] == [
        ("unknown", "stdout of `id`", first.id),
        ("unknown", "exit code of `true`", second.id),
        ("decision", "stdout of `id`", outer.id),
    ]


def test_nothing_is_written_outside_of_the_plan(plan_root: Path, tmp_path: Path) -> None:
    with env.TempArtifactDir(tmp_path / "elsewhere"):
        (env.ARTIFACT_DIR / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []
    assert (plan_root / "elsewhere" / "file").exists()


def test_the_cluster_is_not_asked_from_whichever_thread(plan_root: Path) -> None:
    errors: list[Exception] = []

    def ask() -> None:
        try:
            Cluster().get(Target("Namespace", "v1", "default"))
        except UnknownValue as error:
            errors.append(error)

    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert [str(error) for error in errors] == ["the state of the cluster is known to a real run only"] * 2


def test_what_code_would_write_to_the_cluster_is_told_and_asked_for(plan_root: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "planted-1c9d"}}
    with env.NextArtifactDir("d"):
        cluster = Cluster()
        assert cluster.apply(secret, namespace="n").after == secret
        cluster.patch(Target("Pod", "v1", "p", "n"), {"spec": {"x": 1}}, subresource="status")
        assert cluster.delete(Target("Namespace", "v1", "n")) is not None
    (node,) = read_plan(plan_root).steps
    assert [task.does for task in node.tasks] == ["apply Secret n/s", "patch Pod n/p", "delete Namespace n"]
    assert node.tasks[0].manifests[0]["stringData"] == {"key": MASK}
    assert [each for each in needs(read_plan(plan_root)) if isinstance(each, MayDo)] == [
        MayDo("patch", "Secret", "v1", "s", "n", None),
        MayDo("create", "Secret", "v1", None, "n", None),
        MayDo("patch", "Pod", "v1", "p", "n", "status"),
        MayDo("delete", "Namespace", "v1", "n", None, None),
    ]
    assert all(b"planted-1c9d" not in path.read_bytes() for path in plan_root.rglob("*") if path.is_file())


def test_an_export_is_told_and_not_done(plan_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OPENSHIFT_CI", "true")
    monkeypatch.setenv("BUILD_ID", "12")
    monkeypatch.setenv("JOB_NAME", "nightly")
    settings = {"enabled": True, "bucket": "b", "path_prefix": "p"}
    with config.use(_Played({"export_artifacts": settings})):  # type: ignore[arg-type]
        assert export.export_artifacts(plan_root) == "https://b.s3.amazonaws.com/index.html#p/prow/nightly/12/"
    (note,) = read_notes(plan_root)
    assert (note.kind, note.what) == ("effect", f"copy {plan_root} to s3://b/p/prow/nightly/12")


class _Played:
    """A configuration of one key."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def get_config(self, key: str, *_: Any, **__: Any) -> Any:
        return self._values[key]


def test_a_branch_that_depends_on_what_is_not_known_costs_the_others_nothing(plan_root: Path) -> None:
    def needs() -> None:
        int(run.run("date", capture_stdout=True).stdout)

    def other() -> None:
        run.run("later")

    def work() -> None:
        with run.Parallel("both") as parallel:
            parallel.delayed(needs)
            parallel.delayed(other)
        run.run("at last")

    assert forgiving(work)() is None
    steps = read_steps(plan_root)
    assert [step.arguments["command"] for step in steps if step.kind == "shell"] == ["date", "later", "at last"]
    (failed,) = [step for step in steps if step.status == Status.FAILED]
    assert failed.name == "needs"


def test_a_failure_before_anything_unknown_is_the_orchestration_s_own(plan_root: Path) -> None:
    def fails() -> None:
        with env.NextArtifactDir("d"):
            raise KeyError("wrong")

    with pytest.raises(KeyError):
        forgiving(fails)()
    (node,) = read_plan(plan_root).steps
    assert node.failure == "'wrong'"


def _by_number() -> None:
    int(run.run("date", capture_stdout=True).stdout)


def _by_key() -> None:
    known: dict[str, int] = {}
    known[f"{run.run('id', capture_stdout=True).stdout}"] += 1


def _by_decision() -> None:
    run.run("other", capture_stdout=True)
    if run.run("id", capture_stdout=True).stdout.split()[0] != "x":
        raise RuntimeError


def _by_file() -> None:
    (env.ARTIFACT_DIR / "result").read_text()


def _by_cluster() -> None:
    Cluster().get(Target("Namespace", "v1", "default"))


@pytest.mark.parametrize(
    ("fails", "depends"),
    [
        (_by_number, ["stdout of `date`"]),
        (_by_key, ["stdout of `id`"]),
        (_by_decision, ["stdout of `id`"]),
        (_by_file, ["the file $ARTIFACT_DIR/000__d/result"]),
        (_by_cluster, ["the state of the cluster"]),
    ],
)
def test_a_failure_by_what_is_not_known_says_by_what(
    plan_root: Path, fails: Callable[[], object], depends: list[str]
) -> None:
    def work() -> None:
        with env.NextArtifactDir("d"):
            fails()

    assert forgiving(work)() is None
    (node,) = read_plan(plan_root).steps
    assert (node.depends_on, node.failure) == (depends, "")


@pytest.mark.parametrize(
    "fails", [lambda: run.run_toolbox("cluster", "no_such_command"), lambda: run.run_toolbox("cluster", "set_scale")]
)
def test_a_wrong_argument_is_a_mistake_whatever_is_not_known(plan_root: Path, fails: Callable[[], object]) -> None:
    def work() -> None:
        with env.NextArtifactDir("d"):
            run.run("id", capture_stdout=True)
            fails()

    with pytest.raises(ValueError, match="cluster"):
        forgiving(work)()


TREES = st.recursive(
    st.just("command"),
    lambda inner: st.tuples(st.sampled_from(["directory", "parallel"]), st.lists(inner, max_size=3)),
    max_leaves=8,
)


def _orchestrate(tree: Any, label: str = "0") -> None:
    """Run what a tree says: commands, in directories and branches."""
    if tree == "command":
        run.run_toolbox("car", "go", driver=f"d{label}")
        return
    kind, members = tree
    if kind == "directory":
        with env.NextArtifactDir("inner"):
            for number, member in enumerate(members):
                _orchestrate(member, f"{label}-{number}")
    else:
        with run.Parallel("both") as parallel:
            for number, member in enumerate(members):
                parallel.delayed(_orchestrate, member, f"{label}-{number}")


def _shape(root: Path) -> list[Any]:
    """Return the record as order and nesting: branches by their index, everything else by its start."""
    steps = read_steps(root)
    paths = attempts.paths(steps)
    said = {step.id: (paths[step.id], step.directory, step.arguments) for step in steps}
    children: dict[str | None, list[Any]] = {}
    for step in steps:
        children.setdefault(step.parent, []).append(step)

    def nested(parent: str | None) -> list[Any]:
        inside = children.get(parent, [])
        if inside and inside[0].kind == "branch":
            inside = sorted(inside, key=lambda step: step.occurrence)
        return [(said[step.id], nested(step.id)) for step in inside]

    return nested(None)


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayedHost:
    host = PlayedHost()
    body = '''
        @command
        def go(self, driver: str) -> None:
            """Go there."""
        '''
    write_group(tmp_path, "car", body, roles={"go": "- name: Go\n  debug:\n"})
    monkeypatch.setattr(commands, "HOST", host)
    monkeypatch.setattr(commands, "specify", lambda group, name: specification.specify(group, name, root=tmp_path))
    return host


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES)
def test_a_plan_has_the_order_and_nesting_of_the_run(
    nowhere: None, played: PlayedHost, tmp_path_factory: pytest.TempPathFactory, tree: Any
) -> None:
    root = tmp_path_factory.mktemp("run")
    token = context.enter(context.Place(Record(root), root))
    try:
        _orchestrate(tree)
    finally:
        context.leave(token)
    with plans.standing_in_a_plan(None) as planned_root:
        _orchestrate(tree)
        planned = _shape(planned_root)
    ran = _shape(root)
    assert _without_numbers(planned) == _without_numbers(ran)


def _without_numbers(shape: list[Any]) -> list[Any]:
    """Leave the numbers of directories out that branches of one `Parallel` claim as they come."""
    return [((path, arguments), _without_numbers(inside)) for (path, _, arguments), inside in shape]


def test_a_command_takes_what_is_not_known_and_decides_nothing_by_it(plan_root: Path, played: PlayedHost) -> None:
    run.run_toolbox("car", "go", driver=run.run("whoami", capture_stdout=True).stdout.strip())
    assert [note.kind for note in read_notes(plan_root)] == ["unknown"]
    (_, command) = read_steps(plan_root)
    assert command.arguments == {"driver": "<unknown: stdout of `whoami`>"}
    (request,) = played.requests
    assert request.environment["FORESAIL_PLAN"] == "1"


def test_what_is_not_known_can_be_written_as_yaml(plan_root: Path) -> None:
    answer = run.run("whoami", capture_stdout=True).stdout
    assert yaml.safe_load(yaml.safe_dump({"user": answer})) == {"user": "<unknown: stdout of `whoami`>"}


def test_a_secret_is_handed_out_without_its_file(
    plan_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROBE_SECRETS", raising=False)
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.setattr(config, "_process", [])
    token = contextvars.copy_context().run(_read_token, tmp_path)
    assert unknowns(token) == ["the secret probe.token"]
    assert [(note.kind, note.what) for note in read_notes(plan_root)] == [
        ("secret", "$PROBE_SECRETS/acc.token"),
        ("unknown", "the secret probe.token"),
    ]


CONFIG = """
ci_presets: {name: null, names: [], to_apply: [], variable_overrides: {}}
secrets: {dir: {name: probe, env_key: PROBE_SECRETS}, token_file: acc.token}
probe: {token: "*$@secrets.token_file"}
"""


def _read_token(directory: Path) -> str:
    config.init(directory)
    return str(config.project.get_config("probe.token", handled_secretly=True))
