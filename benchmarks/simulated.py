"""The simulated cluster beside the real control plane: pods on a hundred nodes, lists, memory, start-up. Run by `make bench`.

`BENCH_PODS` says how many pods (1,000 unless told; the bars are meant for 5,000). Both APIs are measured in one run, one after
the other, by the same client, so that the ratios say something on a busy machine too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Figure, median_seconds
from projects.core.values.checkout import ROOT
from projects.sim_cluster.behaviours.pods import is_ready
from tests.sim_cluster.talk import Client, deployment
from tests.simulated import simulated_cluster

_CONTROL_PLANE = ROOT.parent / "shared" / "envtest" / "control-plane"
_PODS = int(os.environ.get("BENCH_PODS", "1000"))
_NODES = 100
_CLIENTS = 8
_STARTS = 5
_SECONDS = 600.0
_START = """
import time
begun, worked = time.perf_counter(), time.process_time()
from projects.sim_cluster.running import running_cluster
with running_cluster():
    print(time.perf_counter() - begun, time.process_time() - worked)
"""


@dataclass(frozen=True)
class _Measured:
    """What one API was measured to take: seconds, but for the memory (MB)."""

    rollout: float
    memory: float
    listing: float
    one_by_one: float


def measure() -> Iterator[Figure]:
    """Yield the figures of the simulated cluster, and ratios where the real control plane is at hand."""
    elapsed, worked = _start_seconds()
    yield Figure("running_cluster in a new process, imports included", elapsed, "s", 0.5)
    yield Figure("the same in processor time, which other work does not lengthen", worked, "s")
    with _simulated() as cluster:
        ours = _measure(*cluster)
    yield Figure(f"{_PODS} pods of a Deployment Ready on {_NODES} nodes", ours.rollout, "s")
    yield Figure("memory of the cluster then", ours.memory, "MB", 400)
    yield Figure(f"{_PODS} pods created by {_CLIENTS} clients, all Ready", ours.one_by_one, "s")
    yield Figure(f"LIST of {_PODS} pods", ours.listing, "s")
    if not _CONTROL_PLANE.exists():
        print(f"no ratios: {_CONTROL_PLANE} is missing")
        return
    with _real() as cluster:
        theirs = _measure(*cluster)
    yield Figure("the Deployment on the real control plane and KWOK", theirs.rollout, "s")
    yield Figure("memory of its processes then", theirs.memory, "MB")
    yield Figure("times faster: the Deployment", theirs.rollout / ours.rollout, "", 4, at_least=True)
    yield Figure(f"times faster: pods created by {_CLIENTS} clients", theirs.one_by_one / ours.one_by_one, "")
    yield Figure("LIST, times as long as on the real API", ours.listing / theirs.listing, "", 2)


def _start_seconds() -> tuple[float, float]:
    """Return what a start takes by the clock and of the processor, once Python has compiled what it imports."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled

        def once() -> tuple[float, float]:
            argv = [sys.executable, "-c", _START]
            done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
            elapsed, worked = map(float, done.stdout.split())
            return elapsed, worked

        once()
        return sorted(once() for _ in range(_STARTS))[_STARTS // 2]


Started = tuple[Path, Callable[[], float]]


@contextmanager
def _simulated() -> Iterator[Started]:
    """Run a simulated cluster; yield its kubeconfig, and what says its memory."""
    with (
        tempfile.TemporaryDirectory() as name,
        simulated_cluster(Path(name), "--platform", "kubernetes", "--nodes", str(_NODES)) as kubeconfig,
    ):
        pid = json.loads(Path(name, "server.json").read_text(encoding="utf-8"))["pid"]
        yield kubeconfig, lambda: _resident(pid)


@contextmanager
def _real() -> Iterator[Started]:
    """Run a real control plane with KWOK; yield its kubeconfig, and what says the memory of its processes."""
    command = [sys.executable, str(_CONTROL_PLANE)]
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([*command, "up", name, "--nodes", str(_NODES)], check=True, capture_output=True)
        try:
            pids = json.loads(Path(name, "pids.json").read_text(encoding="utf-8")).values()
            yield Path(name, "kubeconfig"), lambda: sum(map(_resident, pids))
        finally:
            subprocess.run([*command, "down", name], check=True, capture_output=True)


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def _measure(kubeconfig: Path, memory: Callable[[], float]) -> _Measured:
    rollout = _rollout(Client(kubeconfig))
    resident, reader = memory(), Client(kubeconfig)  # a connection that has been idle so long may be gone
    listing = median_seconds(lambda: reader.ask("GET", "/api/v1/namespaces/rollout/pods"), 5)
    return _Measured(rollout, resident, listing, _one_by_one(Client(kubeconfig)))


def _namespace(client: Client, name: str) -> None:
    client.post("/api/v1/namespaces", {"metadata": {"name": name}})
    client.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)


def _rollout(client: Client) -> float:
    _namespace(client, "rollout")
    begun = time.perf_counter()
    client.post("/apis/apps/v1/namespaces/rollout/deployments", deployment("d", "rollout", _PODS))
    path = "/apis/apps/v1/namespaces/rollout/deployments/d"
    client.until(path, lambda found: (found.get("status") or {}).get("readyReplicas") == _PODS, _SECONDS)
    return time.perf_counter() - begun


def _one_by_one(client: Client) -> float:
    """Return how long it takes some clients to create pods one by one, until a watcher has seen all of them Ready."""
    _namespace(client, "singly")
    path = "/api/v1/namespaces/singly/pods"
    containers = [{"name": "c", "image": "registry.invalid/c:1", "resources": {"requests": {"cpu": "10m"}}}]

    def create(numbers: range) -> None:
        own = Client(client.kubeconfig)
        for number in numbers:
            own.post(
                path, {"metadata": {"name": f"p{number}", "labels": {"a": "b"}}, "spec": {"containers": containers}}
            )
        own.close()

    begun = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(create, [range(start, _PODS, _CLIENTS) for start in range(_CLIENTS)]))
    ready: set[str] = set()
    for event in client.watch(f"{path}?watch=1&timeoutSeconds={int(_SECONDS)}", _SECONDS):
        if is_ready(event["object"]):
            ready.add(event["object"]["metadata"]["name"])
        if len(ready) == _PODS:
            return time.perf_counter() - begun
    raise AssertionError(f"{len(ready)} of {_PODS} pods were Ready after {_SECONDS} s")
