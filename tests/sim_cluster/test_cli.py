"""``python3 -m projects.sim_cluster``: up, down, run, and what they refuse."""

import contextlib
import json
import os
import select
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from projects.core.values.checkout import ROOT
from tests.sim_cluster.talk import Client
from tests.simulated import COMMAND, sim


def server_of(directory: Path) -> int:
    return int(json.loads((directory / "server.json").read_text(encoding="utf-8"))["pid"])


def ends(pid: int, seconds: float = 60) -> bool:
    """Wait until a process that is no child of ours is gone."""
    with contextlib.suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        try:
            return bool(select.select([watched], [], [], seconds)[0])
        finally:
            os.close(watched)
    return True


def test_up_answers_until_down(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "cluster"
    up = sim("up", directory, "--api", "simulated", "--nodes", "2", "--platform", "kubernetes", "--speed", "30")
    assert up.returncode == 0, up.stderr
    kubeconfig = Path(up.stdout.splitlines()[-1])
    pid = server_of(directory)
    try:
        assert kubeconfig == directory / "kubeconfig"
        assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
        client = Client(kubeconfig)
        assert [node["metadata"]["name"] for node in client.get("/api/v1/nodes")["items"]] == ["worker-0", "worker-1"]
        client.close()
        again = sim("up", directory)
        assert (again.returncode, again.stdout) == (2, "")
        assert "already holds a running cluster" in again.stderr
        assert server_of(directory) == pid
    finally:
        down = sim("down", directory)
    assert (down.returncode, down.stdout, down.stderr) == (0, "", "")
    assert ends(pid, 0)
    once_more = sim("down", directory)
    assert once_more.returncode == 2
    assert "holds no running cluster" in once_more.stderr


def test_up_takes_the_place_of_a_cluster_that_died(tmp_path: Path) -> None:
    sim("up", tmp_path, "--nodes", "0")
    os.kill(server_of(tmp_path), signal.SIGKILL)
    assert ends(server_of(tmp_path))
    assert sim("up", tmp_path, "--nodes", "0").returncode == 0
    assert sim("down", tmp_path).returncode == 0


def test_run_hands_on_the_exit_status(tmp_path: Path) -> None:
    script = f'cp "$(dirname "$KUBECONFIG")/server.json" {tmp_path}; echo "$1"; exit 7'
    done = sim("run", "--nodes", "1", "--", "bash", "-c", script, "bash", "--nodes")
    assert (done.returncode, done.stdout) == (7, "--nodes\n"), done.stderr
    assert ends(server_of(tmp_path), 0)
    killed = sim("run", "--", "bash", "-c", "kill -9 $$")
    assert killed.returncode == 137


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_run_leaves_nothing_when_it_is_ended(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    script = f'cp "$(dirname "$KUBECONFIG")/server.json" {tmp_path}; echo $$; exec sleep 100'
    process = subprocess.Popen(
        [*COMMAND, "run", "--nodes", "0", "--", "bash", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    server = server_of(tmp_path)
    process.send_signal(sent)
    assert process.wait(90) == code
    assert ends(server), "the server outlived the command that started it"
    if sent is signal.SIGKILL:
        os.kill(child, signal.SIGKILL)  # the command itself is nobody's any more
    process.stdout.close()


@pytest.mark.parametrize(("arguments", "said"), [
    ([], "up|down|run"),
    (["upp", "d"], "did you mean up?"),
    (["up"], "DIR"),
    (["up", "d", "--nodes", "many"], "expected a number of worker nodes from 0 to 5000, found 'many'"),
    (["up", "d", "--nodes", "-1"], "--nodes"),
    (["up", "d", "--node", "3"], "did you mean --nodes?"),
    (["up", "d", "--platform", "openshfit"], "did you mean openshift?"),
    (["up", "d", "--api", "simulatd"], "did you mean simulated?"),
    (["up", "d", "--karpenter"], "--karpenter needs --api real"),
    (["up", "d", "--speed", "0"], "such as 60, or max, found '0'"),
    (["up", "d", "--speed", "fast"], "found 'fast'"),
    (["run", "--nodes", "2"], "-- CMD"),
    (["run", "--"], "expected a command after --, found nothing"),
    (["down", "/no/such/place"], "holds no running cluster"),
    (["up", "/dev/null/x"], "expected a directory to write to, found /dev/null/x"),
])  # fmt: skip
def test_bad_lines_are_refused_before_anything_starts(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, timeout=90, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    done = sim("run", "--nodes", "0", "--", str(tmp_path / "missing"))
    assert done.returncode == 127
    assert "cannot run" in done.stderr


def test_no_real_control_plane(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch(mode=0o755)
    done = subprocess.run(
        [*COMMAND, "up", "d", "--api", "real"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KUBEBUILDER_ASSETS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert f"KUBEBUILDER_ASSETS={tmp_path}: no kube-apiserver, kube-controller-manager" in done.stderr
    assert "setup-envtest" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["etcd"]


def test_a_wrong_scenario_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("speed: 60\nshap: {}\n", encoding="utf-8")
    for wrong, said in (("helthy", "did you mean 'healthy'?"), (file, f"{file}:2: shap: expected one of the keys")):
        up = sim("up", tmp_path / "cluster", "--scenario", wrong)
        assert (up.returncode, up.stdout) == (2, "")
        assert said in up.stderr
        assert not (tmp_path / "cluster").exists()
    seed = sim("up", tmp_path / "cluster", "--seed", "x")
    assert (seed.returncode, "expected a number from 0 on, found 'x'" in seed.stderr) == (2, True)
