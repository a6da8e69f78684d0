"""Lines of Foresail's own verbs (`configure`, `runs`, `doctor`, …): which there are, and how one is bound and called.

Called by `toolbox`. The table tells what a listing needs, so that the module of a verb is imported when it is used. A verb
is a function with typed parameters and a Google-style docstring, which returns an exit code or None.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from projects.core.toolbox.help import listing
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode

HELP = ("--help", "-h")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A verb of `run_toolbox.py` that is no toolbox command.

    Attributes:
      module: Where its functions are, below `projects.core.cli`.
      summary: What it is for, in one line.
      verbs: The functions of a group with a line each; empty for a single verb, whose function is named like the module.
    """

    module: str
    summary: str
    verbs: Mapping[str, str]


BUILT_IN: Mapping[str, BuiltIn] = {
    "configure": BuiltIn(
        "configure",
        "Look into the configuration of a project.",
        {
            "explain": "Tell what a key is set to, and by which layers.",
            "lint": "Tell everything that is wrong in a project's configuration and templates.",
            "diff": "Tell how two configurations differ.",
            "schema": "Print the JSON Schema of a project's configuration.",
            "enter": "Start to work with a project's configuration in a shell.",
            "apply": "Apply a preset to the configuration that was entered.",
            "get": "Print the value of a key of the configuration that was entered.",
            "name": "Print the project of the configuration that was entered.",
        },
    ),
    "runs": BuiltIn(
        "runs",
        "Look at runs, from their records alone.",
        {
            "list": "List the runs below a directory.",
            "show": "Show the steps of a run.",
            "why": "Tell why a run, or a step of it, failed.",
            "watch": "Follow a run while it goes on.",
            "replay": "Play a run again on the terminal, from its record.",
            "compare": "Compare two runs step by step.",
            "open": "Open the report of a run.",
            "report": "Write the report of a run again.",
            "cleanup": "Undo what a run that was killed has left behind.",
        },
    ),
    "doctor": BuiltIn("doctor", "Check this machine: each thing that Foresail needs is ok, or what to do.", {}),
    "explain-exit": BuiltIn("explain_exit", "Explain an exit code.", {}),
    "completion": BuiltIn("completion", "Print the completion script for a shell.", {}),
}


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


def is_built_in(word: str) -> bool:
    """Return whether a word is a built-in verb, with dashes or underscores."""
    return word.replace("_", "-") in BUILT_IN


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
