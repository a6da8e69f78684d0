"""`Parallel`: branches that run side by side, and end together when one fails. Imported by orchestrations through `run`."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context, copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from projects.core import planning
from projects.core.console import branch_output
from projects.core.execution.cancellation import SIGNAL_LOOK_S, CancelToken, clean_up, current_token, scope
from projects.core.library import env
from projects.core.library.directories import directory_of
from projects.core.library.scope import StepScope
from projects.core.record import context
from projects.core.values.errors import Cancelled

logger = logging.getLogger(__name__)
_SHORT = 60


class ParallelFailed(BaseExceptionGroup):
    """Every error of a `Parallel` whose failure ends the process; not an `Exception`, so that it is not swallowed on the way."""


@dataclass(slots=True)
class _Branch:
    index: int
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    context: Context
    error: BaseException | None = None

    @property
    def name(self) -> str:
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def _label(self) -> str:
        """What its output is headed with: two branches of one function differ by what they were given."""
        return " ".join([self.name, *(each for each in self.args if isinstance(each, str) and len(each) <= _SHORT)])

    def run(self, token: CancelToken) -> None:
        """Run in the context that it was made in; cancel the siblings when it fails."""
        try:
            self.context.run(self._run, token)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            if isinstance(error, SystemExit) and not error.code:
                return  # the branch has ended, as its step says
            if self.context.run(planning.is_planning) and self.context.run(planning.forgiven):
                return  # the others are planned, whatever this one depends on
            self.error = error
            token.cancel(f"the branch '{self.name}' failed: {error}")

    def _run(self, token: CancelToken) -> None:
        arguments = {"index": self.index, "function": getattr(self.function, "__qualname__", self.name)}
        step = StepScope("branch", self.name, arguments=arguments, branch=True, occurrence=self.index)
        with scope(CancelToken(token)), branch_output(self._label), step:
            token.check()
            self.function(*self.args, **self.kwargs)


class Parallel:
    """Run functions side by side: what `delayed` is given starts when the block ends, and the block waits for all.

    There is a worker a task. The first failure cancels the siblings: what they wait for gets TERM, then KILL, and
    they raise `Cancelled`. Their `finally` blocks run, and every error is raised together.

    Args:
      name: Name of the step, and of its numbered directory.
      exit_on_exception: Whether a failure ends the process: the group that is raised is not an `Exception` then.
      dedicated_dir: Whether the branches get a numbered directory of their own.
      limit: How many branches run at the same time; None for all.
    """

    def __init__(
        self, name: str, exit_on_exception: bool = True, dedicated_dir: bool = True, *, limit: int | None = None
    ) -> None:
        self._name = name
        self._exit_on_exception = exit_on_exception
        self._dedicated_dir = dedicated_dir
        self._limit = limit
        self._tasks: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def delayed(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Take a function and its arguments; it runs when the block ends."""
        self._tasks.append((function, args, kwargs))

    def __enter__(self) -> Self:
        """Begin to take functions."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Run what was taken, unless the block itself has failed."""
        if error is not None:
            logger.warning(
                "Parallel '%s': its block failed, so none of its %d tasks was started", self._name, len(self._tasks)
            )
            return
        occurrence = context.here().count("parallel", self._name)
        directory = env.ARTIFACT_DIR
        if self._dedicated_dir:
            directory = directory_of("parallel", self._name, occurrence)
        with StepScope("parallel", self._name, directory=directory, occurrence=occurrence):
            self._run()

    def _run(self) -> None:
        with ExitStack() as stack:
            token = stack.enter_context(scope(CancelToken(current_token())))
            branches = [_Branch(n, *task, context=copy_context()) for n, task in enumerate(self._tasks)]
            # A plan is told in one order.
            _run_all(branches, token, 1 if planning.is_planning() else self._limit or len(branches))
        errors = [branch.error for branch in branches if branch.error is not None]
        if not errors:
            return
        clean_up()
        own = [each for each in errors if not isinstance(each, Cancelled)]
        if not own:
            raise errors[0]  # cancelled from outside: there is nothing of our own to report
        group = ParallelFailed if self._exit_on_exception else BaseExceptionGroup
        raise group(f"{len(own)} of {len(branches)} branches of '{self._name}' failed", own)


class _Worker(threading.Thread):
    """Runs waiting branches until there are none.

    It is waited for by its event: a `join` that a signal's handler interrupts makes CPython 3.11 take the thread for
    ended, so that neither the next `join` nor the end of the process waits for it.
    """

    def __init__(self, waiting: deque[_Branch], token: CancelToken) -> None:
        super().__init__(name="branch")
        self._ended = threading.Event()
        self._waiting = waiting
        self._token = token

    def wait(self) -> None:
        """Wait until there are no more branches; a signal's handler may raise here."""
        while not self._ended.wait(SIGNAL_LOOK_S):
            continue

    def run(self) -> None:
        """Run the branches."""
        try:
            while self._waiting:
                try:
                    branch = self._waiting.popleft()
                except IndexError:  # another worker was faster
                    return
                branch.run(self._token)
        finally:
            self._ended.set()


def _run_all(branches: list[_Branch], token: CancelToken, limit: int) -> None:
    waiting = deque(branches)
    workers = [_Worker(waiting, token) for _ in range(min(limit, len(branches)))]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait()
    except BaseException as error:
        # A signal, or there can be no more threads: the branches end first, then it goes on.
        token.cancel(str(error) or type(error).__name__)
        for worker in workers:
            if worker.ident is not None:
                worker.wait()
        raise
