"""Commands served by the warm Ansible host. Called by `command`, from as many threads as there are branches.

The host is started with the first command, or ahead of it by `start`, and ends with this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.processes import Collector
from projects.core.execution.pump import Pump
from projects.core.execution.request import Request, ansible_settings
from projects.core.values.errors import InfrastructureError

_STOP_TIMEOUT_S = 5.0
GOODBYE = b"q"
"""What an owner that ends by itself says. One that was killed says nothing, and leaves what it has started to the host."""
LEARN = b"s"
"""Comes with a descriptor of secret values, which the host learns once, for all its forks."""


class _Fork:
    """A fork of the host as `Pump` waits for it: the host tells its exit status over the command's socket."""

    def __init__(self, channel: socket.socket) -> None:
        self.exit_descriptor = channel.fileno()
        self._channel = channel
        self._received = b""

    def poll(self) -> int | None:
        """Read what has come; return the exit status when that was it."""
        try:
            chunk = self._channel.recv(4096)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            raise InfrastructureError(
                "the warm Ansible host has ended while a command was running",
                hint="its last words are on standard error",
            )
        self._received += chunk
        return int(self._received) if self._received.endswith(b"\n") else None

    def end(self, grace: float) -> None:
        """Close our side of the socket: the host ends the command, and tells its status when all of it has gone."""
        del grace  # the host has its own
        with contextlib.suppress(OSError):  # it has ended by itself meanwhile
            self._channel.shutdown(socket.SHUT_WR)

    def wait_until_gone(self) -> None:
        """Read until the host has nothing more to tell."""
        with contextlib.suppress(OSError):
            self._channel.setblocking(True)
            while self._channel.recv(4096):
                continue


class WarmHost:
    """The owner's side of one host process.

    Args:
      environment: Gives what the host's environment holds beside this process's: it names the run, and this process, by
        which the host finds what is left of them should this process be killed.
    """

    def __init__(self, environment: Callable[[], Mapping[str, str]] = dict) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._cache: Path | None = None
        self._used = False
        self._taught: set[str] = set()

    def start(self) -> None:
        """Start the host, unless it runs; return at once, while it is still warming up."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._close()
            self._cache = Path(tempfile.mkdtemp(prefix="foresail-"))
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "projects.core.execution.warm_host", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={
                        **os.environ,
                        **self._environment(),
                        **ansible_settings(self._cache),
                        **_locale(),
                        "COLUMNS": "10000",
                    },
                    start_new_session=True,
                )

    def stop(self) -> None:
        """End the host and every command in it, and remove its private directory."""
        with self._lock:
            self._close()

    def run(self, request: Request, token: CancelToken, on_output: Callable[[str], object] | None) -> int:
        """Run a command in a fork of the host.

        Args:
          request: The command.
          token: Cancelling it ends the command and all that it started.
          on_output: Called with what it prints.

        Returns:
          Ansible's exit code; negative: the signal that ended the fork.

        Raises:
          Cancelled, TimedOut: see `Pump.run`.
          InfrastructureError: the host has ended.
        """
        token.check()
        collector = Collector(on_output)
        with self._open(request.secrets) as (channel, output):
            channel.sendall(_encode(request))
            status = Pump(_Fork(channel), {output: collector.feed}, token, request.timeout, request.role.name).run()
            collector.close()
            return status

    @contextlib.contextmanager
    def _open(self, secrets: Sequence[str]) -> Iterator[tuple[socket.socket, int]]:
        self.start()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            with self._lock, theirs:
                self._used = True
                self._teach(self._control, secrets)
                socket.send_fds(self._control, [b"!"], [theirs.fileno(), write, write])
            os.close(write)
            write = -1
            yield ours, read
        except (BrokenPipeError, ConnectionResetError) as error:
            raise InfrastructureError("the warm Ansible host has ended before the command was started") from error
        finally:
            ours.close()
            os.close(read)
            if write >= 0:
                os.close(write)

    def _teach(self, control: socket.socket, secrets: Sequence[str]) -> None:
        """Hand the host the secrets that it does not know yet: learning them takes longer than a task does."""
        new = [value for value in secrets if value not in self._taught]
        if not new:
            return
        descriptor = os.memfd_create("secrets")  # in memory, and nobody's but ours
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            json.dump(new, file)
            file.flush()
            os.lseek(descriptor, 0, os.SEEK_SET)
            socket.send_fds(control, [LEARN], [descriptor])
        self._taught.update(new)

    def _close(self) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):  # the host has ended by itself
                self._control.sendall(GOODBYE)
            self._control.close()
        if self._process is not None:
            if not self._used:
                self._process.kill()  # it may still be warming up, for nothing
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._cache is not None:
            shutil.rmtree(self._cache, ignore_errors=True)
        self._process = self._control = self._cache = None
        self._used = False
        self._taught.clear()


def _encode(request: Request) -> bytes:
    message = {
        "play": request.play,
        "extra_vars": request.extra_vars,
        "environment": dict(request.environment),
        "cwd": request.cwd,
        "check": request.check,
        "secrets": list(request.secrets),
    }
    return json.dumps(message).encode() + b"\n"


def _locale() -> dict[str, str]:
    # Ansible refuses to start in a locale whose encoding is not UTF-8, such as CI's C.
    return {} if "utf-8" in os.environ.get("LC_ALL", os.environ.get("LANG", "")).lower() else {"LC_ALL": "C.UTF-8"}
