"""What a template is given for a name that is not there, and the filters that it has. Called by `rendering` only.

VALUE | or_env("NAME")       the value, or else the environment variable
"message" | raise_exception  the template cannot be rendered, for a reason of its own
"message" | log_warning      a line in the log
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, Final, NoReturn

import jinja2
from jinja2.runtime import Context
from jinja2.utils import missing

from projects.core.configuration.view import View
from projects.core.values.nearest import did_you_mean

logger = logging.getLogger(__name__)


class Absent(jinja2.UndefinedError):
    """A name that neither the template nor the configuration has: wrong whatever the values are."""


class Unset(jinja2.UndefinedError):
    """Neither a value nor an environment variable, where one is wanted: only a run has it."""


class Refused(jinja2.TemplateRuntimeError):
    """The template refuses to be rendered with the values that there are."""


class Missing(jinja2.StrictUndefined):
    """A name that is not there. Every use of it is an error that names it as the configuration does."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ) -> None:
        known = obj is missing or isinstance(obj, View)
        super().__init__(hint, obj, name, Absent if known and exc is jinja2.UndefinedError else exc)

    @property
    def _undefined_message(self) -> str:
        obj = self._undefined_obj
        if self._undefined_hint or not isinstance(obj, View):
            return super()._undefined_message
        key = obj.key(str(self._undefined_name))
        hint = did_you_mean(key, map(obj.key, map(str, obj)))
        return f"'{key}' is undefined" + (f"; {hint}" if hint else "")


class MissingEnvironment(Missing):
    """Neither a value nor an environment variable: false in a condition, an error wherever a value is wanted.

    A sum with it is as missing as it is, so that a header may compute paths that only some sections use.
    """

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # Jinja's own never returns
        """Tell that there is none."""
        return False

    def __add__(self, _other: Any) -> MissingEnvironment:  # type: ignore[override]
        """Stay missing."""
        return self

    __radd__ = __add__  # type: ignore[assignment]


class _Silent:
    """What a filter returns that leaves nothing in the text."""


SILENT: Final = _Silent()


# Each takes the context, so that Jinja does not call it while it compiles a branch that is not taken.
@jinja2.pass_context
def _or_env(_context: Context, value: Any, name: str) -> Any:
    if value:
        return value
    if found := os.environ.get(name):
        return found
    hint = f"expected a value, or else the environment variable {name}; found neither"
    return MissingEnvironment(hint=hint, exc=Unset)


@jinja2.pass_context
def _raise_exception(_context: Context, message: str) -> NoReturn:
    raise Refused(message)


@jinja2.pass_context
def _log_warning(_context: Context, message: str) -> _Silent:
    logger.warning("%s", message)
    return SILENT


FILTERS: dict[str, Callable[..., Any]] = {
    "or_env": _or_env,
    "raise_exception": _raise_exception,
    "log_warning": _log_warning,
}
