"""Post steps of a run that is interrupted while they run, and of one that goes on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.execution.cancellation import CancelToken, interrupt, scope
from projects.core.execution.request import Request
from projects.core.library import commands, run
from projects.core.library.post import post_steps
from projects.core.record import compensations
from projects.core.toolbox.specification import specify
from projects.core.values.errors import Interrupted
from tests.core.library.played_host import PlayedHost
from tests.core.library.test_resume import go_on
from tests.core.trees import write_group

BODY = '''
@command
def undo(self, what: str) -> None:
    """Undo.

    Args:
      what: What.
    """
'''


class InterruptedHost(PlayedHost):
    """A host in whose first commands a signal comes."""

    signals = 1

    def run(self, request: Request, token: CancelToken, on_output: Callable[[str], object] | None) -> int:
        status = super().run(request, token, on_output)
        if len(self.requests) <= self.signals:
            interrupt(Interrupted(15))
        return status


@pytest.fixture
def host(run_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InterruptedHost:
    write_group(tmp_path, "car", BODY, roles={"undo": "- name: Undo\n  debug:\n"})
    played = InterruptedHost()
    monkeypatch.setattr(commands, "HOST", played)
    monkeypatch.setattr(commands, "specify", functools.partial(specify, root=tmp_path))
    return played


def undo_three() -> None:
    with post_steps():
        for what in ("one", "two", "three"):
            run.post("car", "undo", what=what)


def went(host: PlayedHost) -> list[str]:
    return [request.variables["car_undo_what"] for request in host.requests]


def test_a_signal_in_a_post_step_has_it_and_the_others_done(host: InterruptedHost, run_root: Path) -> None:
    with scope(CancelToken()), pytest.raises(Interrupted):
        undo_three()
    assert went(host) == ["three", "three", "two", "one"]
    assert compensations.pending(run_root) == []


def test_a_second_signal_leaves_the_rest_to_be_done(host: InterruptedHost, run_root: Path) -> None:
    host.signals = 2
    with scope(CancelToken()), pytest.raises(Interrupted):
        undo_three()
    assert went(host) == ["three", "three"]
    assert [each.arguments["what"] for each in compensations.pending(run_root)] == ["three", "two", "one"]


def test_post_steps_after_the_time_for_cleaning_up_are_not_tried_twice(host: InterruptedHost, run_root: Path) -> None:
    with scope(CancelToken()) as token:
        token.clean_up.cancel("no time left")
        with pytest.raises(Interrupted):
            undo_three()
    assert went(host) == ["three"]
    assert len(compensations.pending(run_root)) == 3


def test_a_resumed_run_does_its_post_steps_again(host: InterruptedHost, run_root: Path) -> None:
    host.signals = 0
    undo_three()
    go_on(run_root)
    undo_three()
    assert went(host) == ["three", "two", "one"] * 2


def test_what_a_killed_process_had_noted_is_done_by_the_one_that_goes_on(host: InterruptedHost, run_root: Path) -> None:
    host.signals = 0
    compensations.register(run_root, None, "car", "undo", {"what": "one"})
    go_on(run_root)
    undo_three()
    assert compensations.pending(run_root) == []
