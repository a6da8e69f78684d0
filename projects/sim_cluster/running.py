"""A simulated cluster in this very process, for tests: its event loop runs in a thread of its own.

with running_cluster(ClusterOptions(nodes=2)) as cluster:
subprocess.run(["kubectl", "get", "nodes"], env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)})
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.server import serve


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that answers: the path of its kubeconfig."""

    kubeconfig: Path


@contextmanager
def running_cluster(options: ClusterOptions | None = None) -> Iterator[RunningCluster]:
    """Run a cluster until the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="sim-cluster-") as scratch,
        _thread(options or ClusterOptions(), Path(scratch)) as text,
    ):
        kubeconfig = Path(scratch) / "kubeconfig"
        kubeconfig.write_text(text, encoding="utf-8")
        kubeconfig.chmod(0o600)
        yield RunningCluster(kubeconfig)


@contextmanager
def _thread(options: ClusterOptions, directory: Path) -> Iterator[str]:
    """Serve in a thread until the block ends; yield the kubeconfig."""
    ready: Future[str] = Future()
    control: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        stop = asyncio.Event()
        control.set_result((asyncio.get_running_loop(), stop))
        try:
            await serve(options, directory, ready.set_result, stop)
        except BaseException as error:  # the caller waits for it, whatever it is
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="sim-cluster", daemon=True)
    thread.start()
    try:
        yield ready.result()
    finally:
        loop, stop = control.result()
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
