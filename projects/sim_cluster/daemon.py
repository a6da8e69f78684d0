"""A server in a process of its own: started, found again, stopped. `cli` calls `start` and `stop`.

The directory of a cluster holds ``server.json`` (the process), ``kubeconfig`` and ``server.log``, that of one on a real API also
``control-plane`` (its logs).
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import select
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from projects.sim_cluster.options import ApiKind, ClusterOptions

_START_SECONDS: Final[dict[ApiKind, float]] = {"simulated": 30.0, "real": 150.0}
_STOP_SECONDS: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1


class DaemonError(Exception):
    """A server that cannot be started or stopped, in words for the user."""


@dataclass(frozen=True)
class Server:
    """A running server: its process, and when that started, so that a recycled number is not taken for it."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """Return the start time of a process in clock ticks since boot; None for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def kubeconfig_of(directory: Path) -> Path:
    """Return where the kubeconfig of a cluster lies."""
    return directory / "kubeconfig"


def running_in(directory: Path) -> Server | None:
    """Return the server of a directory, None when there is none or it is gone."""
    try:
        server = Server(**json.loads((directory / "server.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if server.is_alive else None


def start(directory: Path, options: ClusterOptions, *, bound: bool = False) -> Path:
    """Start a server, wait until it answers and return its kubeconfig's path; `bound` makes it end with this process."""
    directory.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be_server(directory, options, writer, parent, bound=bound)
    os.close(writer)
    _await_ready(reader, directory, pid, _START_SECONDS[options.api])
    return kubeconfig_of(directory)


def _await_ready(reader: int, directory: Path, pid: int, seconds: float) -> None:
    with os.fdopen(reader, "rb") as pipe:
        readable, _, _ = select.select([pipe], [], [], seconds)
        said = pipe.read() if readable else b""
    if said != b"ready":
        if not readable:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        log = directory / "server.log"
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise DaemonError(f"the server did not start; the end of {log}:\n{tail}")


def _be_server(directory: Path, options: ClusterOptions, writer: int, parent: int, *, bound: bool) -> None:
    """Become the server; never returns. Until it has started it ends with its starter, who may be interrupted meanwhile."""
    code = 1
    try:
        os.setsid()
        _redirect(directory)
        _end_with_parent(parent)
        _serve(directory, options, writer, bound=bound)
        code = 0
    except BaseException:  # whatever it is belongs into the log, and must not run on in the parent's code
        logging.getLogger(__name__).exception("the server ended")
    finally:
        logging.shutdown()
        os._exit(code)


def _redirect(directory: Path) -> None:
    log = os.open(directory / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")


def _end_with_parent(parent: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _outlive_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, 0)


def _serve(directory: Path, options: ClusterOptions, writer: int, *, bound: bool) -> None:
    import asyncio  # noqa: PLC0415 - heavy, and only the server process needs it

    from projects.sim_cluster.server import serve  # noqa: PLC0415 - the same

    # What a cluster holds are trees, which go without the collector; it would look at millions of objects for next to nothing.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(options, directory, started, stop)

    def started(kubeconfig: str) -> None:
        path = kubeconfig_of(directory)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(kubeconfig)
        this = Server(os.getpid(), start_time(os.getpid()) or 0)
        (directory / "server.json").write_text(json.dumps(asdict(this)), encoding="utf-8")
        if not bound:
            _outlive_parent()
        os.write(writer, b"ready")
        os.close(writer)

    asyncio.run(until_told())


def stop(directory: Path) -> None:
    """Stop the server of a directory and wait until it is gone."""
    server = running_in(directory)
    if server is None:
        raise DaemonError(f"{directory} holds no running cluster")
    watched = os.pidfd_open(server.pid)
    try:
        os.kill(server.pid, signal.SIGTERM)
        if not _ended(watched, _STOP_SECONDS):
            os.kill(server.pid, signal.SIGKILL)
            _ended(watched, _STOP_SECONDS)
    finally:
        os.close(watched)
    (directory / "server.json").unlink(missing_ok=True)


def _ended(pidfd: int, seconds: float) -> bool:
    return bool(select.select([pidfd], [], [], seconds)[0])
