from __future__ import annotations

import contextvars
import threading

import pytest

from projects.core.execution.cancellation import CancelToken, current_token, scope
from projects.core.values.errors import Cancelled


def test_a_token_is_cancelled_once_and_stays_so() -> None:
    token = CancelToken()
    assert (token.cancelled, token.wait(0)) == (False, False)
    token.check()
    token.cancel("the first reason")
    token.cancel("the second reason")
    assert token.cancelled
    assert token.wait(0)
    with pytest.raises(Cancelled, match="the first reason"):
        token.check()


def test_cancelling_goes_down_the_tree_and_never_up() -> None:
    root = CancelToken()
    left, right = CancelToken(root), CancelToken(root)
    leaf = CancelToken(left)
    left.cancel("a branch failed")
    assert (root.cancelled, left.cancelled, right.cancelled, leaf.cancelled) == (False, True, False, True)
    assert leaf.reason == "a branch failed"
    root.cancel("everything ends")
    assert (right.cancelled, right.reason, leaf.reason) == (True, "everything ends", "a branch failed")


def test_a_child_of_a_cancelled_token_is_born_cancelled() -> None:
    root = CancelToken()
    root.cancel("over")
    child = CancelToken(root)
    assert (child.cancelled, child.reason) == (True, "over")


def test_callbacks_are_called_once_in_order() -> None:
    token, called = CancelToken(), list[int]()
    for number in range(3):
        token.on_cancel(lambda number=number: called.append(number))  # type: ignore[misc]
    token.cancel("now")
    token.cancel("again")
    assert called == [0, 1, 2]


def test_a_callback_on_a_cancelled_token_is_called_at_once() -> None:
    token, called = CancelToken(), list[str]()
    token.cancel("now")
    token.on_cancel(lambda: called.append("at once"))()
    assert called == ["at once"]


def test_a_callback_that_was_taken_off_is_not_called() -> None:
    token, called = CancelToken(), list[str]()
    forget = token.on_cancel(lambda: called.append("never"))
    forget()
    forget()
    token.cancel("now")
    assert called == []


def test_a_callback_that_fails_keeps_none_of_the_others_from_being_called() -> None:
    token, called = CancelToken(), list[str]()

    def fails() -> None:
        raise ValueError("of the callback")

    token.on_cancel(fails)
    token.on_cancel(lambda: called.append("the other"))
    with pytest.raises(ValueError, match="of the callback"):
        token.cancel("now")
    assert called == ["the other"]


def test_a_closed_token_has_left_its_parent() -> None:
    root = CancelToken()
    child = CancelToken(root)
    child.close()
    root.cancel("over")
    assert not child.cancelled


def test_a_scope_makes_the_token_of_the_context_and_restores_the_one_before() -> None:
    before = current_token()
    with scope(CancelToken(before)) as token:
        assert current_token() is token
        assert contextvars.copy_context().run(current_token) is token
        with scope(CancelToken(token)) as inner:
            assert current_token() is inner
        assert current_token() is token
    assert current_token() is before
    before.check()


def test_waiting_threads_wake_when_the_root_is_cancelled() -> None:
    root = CancelToken()
    woken: list[bool] = []
    threads = [threading.Thread(target=lambda: woken.append(CancelToken(root).wait(30))) for _ in range(16)]
    for thread in threads:
        thread.start()
    root.cancel("now")
    for thread in threads:
        thread.join(30)
    assert woken == [True] * 16


def test_each_callback_is_called_exactly_once_whoever_cancels_and_registers_at_the_same_time() -> None:
    for _ in range(50):
        token, called, barrier = CancelToken(), list[int](), threading.Barrier(4)

        def register(
            token: CancelToken = token, called: list[int] = called, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait(60)
            for number in range(20):
                token.on_cancel(lambda number=number: called.append(number))  # type: ignore[misc]

        def cancel(token: CancelToken = token, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(60)
            token.cancel("now")

        threads = [threading.Thread(target=target) for target in (register, register, cancel, cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(called) == sorted([*range(20), *range(20)])
