"""`testing/run` in a checkout of its own: only where projects are looked for is changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from projects.core.record.steps import read_steps
from projects.core.values.checkout import ROOT
from tests.core.execution.waiting import running, wait_for, wait_for_file

LAUNCHER = """
import sys
from pathlib import Path
from projects.core.cli import ci_run
ci_run.ROOT = Path(sys.argv.pop(1))
sys.exit(ci_run.main(sys.argv))
"""
TEST = '''#!/usr/bin/env python3
import os, signal, subprocess, sys, time
from pathlib import Path
from projects.core.library import env, run
from projects.core.library.entrypoint import entrypoint, main

OUT = Path(os.environ["PROBE_OUT"])
LAUNCHER = os.environ["PROBE_LAUNCHER"]

@entrypoint()
def passes(text: str = "") -> None:
    """Pass."""
    with env.NextArtifactDir("alpha"):
        print(f"said {text}")

@entrypoint()
def fails() -> None:
    """Fail."""
    with env.NextArtifactDir("alpha"):
        raise ValueError("on purpose")

@entrypoint()
def dies() -> None:
    """Die before the end."""
    with env.NextArtifactDir("alpha"):
        os.kill(os.getpid(), signal.SIGKILL)

@entrypoint()
def sleeps() -> None:
    """Sleep."""
    try:
        with env.NextArtifactDir("alpha"):
            (OUT / "up").write_text("up\\n")
            run.run(f"sleep 300 | cat; : {os.environ['PROBE_MARKER']}")
    finally:
        (OUT / "cleaning").write_text("up\\n")
        time.sleep(0.5)
        (OUT / "cleaned").write_text("up\\n")

@entrypoint()
def nested() -> None:
    """Call testing/run from a step."""
    with env.NextArtifactDir("around"):
        run.run(f"{sys.executable} -c \\"$PROBE_LAUNCHER\\" {Path(__file__).parents[3]} probe test fails")

@entrypoint()
def leaves() -> None:
    """Leave a process behind that holds our output."""
    with env.NextArtifactDir("alpha"):
        child = subprocess.Popen(["sleep", "300"])
        (OUT / "left").write_text(f"{child.pid}\\n")
        print("the last word")

@entrypoint()
def nested_death() -> None:
    """Call testing/run from a step, and look at what it exits with."""
    with env.NextArtifactDir("around"):
        command = [sys.executable, "-c", LAUNCHER, str(Path(__file__).parents[3]), "probe", "test", "dies"]
        done = subprocess.run(command, env={**os.environ, **env.child_environment()})
        (OUT / "code").write_text(f"{done.returncode}\\n")

sys.exit(main(passes, fails, dies, sleeps, nested, leaves, nested_death))
'''


class Checkout:
    """A checkout with the project `probe`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        testing = root / "projects" / "probe" / "testing"
        testing.mkdir(parents=True)
        (testing / "config.yaml").write_text("probe: {}\n")
        (testing / "test.py").write_text(TEST)
        (testing / "test.py").chmod(0o755)
        (testing / "script.sh").write_text('#!/bin/sh\necho "shell $1 $ARTIFACT_DIR"; exit "$2"\n')
        (testing / "script.sh").chmod(0o755)
        self.artifacts = root / "artifacts"

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.root),
            "ARTIFACT_DIR": str(self.artifacts),
            "PROBE_OUT": str(self.root),
            "PROBE_LAUNCHER": LAUNCHER,
            "CI": "true",
            **environment,
        }
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(self.root), *words],
            env=environment,
            cwd=self.root,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        with self.start(*words, **environment) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize("file", ["test", "test.py"])
def test_an_orchestration_is_run_with_its_log_and_its_marks(checkout: Checkout, file: str) -> None:
    code, out, err = checkout.run("probe", file, "passes", "--text=4.10")
    assert code == 0, err
    assert "said 4.10" in out
    log = (checkout.artifacts / "run.log").read_text()
    assert "said 4.10" in log
    assert "projects/probe/testing/test.py passes --text=4.10" in log
    names = {path.name for path in checkout.artifacts.iterdir()}
    assert {"STARTED", "FINISHED", "foresail.git_version", "junit_foresail.xml", "_steps.jsonl"} <= names


def test_it_exits_as_the_orchestration(checkout: Checkout) -> None:
    assert checkout.run("probe", "test", "fails")[0] == 1
    assert (checkout.artifacts / "FAILURES").exists()


def test_a_shell_script_is_an_orchestration_too(checkout: Checkout) -> None:
    code, out, _ = checkout.run("probe", "script", "word", "5")
    assert f"shell word {checkout.artifacts}" in out
    assert code != 0
    assert (checkout.artifacts / "FINISHED").exists()


def test_a_directory_with_earlier_failures_is_refused(checkout: Checkout) -> None:
    checkout.run("probe", "test", "fails")
    before = (checkout.artifacts / "_steps.jsonl").read_text()
    code, _, err = checkout.run("probe", "test", "passes")
    assert code == 2
    assert "FAILURES of an earlier run" in err
    assert (checkout.artifacts / "_steps.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected a project and a file"),
        (["probe"], "expected a project and a file"),
        (["prob", "test", "passes"], "did you mean 'probe'?"),
        (["probe", "tset", "passes"], "did you mean 'test'?"),
        (["probe", "test", "pases"], "did you mean 'passes'?"),
        (["probe", "test"], "expected an entrypoint"),
        (["../probe", "test"], "unknown project '../probe'"),
    ],
)
def test_a_wrong_line_is_refused_with_the_nearest_match(checkout: Checkout, words: list[str], said: str) -> None:
    code, out, err = checkout.run(*words)
    assert code == 2
    assert said in out + err
    assert "Traceback" not in out + err
    assert not (checkout.artifacts / "_steps.jsonl").exists()


def test_help_lists_what_can_be_run(checkout: Checkout) -> None:
    code, out, err = checkout.run("--help")
    assert (code, err) == (0, "")
    assert "probe test" in out
    assert "probe script" in out
    assert not checkout.artifacts.exists()


def test_in_ci_the_artifact_directory_must_be_given(checkout: Checkout) -> None:
    code, _, err = checkout.run("probe", "test", "passes", ARTIFACT_DIR="", OPENSHIFT_CI="true")
    assert code == 2
    assert "ARTIFACT_DIR is not set" in err


def test_what_a_killed_orchestration_could_not_write_is_written_for_it(checkout: Checkout) -> None:
    code, _, _ = checkout.run("probe", "test", "dies")
    assert code != 0
    for name in ("FINISHED", "FAILURES", "junit_foresail.xml"):
        assert (checkout.artifacts / name).exists(), name


def test_a_call_from_a_step_is_a_part_of_the_run(checkout: Checkout) -> None:
    code, _, err = checkout.run("probe", "test", "nested")
    assert code == 1
    steps = {step.name: step for step in read_steps(checkout.artifacts)}
    assert steps["fails"].parent == steps["around"].id, err
    inner = checkout.artifacts / "000__around"
    assert not [name for name in ("STARTED", "FINISHED", "run.log") if (inner / name).exists()]


def test_a_process_that_an_orchestration_leaves_behind_is_not_waited_for(checkout: Checkout) -> None:
    with checkout.start("probe", "test", "leaves") as process:
        left = int(wait_for_file(checkout.root / "left"))
        try:
            assert process.wait(100) == 0
            assert "the last word" in (checkout.artifacts / "run.log").read_text()
        finally:
            os.kill(left, signal.SIGKILL)
            process.communicate(timeout=100)


def test_a_call_from_a_step_that_a_signal_ends_exits_as_a_shell_says_it(checkout: Checkout) -> None:
    checkout.run("probe", "test", "nested_death")
    assert wait_for_file(checkout.root / "code") == "137"


@pytest.mark.parametrize("whole_group", [False, True], ids=["to testing/run", "to the terminal's group"])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_handed_on_once_and_the_clean_up_is_waited_for(
    checkout: Checkout, signum: signal.Signals, code: int, whole_group: bool
) -> None:
    marker = f"probe-{uuid.uuid4().hex}"
    with checkout.start("probe", "test", "sleeps", PROBE_MARKER=marker) as process:
        wait_for_file(checkout.root / "up")
        wait_for(lambda: running(marker), "the child")
        if whole_group:
            os.killpg(process.pid, signum)
        else:
            process.send_signal(signum)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert (checkout.root / "cleaned").exists()
    assert (checkout.artifacts / "FINISHED").exists()
    assert running(marker) == []


def test_a_pull_request_without_its_directives_is_refused(tmp_path: Path) -> None:
    environment = {"ARTIFACT_DIR": str(tmp_path), "OPENSHIFT_CI": "true", "JOB_TYPE": "presubmit"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "testing" / "run"), "skeleton", "test", "generate_plots_from_pr_args"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 2
    assert "variable_overrides.yaml" in done.stderr
    assert not (tmp_path / "STARTED").exists()


def test_it_runs_where_there_is_no_git(checkout: Checkout) -> None:
    code, _, err = checkout.run("probe", "test", "passes", "--text=x", PATH=str(checkout.root))
    assert code == 0, err
    assert "no git" in (checkout.artifacts / "foresail.git_version").read_text()


def test_an_artifact_directory_that_cannot_be_made_is_a_wrong_use(checkout: Checkout) -> None:
    checkout.artifacts.write_text("in the way\n")
    code, _, err = checkout.run("probe", "test", "passes", "--text=x")
    assert code == 2
    assert "the artifact directory cannot be made" in err
    assert "Traceback" not in err
