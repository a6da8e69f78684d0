"""Post steps: toolbox commands that undo what a run has made, done when its entrypoint ends, in whatever way.

They are noted in the run's directory before the effect that they undo, so that `runs cleanup` can do those of a run that
was killed. Imported by orchestrations through `run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from projects.core.execution.cancellation import current_token
from projects.core.library import commands, resume
from projects.core.record import compensations, context
from projects.core.record.compensations import Compensation
from projects.core.toolbox.conversion import to_data
from projects.core.values.errors import NotInitialised, Stop

_registered: ContextVar[list[Compensation] | None] = ContextVar("foresail_post_steps", default=None)


def post(group: str, command: str, **arguments: Any) -> None:
    """Have a toolbox command run when the entrypoint ends, whether it passes, fails or is interrupted.

    To be called before what it undoes. Post steps run in the reverse order of their registration, within the grace after
    a signal; after a kill, `run_toolbox.py runs cleanup DIR` runs them.

    Args:
      group: The command's group.
      command: Its name.
      **arguments: Its arguments. They are written down, so they can hold no secret.

    Raises:
      UsageError: there is no such command, or it does not take these arguments.
      NotInitialised: no entrypoint is running.
    """
    registered = _registered.get()
    if registered is None:
        raise NotInitialised(
            "a post step needs an entrypoint at whose end it runs", hint="call it inside an @entrypoint()"
        )
    commands.bind(group, command, arguments)
    place = context.here()
    registered.append(compensations.register(place.record.root, place.step, group, command, to_data(arguments)))


@contextmanager
def post_steps() -> Iterator[None]:
    """Run the post steps that are registered inside the block, at its end."""
    registered: list[Compensation] = []
    token = _registered.set(registered)
    errors: list[Exception] = []
    try:
        yield
    finally:
        _registered.reset(token)
        errors = _do_all(registered)
    if errors:
        raise errors[0]


def do(compensation: Compensation) -> None:
    """Run the command of a compensation, and note that it was done.

    Raises:
      CommandFailed: it failed; it stays to be done.
    """
    specification, arguments = commands.bind(compensation.group, compensation.command, compensation.arguments)
    with resume.anew("a post step is done at the end of every process"):
        commands.call(specification, arguments)
    compensations.done(context.here().record.root, compensation)


def _do_all(registered: list[Compensation]) -> list[Exception]:
    """Run them all, the last one first, whichever fails; return the errors.

    An interruption that comes meanwhile ends the one that runs, which is done again: the share of the grace for cleaning
    up begins with it. When that is over, too, the rest stays to be done.
    """
    left, errors = list(registered), list[Exception]()
    interrupted: Stop | None = None
    while left:
        try:
            do(left[-1])
        except Exception as error:  # noqa: BLE001 - the others have to be tried; it is raised after them, and recorded
            errors.append(error)
        except Stop as error:
            if interrupted is not None or current_token().cancelled:
                raise
            interrupted = error
            continue
        left.pop()
    if interrupted is not None:
        raise interrupted
    return errors
