"""The warm Ansible host: a single-threaded process that forks one child per command. Started by `warm`, as a module.

It is spoken to over one socket pair, given as descriptor number. A message on it is a byte with three descriptors: the command's own
socket, and the pipes for its output. The child reads its request from that socket, answers with its process
id, runs the play and exits; the host then writes the exit status to the same socket. When the other end of the
host's socket closes, because its owner has ended in whatever way, the host ends every command and itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import Any

from projects.core.execution import process_tree
from projects.core.execution.play import Prepared, prepare, run_play
from projects.core.values.redaction import REDACTOR

_DESCRIPTORS = 3
_PR_SET_PDEATHSIG = 1
END_GRACE_S = 1.0


class Host:
    """The loop of the host.

    Args:
      control: The socket that new commands come from.
      prepared: The Ansible that the children inherit.
    """

    def __init__(self, control: socket.socket, prepared: Prepared) -> None:
        self._control = control
        self._prepared = prepared
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> None:
        """Serve until the control socket closes, then end what still runs."""
        self._selector.register(self._control, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(key.fd)
                elif not self._accept():
                    self._end_all()
                    return

    def _accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, _DESCRIPTORS)
        if not message:
            return False
        channel = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            self._child(channel, descriptors[1:])
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        watched = os.pidfd_open(pid)
        self._running[watched] = (pid, channel)
        self._selector.register(watched, selectors.EVENT_READ)
        return True

    def _child(self, channel: socket.socket, outputs: list[int]) -> None:
        code = 1
        try:
            os.setsid()
            # Should the host be killed, no command may go on without it.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            self._selector.close()
            self._control.close()
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

    def _reap(self, watched: int) -> None:
        pid, channel = self._running.pop(watched)
        self._selector.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(pid, 0)
        with channel, contextlib.suppress(OSError):  # its caller may have gone
            send(channel, {"status": os.waitstatus_to_exitcode(status)})

    def _end_all(self) -> None:
        trees = [process for pid, _ in self._running.values() for process in process_tree.tree_of(pid)]
        process_tree.send(trees, signal.SIGTERM)
        self._selector.unregister(self._control)
        while self._running and (ready := self._selector.select(END_GRACE_S)):
            for key, _ in ready:
                self._reap(key.fd)
        process_tree.kill(trees)


def run_request(prepared: Prepared, channel: socket.socket) -> int:
    """Read a request from the command's socket and run it, in a fork of the host; return the exit code."""
    with channel.makefile("r", encoding="utf-8") as stream:
        request: dict[str, Any] = json.loads(stream.readline())
    send(channel, {"pid": os.getpid()})
    for value in request["secrets"]:
        REDACTOR.register(value)
    environment = {**request["environment"], "FORESAIL_CACHE_DIR": os.environ["FORESAIL_CACHE_DIR"]}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(request["cwd"])
    return run_play(prepared, request["play"], request["extra_vars"], check=request["check"])


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Write one message, a line of JSON."""
    channel.sendall(json.dumps(message).encode() + b"\n")


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
        Host(control, prepared).serve()
    return 0


def _prewarm() -> None:
    from projects.core import cluster  # noqa: PLC0415 - imports the Kubernetes client

    cluster.prewarm()


if __name__ == "__main__":
    raise SystemExit(main())
