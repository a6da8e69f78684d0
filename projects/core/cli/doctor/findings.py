"""What a check of `doctor` finds, and how long it may take. Used by its checks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from projects.core.values.errors import TimedOut

SECONDS = 3.0
"""How long whatever is asked may take to answer."""
Answer = TypeVar("Answer")


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
      level: How bad it is.
      subject: What it is about, in a word.
      text: What was found.
      advice: What to do about it.
    """

    level: Level
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    """Return that something is missing which not everybody needs."""
    return Finding(Level.WARNING, subject, text, advice)


def problem(subject: str, text: str, advice: str) -> Finding:
    """Return that something is missing without which a run fails."""
    return Finding(Level.PROBLEM, subject, text, advice)


def bounded(ask: Callable[[], Answer], what: str, seconds: float = SECONDS) -> Answer:
    """Return the answer to a question, whatever hangs: a file system, a name server, a plugin of a kubeconfig.

    Args:
      ask: The question.
      what: What is asked, for the message.
      seconds: How long to wait. The thread that still asks then ends with the process.

    Raises:
      TimedOut: there was no answer in time.
    """
    answers: list[Answer] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - raised where it was asked
            errors.append(error)

    thread = threading.Thread(target=work, name=f"doctor: {what}", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimedOut(f"{what} did not answer within {seconds:g} s")
    return answers[0]
