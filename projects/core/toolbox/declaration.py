"""`@command`: declare a method as a toolbox command. Used by the classes in `toolbox/<group>/<group>.py`.

The signature and the docstring are the whole declaration: the CLI and its help, the argument check, the role's
defaults and the reference are made from them. The body, when there is one, only validates: it runs with the
bound arguments before anything is started, and raises `UsageError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Method = TypeVar("Method", bound=Callable[..., None])
MARK = "__foresail_command__"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@command` was given.

    `directory_suffix` is a format string over the arguments; it ends the name of the artifact directory. `timeout` is
    how many seconds the command is given, None for as long as it takes.
    """

    directory_suffix: str = ""
    timeout: float | None = None


@overload
def command(method: Method) -> Method: ...


@overload
def command(*, directory_suffix: str = "", timeout: float | None = None) -> Callable[[Method], Method]: ...


def command(method: Method | None = None, *, directory_suffix: str = "", timeout: float | None = None) -> Any:
    """Declare a method as a toolbox command; its role is `roles/<group>_<command>`.

    Args:
      method: The method, when used without parentheses.
      directory_suffix: End of the artifact directory's name, such as ``"_{name}"``.
      timeout: Seconds that the command is given; then it is ended, and its failure has exit code 4.

    Returns:
      The method, marked; calling it validates its arguments and does nothing else.
    """

    def mark(function: Method) -> Method:
        setattr(function, MARK, Declaration(directory_suffix, timeout))
        return function

    return mark(method) if method is not None else mark
