"""`@run.step`: a function as a step of its own that a resumed run does not do again. Imported by orchestrations through `run`."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import textwrap
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from projects.core.configuration import reads
from projects.core.execution.cancellation import deadline
from projects.core.library import commands, env, resume
from projects.core.library.scope import StepScope
from projects.core.record import context
from projects.core.record.steps import redacted
from projects.core.toolbox.conversion import to_data
from projects.core.values.unknown import plain

logger = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LONGEST = 65536
"""Characters, as JSON, of what a step may return and have recorded."""


@overload
def step(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]: ...


@overload
def step(*, timeout: float | None = None) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]: ...


def step(function: Callable[..., Any] | None = None, *, timeout: float | None = None) -> Any:
    """Declare a function as a step: it has a numbered directory, and a resumed run does it only when it has to.

    What it returns is recorded, and given back by a resumed run that skips it; so it has to be what JSON can say, and no
    secret. Otherwise it runs again.

    Args:
      function: The function, when used without parentheses.
      timeout: Seconds that it is given; None for as long as it takes.

    Returns:
      The function, which records what it does.
    """

    def decorate(inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            bound = inspect.signature(inner).bind(*args, **kwargs)
            bound.apply_defaults()
            return _call(inner, bound, timeout)

        return wrapper

    return decorate(function) if function is not None else decorate


def _call(function: Callable[..., Any], bound: inspect.BoundArguments, timeout: float | None) -> Any:
    name = function.__name__
    identity = resume.Identity(
        "step", name, context.here().count("step", name), to_data(dict(bound.arguments)), _digest(function)
    )
    decision = resume.decide(identity, code_of=commands.code_of)
    if decision.reused:
        return resume.reuse(identity, decision).details[resume.RETURNED]
    directory = env.claim_directory(resume.marked(name, decision))
    scope = StepScope(
        "step",
        name,
        directory=directory,
        arguments=identity.arguments,
        occurrence=identity.occurrence,
        digest=identity.digest,
    )
    with scope, deadline(timeout, name), reads.collected() as read:
        result = function(*bound.args, **bound.kwargs)
        scope.step.details = {resume.READS: dict(read), **_returned(name, result)}
    return result


def _digest(function: Callable[..., Any]) -> str:
    """Return what stands for a function's code: its own text, and not that of the file, which is edited between two runs."""
    return resume.digest_of(textwrap.dedent(inspect.getsource(function)))


def _returned(name: str, value: Any) -> dict[str, Any]:
    """Return what is recorded of what a step returned: nothing when it would not come back as it was."""
    value = plain(value)  # in a plan, comparing it here is no decision of the orchestration
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = ""
    if text and len(text) <= LONGEST and json.loads(text) == value and redacted(value) == value:
        return {resume.RETURNED: value}
    logger.info("%s: what it returned is not recorded, so a resumed run does it again", name)
    return {}
