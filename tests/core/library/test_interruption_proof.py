"""The proof of interruption: whatever signal comes in whatever phase, nothing is left, the clean-up was done, within the grace."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projects.core.record import compensations
from tests.core.library.orchestrations import Ended, Orchestration, processes_of
from tests.soaking import WHOLE, say

BODY = '''
import threading

from projects.core import report
from projects.core.library import config as configuration

PHASE = os.environ["PHASE"]


def hold(name):
    put(name)
    threading.Event().wait(300)


if PHASE == "config":
    load = configuration.load
    configuration.load = lambda sources: hold("up") or load(sources)

if PHASE == "report":
    write_report = report.write_report

    def slowly(*args, **kwargs):
        put("up")
        threading.Event().wait(1)
        return write_report(*args, **kwargs)

    report.write_report = slowly


def never():
    put("up")
    return False


def branches():
    with run.Parallel("both") as parallel:
        parallel.delayed(run.run, f"touch {OUT}/up; sleep 300 & setsid sleep 301 & wait")
        parallel.delayed(run.run_toolbox, "probe", "hold", flag=f"{OUT}/up-too")
        parallel.delayed(wait.wait_for, lambda: False, 300)


PHASES = {
    "python": lambda: hold("up"),
    "run": lambda: run.run(f"touch {OUT}/up; (sleep 300 | cat) & sleep 301"),
    "role": lambda: run.run_toolbox("probe", "hold", flag=f"{OUT}/up"),
    "wait": lambda: wait.wait_for(never, 300),
    "wait in a role": lambda: run.run_toolbox("probe", "wait", flag=f"{OUT}/up"),
    "parallel": branches,
    "capture": lambda: run.run_toolbox("probe", "capture", flag=f"{OUT}/up"),
    "report": lambda: None,
}


@entrypoint()
def test_ci():
    """Hold in the phase that is asked for."""
    run.post("probe", "undo", flag=str(OUT / "undone"))
    try:
        with env.NextArtifactDir("inner"):
            PHASES[PHASE]()
    finally:
        run.run(f"touch {OUT}/cleaned")


if __name__ == "__main__":
    sys.exit(main(test_ci))
'''
METHODS = '''
@command
def hold(self, flag: str) -> None:
    """Hold.

    Args:
      flag: File that is made first.
    """

@command
def wait(self, flag: str) -> None:
    """Wait for what never comes, from a server that never answers.

    Args:
      flag: File that is made first.
    """

@command
def capture(self, flag: str) -> None:
    """Capture from a server that never answers.

    Args:
      flag: File that is made first.
    """

@command
def undo(self, flag: str) -> None:
    """Undo.

    Args:
      flag: File that is made.
    """
'''
_TOUCH = """
- name: Tell that it runs
  ansible.builtin.command: {argv: [touch, "{{ probe_%s_flag }}"]}
"""
ROLES = {
    "hold": _TOUCH % "hold" + '- name: Hold\n  foresail.core.shell: {script: "sleep 300 & setsid sleep 301 & wait"}\n',
    "wait": _TOUCH % "wait"
    + "- name: Wait\n  foresail.core.wait: {kind: Pod, name: none, namespace: default, timeout: 300}\n",
    "capture": _TOUCH % "capture"
    + "- name: Capture\n  foresail.core.capture: {directory: captured, reads: [{kind: Pod, files: [pods.yaml]}]}\n",
    "undo": _TOUCH % "undo",
}
PHASES = ("config", "python", "run", "role", "wait", "wait in a role", "parallel", "capture", "report")
GRACE_S = 15.0
TAKES_S = GRACE_S if WHOLE else 60.0
"""How long the end may take: on a machine of the proof's own within the grace, beside other tests within some time."""
SECONDS = 8 if WHOLE else 20
"""The time-out of a run, in which it gets to each of its phases."""
CHOSEN = PHASES if WHOLE else ("config", "wait in a role", "parallel", "capture", "report")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Orchestration:
    return Orchestration.make(tmp_path_factory.mktemp("interruption"), BODY, methods=METHODS, roles=ROLES)


@pytest.fixture(scope="module", autouse=True)
def deaf_server(probe: Orchestration) -> Iterator[None]:
    """An API server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        path = probe.directory / "kubeconfig"
        path.write_text(
            "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],"
            f" clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}], users: [{{name: u, user: {{}}}}]}}"
        )
        probe.kubeconfig = path
        yield


@contextmanager
def held(probe: Orchestration, phase: str, *words: str) -> Iterator[tuple[Path, int, Callable[[], Ended]]]:
    """Start it and yield when it stands in the phase: the run's root, the process, and what waits for its end."""
    root = probe.fresh(phase.replace(" ", "-"))
    out = root.parent / f"out-{root.name}"
    out.mkdir()
    process = probe.start(root, "test_ci", *words, PHASE=phase, PROBE_OUT=str(out))
    flags = [out / "up", out / "up-too"] if phase == "parallel" else [out / "up"]
    deadline = time.monotonic() + 60
    while not all(flag.exists() for flag in flags):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not get to the phase"
        threading.Event().wait(0.01)
    try:
        yield root, process.pid, lambda: probe.ended(process, root)
    finally:
        process.kill()
        process.wait()


def assert_ended_well(ended: Ended, phase: str) -> None:
    out = ended.root.parent / f"out-{ended.root.name}"
    said = f"{phase}: exit {ended.code}\n{ended.out}\n{ended.err}"
    for name in ("FINISHED", "junit_foresail.xml", "report.html"):
        assert (ended.root / name).exists(), f"{name}: {said}"
    if phase != "report":
        assert (ended.root / "FAILURES").exists(), said
        suite = ET.parse(ended.root / "junit_foresail.xml").getroot()
        assert list(suite.iter("failure")) or list(suite.iter("error")), said
    if phase != "config":
        assert (out / "cleaned").exists(), f"the finally block: {said}"
        assert (out / "undone").exists(), f"the post step: {said}"
        assert not compensations.pending(ended.root), said
    assert processes_of(ended.root) == [], said


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", CHOSEN)
def test_a_signal_in_a_phase(probe: Orchestration, phase: str, signum: signal.Signals) -> None:
    with held(probe, phase) as (_root, pid, end):
        began = time.monotonic()
        os.kill(pid, signum)
        ended = end()
        took = time.monotonic() - began
    # A run whose work is over is not undone by a signal: its report is written, and it ends as it would have.
    assert ended.code == (0 if phase == "report" else 128 + signum), ended.out + ended.err
    assert took <= TAKES_S
    assert_ended_well(ended, phase)
    say(f"interruption: {signum.name} in {phase}: ended after {took:.2f} s")


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("phase", ["python", "role", "wait", "parallel", "capture"] if WHOLE else ["parallel"])
def test_the_time_out_of_the_run_in_a_phase(probe: Orchestration, phase: str) -> None:
    with held(probe, phase, f"--timeout={SECONDS}") as (_root, _pid, end):
        began = time.monotonic()
        ended = end()
    assert ended.code == 4, ended.out + ended.err
    assert time.monotonic() - began <= SECONDS + TAKES_S
    assert_ended_well(ended, phase)
    if phase == "parallel":  # each that was waiting has timed out, and its evidence is kept
        late = {step.name: step.status for step in ended.steps if step.kind in ("command", "wait")}
        assert late["probe hold"] == "timed_out", late
        assert list((ended.root / "_failures").glob("*/bundle.json")), ended.out


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("phase", ["python", "run", "role", "parallel", "capture"] if WHOLE else ["parallel"])
def test_after_a_kill_nothing_lives_on_and_the_clean_up_is_done_by_its_command(
    probe: Orchestration, phase: str
) -> None:
    with held(probe, phase) as (root, pid, end):
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        end()
        while left := processes_of(root):
            assert time.monotonic() - began < (10 if WHOLE else 60), f"{phase}: still there: {left}"
            threading.Event().wait(0.05)
        took = time.monotonic() - began
    out = root.parent / f"out-{root.name}"
    assert not (out / "undone").exists()
    assert len(compensations.pending(root)) == 1
    cleaned = probe.toolbox(root, "runs", "cleanup", str(root))
    assert cleaned.code == 0, cleaned.out + cleaned.err
    assert (out / "undone").exists()
    assert not compensations.pending(root)
    for name in ("FAILURES", "FINISHED", "junit_foresail.xml", "report.html"):
        assert (root / name).exists(), name
    again = probe.toolbox(root, "runs", "cleanup", str(root))
    assert again.code == 0, again.out + again.err
    say(f"interruption: SIGKILL in {phase}: nothing left after {took:.2f} s")
