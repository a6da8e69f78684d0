"""The warm Ansible host: a single-threaded process that forks one child per command. Started by `warm`, as a module.

It is spoken to over one socket pair, given as descriptor number. A message on it is a byte with three descriptors: the
command's own socket, and the pipes for its output; or with one, of secrets to learn. The child reads its request from that socket, runs the play and
exits; the host then writes the exit status to the socket. A caller that wants its command ended closes its sending
side. When the other end of the host's own socket closes, because its owner has ended in whatever way, the host ends
every command and itself. An owner that did not say goodbye was killed: what else it had started is ended, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from projects.core.execution import leftovers
from projects.core.execution.play import Prepared, prepare, run_play
from projects.core.execution.pump import TERM_GRACE_S
from projects.core.execution.reaper import TICK_S, Ending, still_there, terminate
from projects.core.execution.request import PLAN
from projects.core.execution.warm import GOODBYE, LEARN
from projects.core.values.redaction import REDACTOR

_DESCRIPTORS = 3
_NICENESS = 10
_PR_SET_PDEATHSIG = 1
_FOREVER = -1
_SETTINGS = ("ANSIBLE_", "FORESAIL_CACHE_DIR")
"""What of the host's own environment its children keep: what `ansible_settings` has set."""
_LIBC = ctypes.CDLL(None)


@dataclass(slots=True)
class _Fork:
    """One command that runs: its process, its socket, how it ended, and that it is being ended, should it be."""

    pid: int
    channel: socket.socket
    status: int | None = None
    ending: Ending | None = None


class Host:
    """The loop of the host.

    Args:
      control: The socket that new commands come from.
      prepared: The Ansible that the children inherit.

    Attributes:
      owner_was_killed: Whether the owner has ended without a goodbye, once `serve` has returned.
    """

    def __init__(self, control: socket.socket, prepared: Prepared) -> None:
        self._control = control
        self._prepared = prepared
        self._poll = select.epoll()
        self._by_pidfd: dict[int, _Fork] = {}
        self._by_channel: dict[int, _Fork] = {}
        self._ending: list[Ending] = []
        self.owner_was_killed = True

    def serve(self) -> None:
        """Serve until the control socket closes, then end what still runs."""
        self._poll.register(self._control, select.EPOLLIN)
        owned = True
        while owned or self._by_pidfd or self._ending:
            wanted = [fork for descriptor, _ in self._wait() if (fork := self._serve(descriptor)) is not None]
            if owned and self._control.fileno() < 0:
                owned, wanted = False, list(self._by_pidfd.values())
            self._end(wanted)
            self._ending = still_there(self._ending)
            self._tell()

    def _wait(self) -> list[tuple[int, int]]:
        return self._poll.poll(TICK_S if self._ending else _FOREVER)

    def _serve(self, descriptor: int) -> _Fork | None:
        """Serve one descriptor; return the command that its caller wants ended, when that was it."""
        if descriptor in self._by_pidfd:
            self._reap(descriptor)
        elif descriptor in self._by_channel:
            self._poll.unregister(descriptor)
            return self._by_channel[descriptor]
        elif not self._accept():
            self._poll.unregister(self._control)
            self._control.close()
        return None

    def _accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, _DESCRIPTORS)
        if message == GOODBYE:
            self.owner_was_killed = False
        if not descriptors:
            return False
        if message == LEARN:
            _learn(descriptors[0])
            return True
        channel = socket.socket(fileno=descriptors[0])
        if _is_given_up(channel):
            _answer(channel, -signal.SIGTERM)
        else:
            self._fork(channel, descriptors[1:])
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        return True

    def _fork(self, channel: socket.socket, outputs: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            # Such as the limit of a pod's processes: this command fails by it, the others go on.
            os.write(outputs[0], f"the command could not be started: {error}\n".encode())
            _answer(channel, 1)
            return
        if pid == 0:
            self._child(channel, outputs)
        fork = _Fork(pid, channel)
        watched = os.pidfd_open(pid)
        self._by_pidfd[watched] = self._by_channel[channel.fileno()] = fork
        self._poll.register(watched, select.EPOLLIN)
        self._poll.register(channel, select.EPOLLRDHUP)

    def _child(self, channel: socket.socket, outputs: list[int]) -> None:
        code = 1
        try:
            os.setsid()
            # However many commands run, the processes that can end them must get their turn at once.
            os.nice(_NICENESS)
            # Should the host be killed, no command may go on without it.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            self._let_go()
            for number, descriptor in enumerate(outputs, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            code = run_request(self._prepared, channel)
        except BaseException:  # noqa: BLE001 - whatever it was, the fork must not return into the host's loop
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _let_go(self) -> None:
        """Close, in a child, what belongs to the host and to the other commands: their callers wait for its end."""
        self._poll.close()
        self._control.close()
        for fork in self._by_channel.values():
            fork.channel.close()
        for watched in self._by_pidfd:
            os.close(watched)

    def _reap(self, watched: int) -> None:
        fork = self._by_pidfd.pop(watched)
        self._poll.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(fork.pid, 0)
        fork.status = os.waitstatus_to_exitcode(status)
        if fork.status < 0 and fork.ending is None:
            # Killed, it could not end what it has started, which is in its session.
            fork.ending = Ending(fork.pid, TERM_GRACE_S, sessions={fork.pid})
            self._ending.append(fork.ending)

    def _end(self, forks: list[_Fork]) -> None:
        new = []
        for fork in forks:
            if fork.ending is None:
                fork.ending = Ending(fork.pid, TERM_GRACE_S)
                new.append(fork.ending)
        terminate(new)
        self._ending += new

    def _tell(self) -> None:
        """Tell the callers of those that have ended, with all that they have started."""
        ended = [
            descriptor
            for descriptor, fork in self._by_channel.items()
            if fork.status is not None and (fork.ending is None or fork.ending.gone.is_set())
        ]
        for descriptor in ended:
            fork = self._by_channel.pop(descriptor)
            # Closing is not enough: a fork that has not closed its copy yet would keep it in the poll.
            with contextlib.suppress(FileNotFoundError):  # its caller wanted it ended, and was heard
                self._poll.unregister(descriptor)
            assert fork.status is not None
            _answer(fork.channel, fork.status)


def run_request(prepared: Prepared, channel: socket.socket) -> int:
    """Read a request from the command's socket and run it, in a fork of the host; return the exit code."""
    with channel.makefile("r", encoding="utf-8") as stream:
        request: dict[str, Any] = json.loads(stream.readline())
    channel.close()
    for value in request["secrets"]:
        REDACTOR.register(value)  # which the host has learned, as a rule
    # Not all of Ansible's settings were read when it was prepared: where modules are copied to is asked for each time.
    settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
    environment = {**request["environment"], **settings}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(request["cwd"])
    return run_play(prepared, request["play"], request["extra_vars"], check=request["check"])


def _learn(descriptor: int) -> None:
    """Learn secret values, and be ready to look for them."""
    with os.fdopen(descriptor, encoding="utf-8", errors="surrogatepass") as file:
        for value in json.load(file):
            REDACTOR.register(value)
    REDACTOR.redact("")  # what is built for the search is built once, here


def _answer(channel: socket.socket, status: int) -> None:
    with channel, contextlib.suppress(OSError):  # its caller may have gone
        channel.sendall(b"%d\n" % status)


def _is_given_up(channel: socket.socket) -> bool:
    hangup = select.poll()
    hangup.register(channel, select.POLLRDHUP)
    return bool(hangup.poll(0))


def main() -> int:
    """Prepare Ansible and serve on the socket whose descriptor is the first argument."""
    with socket.socket(fileno=int(sys.argv[1])) as control:
        # Ctrl-C reaches the whole foreground group: the owner decides what ends, and closes the socket.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        prepared = prepare()
        _prewarm()
        for signum in (signal.SIGTERM, signal.SIGINT):  # the warm-up play has set Ansible's own handlers
            signal.signal(signum, signal.SIG_DFL if signum == signal.SIGTERM else signal.SIG_IGN)
        gc.collect()
        gc.freeze()
        host = Host(control, prepared)
        host.serve()
    if host.owner_was_killed and (owner := os.environ.get(leftovers.OWNER)):
        leftovers.end_all(leftovers.OWNER, owner)
    shutil.rmtree(os.environ["FORESAIL_CACHE_DIR"], ignore_errors=True)  # the owner may have been killed
    return 0


def _prewarm() -> None:
    from projects.core import cluster  # noqa: PLC0415 - imports the Kubernetes client
    from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import arguments  # noqa: PLC0415

    if not os.environ.get(PLAN):  # a plan opens no connection
        cluster.prewarm()
    arguments.prewarm()


if __name__ == "__main__":
    raise SystemExit(main())
