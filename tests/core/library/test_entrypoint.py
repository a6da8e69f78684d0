"""Entrypoints through `main`, as processes of a small orchestration in a project of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import uuid
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from projects.core.record.steps import Step, read_steps
from projects.core.values.checkout import ROOT
from tests.core.execution.waiting import running, wait_for, wait_for_file

PROLOGUE = """
from __future__ import annotations

import enum, os, subprocess, sys, threading, time
from pathlib import Path
from typing import Literal

from projects.core.library import config, env, run
from projects.core.library.entrypoint import entrypoint, main
from projects.core.values.errors import InfrastructureError, TimedOut, UsageError

OUT = Path(os.environ["PROBE_OUT"])

def put(name, text="done"):
    (OUT / name).write_text(f"{text}\\n")
"""
ORCHESTRATION = '''
class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@entrypoint()
def takes(text: str, count: int = 1, *, flag: bool = False, size: Size = Size.SMALL, mode: Literal["a", "b"] = "a") -> None:
    """Take some arguments.

    Args:
      text: A text.
      count: A number.
    """
    put("takes", repr((text, count, flag, size.value, mode)))
    with env.NextArtifactDir("took"):
        pass


@entrypoint()
def passes() -> None:
    """Pass."""
    with env.NextArtifactDir("alpha") as directory:
        run.run("echo from-alpha")


@entrypoint()
def fails() -> None:
    """Fail."""
    with env.NextArtifactDir("failing"):
        print("said before the end")
        raise RuntimeError("the reason-4711")


@entrypoint()
def nothing() -> None:
    """Record no step."""


@entrypoint(may_be_empty=True)
def cleanup() -> None:
    """Record no step, which is fine."""


@entrypoint()
def inner(text: str = "default") -> str:
    """Be called."""
    with env.NextArtifactDir("of_inner"):
        return f"{text} returned"


@entrypoint()
def calls() -> None:
    """Call another entrypoint."""
    put("calls", inner("argument"))


@entrypoint()
def calls_nothing() -> None:
    """Call another entrypoint that records no step."""
    nothing()


@entrypoint()
def returns(what: str) -> int | bool | str | None:
    """Return something."""
    with env.NextArtifactDir("step"):
        return {"0": 0, "3": 3, "77": 77, "true": True, "false": False, "text": "text", "none": None}[what]


@entrypoint()
def leaves(what: str) -> None:
    """Leave the process."""
    with env.NextArtifactDir("step"):
        sys.exit({"0": 0, "3": 3, "reason": "a reason to leave"}[what])


@entrypoint()
def raises(kind: str) -> None:
    """Raise a typed error."""
    with env.NextArtifactDir("step"):
        raise {"usage": UsageError, "infrastructure": InfrastructureError, "late": TimedOut, "other": ValueError}[kind](
            f"what {kind} says"
        )


@entrypoint()
def swallows() -> None:
    """Swallow the error of a step."""
    try:
        with env.NextArtifactDir("step"):
            raise TimedOut("late")
    except TimedOut:
        pass


@entrypoint()
def sleeps() -> None:
    """Sleep until somebody interrupts."""
    try:
        with env.NextArtifactDir("sleeping"):
            put("up")
            run.run(f"sleep 300 | cat; : {os.environ['PROBE_MARKER']}")
    finally:
        with env.NextArtifactDir("in_finally"):
            time.sleep(0.3)
            put("finally")


def plain() -> None:
    """Be a function without a declaration."""
    put("plain")


if __name__ == "__main__":
    sys.exit(main(takes, passes, fails, nothing, cleanup, inner, calls, calls_nothing, returns, leaves, raises, swallows, sleeps))
'''


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    root: Path
    put: Path

    def steps(self) -> dict[str, Step]:
        return {step.name: step for step in read_steps(self.root)}

    def wrote(self, name: str) -> str | None:
        path = self.put / name
        return path.read_text().rstrip("\n") if path.exists() else None


class Orchestration:
    """A test.py in a project of its own, run as a process."""

    def __init__(self, directory: Path, body: str = ORCHESTRATION, config: str = "probe: {}\n") -> None:
        self.directory = directory
        self.script = directory / "projects" / "probe" / "testing" / "test.py"
        self.script.parent.mkdir(parents=True)
        self.script.write_text(PROLOGUE + textwrap.dedent(body), encoding="utf-8")
        (self.script.parent / "config.yaml").write_text(config, encoding="utf-8")
        self.count = 0

    def start(self, *words: str, **environment: str) -> tuple[subprocess.Popen[str], Path, Path]:
        self.count += 1
        root, put = self.directory / f"run{self.count}", self.directory / f"put{self.count}"
        put.mkdir()
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "ARTIFACT_DIR": str(root),
            "PROBE_OUT": str(put),
            "CI": "true",
            "LC_ALL": "C.UTF-8",
            **environment,
        }
        argv = [sys.executable, "-W", "error::ResourceWarning", str(self.script), *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=environment, stdout=pipe, stderr=pipe, text=True), root, put

    def run(self, *words: str, **environment: str) -> Done:
        process, root, put = self.start(*words, **environment)
        with process:
            out, err = process.communicate(timeout=60)
        return Done(process.returncode, out, err, root, put)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Orchestration:
    return Orchestration(tmp_path_factory.mktemp("orchestration"))


def test_a_passing_entrypoint_leaves_its_marks(probe: Orchestration) -> None:
    done = probe.run("passes")
    assert done.code == 0, done.err
    steps = done.steps()
    assert (steps["passes"].kind, steps["passes"].parent, steps["passes"].directory) == ("entrypoint", None, ".")
    assert (steps["alpha"].parent, steps["alpha"].status) == (steps["passes"].id, "passed")
    assert "from-alpha" in done.out
    assert (done.root / "FINISHED").read_text().startswith("Test of 'passes' succeeded")
    assert not (done.root / "FAILURES").exists()
    assert list(ET.parse(done.root / "junit_foresail.xml").getroot().iter("testcase"))


def test_a_failing_entrypoint_leaves_its_marks(probe: Orchestration) -> None:
    done = probe.run("fails")
    assert done.code == 1
    assert {name: step.status for name, step in done.steps().items()} == {"fails": "failed", "failing": "failed"}
    for name in ("FAILURES", "FAILURE", "000__failing/FAILURE"):
        assert "RuntimeError: the reason-4711" in (done.root / name).read_text()
    assert "said before the end" in (done.root / "000__failing" / "FAILURE").read_text()
    assert "the reason-4711" in done.err
    assert (done.root / "FINISHED").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected an entrypoint"),
        (["tkaes"], "did you mean 'takes'?"),
        (["--flag"], "unknown entrypoint"),
        (["takes"], "missing argument text"),
        (["takes", "x", "--count=many"], "count: expected int, found 'many'"),
        (["takes", "x", "--cuont=1"], "--cuont"),
        (["takes", "x", "1", "surplus"], "surplus argument 'surplus'"),
        (["takes", "x", "--size=medium"], "expected one of small, large"),
        (["takes", "x", "--mode=c"], "expected one of a, b"),
        (["passes", "--unknown"], "unknown argument --unknown"),
        (["passes", "extra"], "surplus argument 'extra'"),
    ],
)
def test_a_wrong_line_is_refused_before_anything_happens(probe: Orchestration, words: list[str], said: str) -> None:
    done = probe.run(*words)
    assert done.code == 2
    assert said in done.err
    assert "usage:" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert not done.root.exists()
    assert list(done.put.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["takes", "4.10"], ("4.10", 1, False, "small", "a")),
        (["takes", "--text=None", "--count=7", "--flag"], ("None", 7, True, "small", "a")),
        (["takes", "1e3", "007", "--noflag", "--size=large", "--mode", "b"], ("1e3", 7, False, "large", "b")),
        (["takes", '--text=it\'s "x"\n{{ y }} $HOME'], ('it\'s "x"\n{{ y }} $HOME', 1, False, "small", "a")),
    ],
)
def test_arguments_are_bound_by_their_annotations(
    probe: Orchestration, words: list[str], taken: tuple[object, ...]
) -> None:
    done = probe.run(*words)
    assert done.code == 0, done.err
    assert done.wrote("takes") == repr(taken)
    assert done.steps()["takes"].arguments["text"] == taken[0]


def test_dashes_and_underscores_are_the_same(probe: Orchestration) -> None:
    assert "recorded no step" in probe.run("calls-nothing").err


def test_help_lists_the_entrypoints_and_runs_nothing(probe: Orchestration) -> None:
    done = probe.run("--help")
    assert (done.code, done.err) == (0, "")
    assert "takes" in done.out
    assert "Take some arguments." in done.out
    assert not done.root.exists()


def test_help_of_an_entrypoint_shows_its_arguments(probe: Orchestration) -> None:
    done = probe.run("takes", "--help")
    assert (done.code, done.err) == (0, "")
    assert "A number." in done.out
    assert not done.root.exists()


@pytest.mark.parametrize("verb", ["nothing", "calls_nothing"])
def test_an_entrypoint_in_which_nothing_ran_has_not_passed(probe: Orchestration, verb: str) -> None:
    done = probe.run(verb)
    assert done.code == 1
    assert "nothing ran" in done.err
    assert (done.root / "FAILURES").exists()


def test_a_cleanup_may_find_nothing_to_do(probe: Orchestration) -> None:
    done = probe.run("cleanup")
    assert (done.code, done.steps()["cleanup"].status) == (0, "passed")


def test_one_entrypoint_calls_another_which_is_a_step_of_it(probe: Orchestration) -> None:
    done = probe.run("calls")
    steps = done.steps()
    assert (done.code, done.wrote("calls")) == (0, "argument returned")
    assert steps["inner"].parent == steps["calls"].id
    assert steps["of_inner"].parent == steps["inner"].id
    assert steps["inner"].arguments == {"text": "argument"}


@pytest.mark.parametrize(
    ("what", "code"), [("0", 0), ("3", 3), ("77", 1), ("true", 1), ("false", 0), ("text", 0), ("none", 0)]
)
def test_an_int_that_is_returned_is_the_exit_code(probe: Orchestration, what: str, code: int) -> None:
    done = probe.run("returns", what)
    assert done.code == code
    assert (done.root / "FAILURES").exists() == bool(code)


@pytest.mark.parametrize(("what", "code"), [("0", 0), ("3", 3), ("reason", 1)])
def test_leaving_the_process_ends_the_run_in_order(probe: Orchestration, what: str, code: int) -> None:
    done = probe.run("leaves", what)
    assert done.code == code
    assert (done.root / "FINISHED").exists()
    if what == "reason":
        assert "a reason to leave" in done.err


@pytest.mark.parametrize(("kind", "code"), [("usage", 2), ("infrastructure", 3), ("late", 4), ("other", 1)])
def test_typed_errors_have_their_exit_codes(probe: Orchestration, kind: str, code: int) -> None:
    done = probe.run("raises", kind)
    assert done.code == code
    assert f"what {kind} says" in done.err
    assert ("Traceback" in done.err) == (kind == "other")


def test_the_worst_recorded_outcome_counts_although_it_was_swallowed(probe: Orchestration) -> None:
    assert probe.run("swallows").code == 4


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interruption_cleans_up_and_leaves_its_marks(
    probe: Orchestration, signum: signal.Signals, code: int
) -> None:
    marker = f"probe-{uuid.uuid4().hex}"
    process, root, put = probe.start("sleeps", PROBE_MARKER=marker)
    with process:
        wait_for_file(put / "up")
        wait_for(lambda: running(marker), "the child")
        process.send_signal(signum)
        _, err = process.communicate(timeout=100)
    assert process.returncode == code, err
    assert (put / "finally").exists()
    assert running(marker) == []
    steps = {step.name: step.status for step in read_steps(root)}
    assert steps == {"sleeps": "interrupted", "sleeping": "interrupted", "in_finally": "passed"}
    for name in ("FINISHED", "FAILURES", "junit_foresail.xml"):
        assert (root / name).exists(), name


def test_what_exec_list_leaves_out_is_skipped(tmp_path: Path) -> None:
    config = "exec_list: {passes: false}\n"
    done = Orchestration(tmp_path, config=config).run("passes")
    assert done.code == 0, done.err
    assert done.steps()["passes"].status == "skipped"
    assert "passes" in (done.root / "SKIPPED").read_text()
    assert "alpha" not in done.steps()


def test_a_wrong_configuration_is_refused_before_the_entrypoint(tmp_path: Path) -> None:
    config = "probe: {key: 1}\nci_presets:\n  wrong: {probe.kye: 2}\n"
    done = Orchestration(tmp_path, config=config).run("passes")
    assert done.code == 2
    assert "probe.kye" in done.err
    assert "Traceback" not in done.err
    assert "alpha" not in done.steps()


def test_a_class_of_verbs_is_taken_like_functions(tmp_path: Path) -> None:
    body = '''
    @entrypoint()
    def go(count: int = 1) -> None:
        """Go."""
        with env.NextArtifactDir("went"):
            put("go", repr(count))

    class Entrypoint:
        """Commands."""

        def __init__(self):
            self.go_ci = go
            self.value = 3

    sys.exit(main(Entrypoint))
    '''
    probe = Orchestration(tmp_path, body)
    assert probe.run("go_ci", "--count=5").wrote("go") == "5"
    assert probe.run("value").code == 2
    assert probe.run("go_ci", "--count=x").code == 2


def test_the_boilerplate_of_topsail_runs(tmp_path: Path) -> None:
    body = '''
    import fire, functools, logging

    TESTING_THIS_DIR = Path(__file__).absolute().parent

    initialized = False
    def init(ignore_secret_path=True, apply_preset_from_pr_args=True):
        global initialized
        if initialized:
            return
        initialized = True
        env.init()
        config.init(TESTING_THIS_DIR, apply_preset_from_pr_args)

    def entrypoint(ignore_secret_path=False, apply_preset_from_pr_args=True):
        def decorator(fct):
            @functools.wraps(fct)
            def wrapper(*args, **kwargs):
                init(ignore_secret_path, apply_preset_from_pr_args)
                return fct(*args, **kwargs)
            return wrapper
        return decorator

    @entrypoint()
    def go(count=1):
        """Go."""
        with env.NextArtifactDir("went"):
            run.run(f"echo {config.project.get_config('probe.value')} > {env.ARTIFACT_DIR}/value")
            if count != 1:
                raise subprocess.CalledProcessError(3, "the command")

    class Entrypoint:
        def __init__(self):
            self.go = go

    def main():
        fire.core.Display = lambda lines, out: print(*lines, file=out)
        fire.Fire(Entrypoint())

    if __name__ == "__main__":
        try:
            sys.exit(main())
        except subprocess.CalledProcessError as e:
            logging.error(f"Command '{e.cmd}' failed --> {e.returncode}")
            sys.exit(1)
    '''
    probe = Orchestration(tmp_path, body, "probe: {value: kept}\n")
    done = probe.run("go")
    assert done.code == 0, done.err
    assert (done.root / "000__went" / "value").read_text() == "kept\n"
    failed = probe.run("go", "--count=2")
    assert (failed.code, "failed --> 3" in failed.err) == (1, True)
    assert "CalledProcessError" in (failed.root / "000__went" / "FAILURE").read_text()


def test_a_secret_reaches_neither_console_nor_artifacts(tmp_path: Path) -> None:
    body = '''
    from projects.core.values.redaction import REDACTOR
    SECRET = "2retnuh"[::-1] + "-d41d8cd9"

    @entrypoint()
    def leak() -> None:
        """Leak in every ordinary way."""
        import logging
        REDACTOR.register(SECRET)
        with env.NextArtifactDir("leaks"):
            print(SECRET, flush=True)
            logging.getLogger("probe").warning("logged %s", SECRET)
            run.run(f"echo {SECRET}; echo {SECRET} >&2")
            raise RuntimeError(f"with {SECRET}")

    sys.exit(main(leak))
    '''
    done = Orchestration(tmp_path, body).run("leak")
    assert done.code == 1
    written = [path.read_text(errors="replace") for path in done.root.rglob("*") if path.is_file()]
    assert not [text for text in (*written, done.out, done.err) if "hunter2" in text]


def test_runs_in_one_directory_are_judged_each_by_its_own(probe: Orchestration) -> None:
    failed = probe.run("fails")
    passed = probe.run("passes", ARTIFACT_DIR=str(failed.root))
    assert (failed.code, passed.code) == (1, 0)
    assert "the reason-4711" in (failed.root / "FAILURES").read_text()
    assert "'passes' succeeded" in (failed.root / "FINISHED").read_text()


def test_a_child_of_a_step_is_a_part_of_its_run(tmp_path: Path) -> None:
    body = '''
    @entrypoint()
    def outer() -> None:
        """Start this script once more, from a step."""
        with env.NextArtifactDir("around"):
            run.run(f"{sys.executable} {__file__} inner; true", protect_shell=False)

    @entrypoint()
    def inner() -> None:
        """Fail in a child."""
        with env.NextArtifactDir("of_the_child"):
            raise TimedOut("too late")

    sys.exit(main(outer, inner))
    '''
    done = Orchestration(tmp_path, body).run("outer")
    steps = done.steps()
    assert steps["inner"].parent == steps["around"].id
    assert steps["of_the_child"].directory == "000__around/000__of_the_child"
    assert not (done.root / "000__around" / "FINISHED").exists()
    assert done.code == 4  # the worst recorded outcome wins


def test_a_secret_does_not_reach_the_console_through_fire(tmp_path: Path) -> None:
    body = '''
    import fire
    from projects.core.values.redaction import REDACTOR

    @entrypoint()
    def leak() -> None:
        """Print a secret."""
        REDACTOR.register("hunter2-d41d8cd9")
        with env.NextArtifactDir("leaks"):
            print("it is hunter2-d41d8cd9")

    class Entrypoint:
        def __init__(self):
            self.leak = leak

    fire.Fire(Entrypoint())
    '''
    done = Orchestration(tmp_path, body).run("leak")
    assert done.code == 0, done.err
    assert "it is ********" in done.out
    assert "hunter2" not in done.out + done.err
