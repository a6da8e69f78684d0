from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.core.execution.process_tree import ProcessId, alive, send, trees_of
from tests.core.execution.waiting import wait_for

CHILDREN = ["bash -c sleep 62 & wait", "sleep 61", "sleep 62", "sleep 63"]


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[bytes]]:
    """A shell in a session of its own, with a child, a grandchild and one in another session."""
    script = "sleep 61 & bash -c 'sleep 62 & wait' & setsid sleep 63 & wait"
    with subprocess.Popen(["bash", "-c", script], start_new_session=True) as process:
        # Each is a bash at first; the one that leaves the session has done so before it is a sleep.
        wait_for(lambda: sorted(names(trees_of([process.pid])[process.pid][1:])) == CHILDREN, "the children")
        yield process
        for each in trees_of([process.pid])[process.pid]:
            os.kill(each.pid, signal.SIGKILL)


def names(tree: list[ProcessId]) -> list[str]:
    lines = [Path(f"/proc/{each.pid}/cmdline").read_bytes() for each in tree]
    return [line.replace(b"\0", b" ").decode().strip() for line in lines]


def test_a_tree_holds_all_descendants_parents_first_whatever_their_session(shell: subprocess.Popen[bytes]) -> None:
    tree = trees_of([shell.pid])[shell.pid]
    assert tree[0].pid == shell.pid
    assert sorted(names(tree[1:])) == CHILDREN
    assert len({each.session for each in tree}) == 2


def test_the_tree_of_a_process_that_has_ended_is_empty() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert trees_of([process.pid]) == {process.pid: []}


def test_a_zombie_does_not_live() -> None:
    with subprocess.Popen(["true"]) as process:
        wait_for(lambda: not trees_of([process.pid])[process.pid], "its end")


def test_members_of_a_session_belong_to_it_although_their_parent_has_gone() -> None:
    with subprocess.Popen(["bash", "-c", "(sleep 64 &) ; exit"], start_new_session=True) as process:
        process.wait()
        assert trees_of([process.pid])[process.pid] == []

        def members() -> list[ProcessId]:
            return trees_of([process.pid], {process.pid: {process.pid}})[process.pid]

        wait_for(lambda: names(members()) == ["sleep 64"], "the orphan's own program")  # it is a bash at first
        (orphan,) = members()
        send([orphan], signal.SIGKILL)
        wait_for(lambda: not alive([orphan]), "the orphan's end")


def test_a_signal_reaches_every_process_of_the_tree(shell: subprocess.Popen[bytes]) -> None:
    tree = trees_of([shell.pid])[shell.pid]
    send(tree, signal.SIGKILL)
    wait_for(lambda: not alive(tree), "their end")


def test_a_later_process_of_the_same_number_gets_no_signal(shell: subprocess.Popen[bytes]) -> None:
    (leader, *_) = trees_of([shell.pid])[shell.pid]
    earlier = ProcessId(leader.pid, leader.started - 1, leader.session)
    assert alive([earlier]) == []
    send([earlier], signal.SIGKILL)
    assert shell.poll() is None


def test_each_process_is_told_to_end_once(shell: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    # What cleans up after a first TERM, such as an orchestration, must not be torn out of it by a second one.
    tree = trees_of([shell.pid])[shell.pid]
    groups = {each.pid: os.getpgid(each.pid) for each in tree}
    told: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda pid, signum: told.append(pid))
        patch.setattr(os, "killpg", lambda group, signum: told.extend(p for p, g in groups.items() if g == group))
        send(tree, signal.SIGTERM)
    assert sorted(told) == sorted(groups)
