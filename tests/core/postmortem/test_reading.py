"""Many questions in a limited time: what hangs, fails or is cancelled costs no other answer."""

import threading
import time

from projects.core.execution.cancellation import CancelToken
from projects.core.postmortem.reading import NO_TIME, WORKERS, Reading
from projects.core.values.errors import Unreachable


def reading(seconds: float = 60.0, token: CancelToken | None = None) -> Reading:
    return Reading(time.monotonic() + seconds, token or CancelToken())


def test_answers_lead_to_further_questions_in_the_callers_thread() -> None:
    found: list[tuple[int, str]] = []
    asked = reading()

    def then(number: int) -> None:
        found.append((number, threading.current_thread().name))
        if number < 20:
            asked.ask(f"number {number + 1}", lambda: number + 1, then)

    asked.ask("number 0", lambda: 0, then)
    asked.run()
    assert found == [(number, threading.current_thread().name) for number in range(21)]
    assert asked.missing == {}


def test_they_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(WORKERS)
    asked = reading()
    answers: list[int] = []
    for number in range(WORKERS):
        asked.ask(f"{number}", lambda: together.wait(60), answers.append)
    asked.run()
    assert len(answers) == WORKERS
    assert asked.missing == {}


def test_what_hangs_is_left_behind_when_the_time_is_over() -> None:
    forever = threading.Event()
    asked = reading(2.0)
    answers: list[str] = []
    for number in range(WORKERS - 1):
        asked.ask(f"hangs {number}", lambda: forever.wait(600), lambda _: answers.append("late"))
    asked.ask("answers", lambda: "here", answers.append)
    asked.run()
    assert answers == ["here"]
    assert asked.missing == {f"hangs {number}": NO_TIME for number in range(WORKERS - 1)}
    forever.set()


def test_what_fails_is_listed_with_its_reason() -> None:
    asked = reading()
    gone: list[str] = []

    def refuse() -> None:
        raise Unreachable("the API server is unreachable: timed out", hint="h")

    asked.ask("the pod", refuse, lambda _: None, otherwise=lambda: gone.append("the pod"))
    asked.ask("a mistake", lambda: 1 // 0, lambda _: None)
    asked.run()
    assert asked.missing == {
        "the pod": "the API server is unreachable: timed out",
        "a mistake": "ZeroDivisionError: integer division or modulo by zero",
    }
    assert gone == ["the pod"]


def test_a_cancelled_run_reads_no_more() -> None:
    token = CancelToken()
    asked = reading(600, token)
    asked.ask("the first", lambda: 1, lambda _: token.cancel("a sibling failed"))
    forever = threading.Event()
    asked.ask("hangs", lambda: forever.wait(600), lambda _: None)
    asked.run()
    forever.set()
    assert asked.missing == {"hangs": "the run was cancelled: a sibling failed"}
