"""Lines of Foresail's own verbs (`configure`, `runs`, `doctor`, …): how one is bound and called.

Called by `toolbox`. A verb is a function with typed parameters and a Google-style docstring, which returns an exit code
or None; which module it is in is said by the table in `built_in`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from projects.core.cli.built_in import BUILT_IN, BuiltIn, is_built_in
from projects.core.toolbox.help import listing
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode

__all__ = ["BUILT_IN", "BuiltIn", "call", "is_built_in", "run"]
HELP = ("--help", "-h")


def run(script: str, words: Sequence[str]) -> int:
    """Run one line whose first word is a built-in verb.

    Args:
      script: The script's name, for help.
      words: The words of the line.

    Returns:
      The exit code.
    """
    name, *rest = words
    name = name if name in BUILT_IN else name.replace("_", "-")
    verb = BUILT_IN[name]
    if not verb.verbs:
        return call(f"{script} {name}", _function(verb.module, verb.module), rest)
    if not rest or rest[0] in HELP:
        print(_group_help(f"{script} {name}", verb), file=sys.stdout if rest else sys.stderr)
        return 0 if rest else int(ExitCode.USAGE)
    if rest[0] not in verb.verbs:
        raise UsageError(f"{name} has no '{rest[0]}'", hint=did_you_mean(rest[0], verb.verbs))
    return call(f"{script} {name} {rest[0]}", _function(verb.module, rest[0]), rest[1:])


def call(script: str, function: Callable[..., int | None], words: Sequence[str]) -> int:
    """Bind the words behind a verb to its function and call it.

    Args:
      script: What stands before the words, for help.
      function: The function.
      words: The words.

    Returns:
      What it returned, 0 for None.

    Raises:
      UsageError: the words do not fit its signature; its usage was printed.
    """
    from projects.core.toolbox.binding import bind_line, parameters_of  # noqa: PLC0415 - a listing needs none of it
    from projects.core.toolbox.help import command_help, usage_of  # noqa: PLC0415
    from projects.core.toolbox.specification import read_docstring  # noqa: PLC0415

    parameters = parameters_of(function)
    if set(HELP) & set(words):
        print(command_help(script, parameters, read_docstring(function), bare=True))
        return 0
    try:
        given = bind_line(parameters, words)
    except UsageError:
        print(usage_of(script, parameters, bare=True), file=sys.stderr)
        raise
    return int(function(**given) or 0)


def _function(module: str, name: str) -> Callable[..., Any]:
    """Return the function of a verb; one whose name is a builtin's, such as `list`, ends with an underscore."""
    found = import_module(f"projects.core.cli.{module}")
    function: Callable[..., Any] = getattr(found, name, None) or getattr(found, f"{name}_")
    return function


def _group_help(script: str, verb: BuiltIn) -> str:
    return (
        f"usage: {script} VERB [ARGUMENTS]\n\n{verb.summary}\n\n"
        f"verbs:\n{listing(verb.verbs.items())}\n\n{script} VERB --help tells more."
    )
