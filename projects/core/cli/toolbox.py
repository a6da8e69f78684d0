"""`run_toolbox.py`: list groups and commands, run one, or run one with the arguments of a project's configuration.

Listings and help are answered from the parsed modules; Ansible and kubernetes are imported by what runs a command.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from projects.core.cli import verbs
from projects.core.toolbox import discovery
from projects.core.toolbox.help import listing
from projects.core.values.errors import ForesailError, UsageError, explain
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import REDACTOR

_HELP = ("--help", "-h")
FROM_CONFIG = "from_config"


def main(argv: Sequence[str]) -> int:
    """Run one line.

    Args:
      argv: The script and its words.

    Returns:
      The exit code, by the table in docs/reference/exit-codes.md.
    """
    script, words = argv[0], list(argv[1:])
    check = words[:1] == ["--check"]
    try:
        return _dispatch(script, words[check:], check=check)
    except ForesailError as error:
        print(REDACTOR.redact(explain(error)), file=sys.stderr)
        return int(error.exit_code)


def _dispatch(script: str, words: list[str], *, check: bool) -> int:
    if not words or words[0] in _HELP:
        print(_overview(script), file=sys.stdout if words else sys.stderr)
        return 0 if words else int(ExitCode.USAGE)
    if words[0] == FROM_CONFIG:
        from projects.core.cli.from_config import run  # noqa: PLC0415 - a listing needs none of it

        return run(script, words[1:], check=check)
    if verbs.is_built_in(words[0]):
        return _verb(script, words)
    group = discovery.find_group(words[0])
    if len(words) == 1 or words[1] in _HELP:
        print(_group_help(script, group), file=sys.stdout if len(words) > 1 else sys.stderr)
        return 0 if len(words) > 1 else int(ExitCode.USAGE)
    return _command(script, words, check=check)


def _verb(script: str, words: list[str]) -> int:
    try:
        code = verbs.run(script, words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `… | head`: who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _command(script: str, words: list[str], *, check: bool) -> int:
    from projects.core.toolbox.binding import bind_line  # noqa: PLC0415
    from projects.core.toolbox.help import command_help, usage_of  # noqa: PLC0415
    from projects.core.toolbox.specification import specify  # noqa: PLC0415

    group, command, *rest = words
    specification = specify(group, command)
    name = f"{script} {specification.name}"
    if set(_HELP) & set(rest):
        print(command_help(name, specification.parameters, specification.documentation))
        return 0
    try:
        given = bind_line(specification.parameters, rest)
    except UsageError:
        print(usage_of(name, specification.parameters), file=sys.stderr)
        raise
    return run_command(group, command, given, check=check)


def run_command(group: str, command: str, given: Mapping[str, Any], *, check: bool, place: str | None = None) -> int:
    """Validate the arguments of a command, run it as a run of its own, and return the exit code."""
    from projects.core.library import commands  # noqa: PLC0415
    from projects.core.library.session import run_session  # noqa: PLC0415

    specification, arguments = commands.bind(group, command, given, place=place)

    def work() -> None:
        commands.call(specification, arguments, check=check)

    return int(run_session(work, project="toolbox", report=False))


def _overview(script: str) -> str:
    return (
        f"usage: {script} [--check] GROUP COMMAND [--argument=value …]\n"
        f"       {script} [--check] {FROM_CONFIG} GROUP COMMAND --project=NAME […]\n"
        f"       {script} VERB [ARGUMENTS]\n\n"
        f"groups:\n{listing(discovery.summaries())}\n\n"
        f"verbs:\n{listing((name, each.summary) for name, each in verbs.BUILT_IN.items())}\n\n"
        f"{script} GROUP --help lists its commands, {script} VERB --help tells of a verb. --check writes nothing and shows what would change."
    )


def _group_help(script: str, group: discovery.Group) -> str:
    rows = listing(group.commands.items())
    return (
        f"usage: {script} {group.name} COMMAND [--argument=value …]\n\n{group.summary}\n\n"
        f"commands:\n{rows}\n\n{script} {group.name} COMMAND --help tells more."
    )
