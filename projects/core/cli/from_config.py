"""`run_toolbox.py from_config GROUP COMMAND …`: a toolbox command with the arguments of its section in a project's template."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from projects.core.cli.toolbox import FROM_CONFIG, run_command
from projects.core.library import config
from projects.core.record.steps import redacted
from projects.core.toolbox.binding import bind_line, parameters_of
from projects.core.toolbox.conversion import Words
from projects.core.toolbox.discovery import find_command
from projects.core.toolbox.help import command_help, usage_of
from projects.core.toolbox.specification import read_docstring
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.redaction import REDACTOR


def run(script: str, words: Sequence[str], *, check: bool) -> int:
    """Run one line.

    Args:
      script: The script's name, for help.
      words: The words behind ``from_config``.
      check: Whether nothing may be written and what would change is shown.

    Returns:
      The exit code.
    """
    parameters = parameters_of(from_config)
    del parameters["check"]
    name = f"{script} {FROM_CONFIG}"
    if {"--help", "-h"} & set(words):
        print(command_help(name, parameters, read_docstring(from_config), bare=True))
        return 0
    try:
        given = bind_line(parameters, words)
    except UsageError:
        print(usage_of(name, parameters, bare=True), file=sys.stderr)
        raise
    return from_config(**given, check=check)


def from_config(  # noqa: PLR0913 - the flags of its command line
    group: str,
    command: str,
    *,
    project: str | None = None,
    config_file: Path | None = None,
    command_args_file: Path | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
    extra: dict[str, Any] | None = None,
    set_: Words = Words(),  # noqa: B008 - immutable
    show_args: str | bool = False,
    check: bool = False,
) -> int:
    """Run a toolbox command with the arguments of its section in a project's `command_args.yaml.j2`.

    Args:
      group: The command's group.
      command: Its name.
      project: The project whose configuration and template are taken.
      config_file: A configuration file, when no project is named.
      command_args_file: A template, when no project is named.
      prefix: What stands before the command in the section's name, as in PREFIX/GROUP COMMAND.
      suffix: What stands behind it, as in GROUP COMMAND/SUFFIX.
      extra: Arguments that are laid over the section's, in YAML or JSON.
      set_: A value of the configuration, as KEY=VALUE; above presets.
      show_args: Print the arguments as YAML, or the value of the one that is named, and run nothing.
      check: Whether nothing may be written and what would change is shown.

    Returns:
      The exit code.

    Raises:
      TemplateError: the section cannot be rendered; the error names template, line, section and variable.
    """
    find_command(group, command)
    configuration = config.read(
        project_name=project, config_file=config_file, command_args_file=command_args_file, settings=set_
    )
    shown = bool(show_args)
    with config.use(configuration):
        arguments = config.command_args(group, command, prefix=prefix, suffix=suffix, extra=extra, private=shown)
        if shown:
            print(REDACTOR.redact(_shown(redacted(arguments), show_args)))
            return 0
        place = config.place_of_section(group, command, prefix=prefix, suffix=suffix)
        return run_command(group, command, arguments, check=check, place=place)


def _shown(arguments: dict[str, Any], name: str | bool) -> str:
    """Return what --show_args prints."""
    if name is True:
        return yaml.safe_dump(arguments, sort_keys=False, allow_unicode=True, width=4000).removesuffix("\n")
    if name not in arguments:
        raise UsageError(f"the section has no argument '{name}'", hint=did_you_mean(str(name), arguments))
    value = arguments[name]
    return (
        value if isinstance(value, str) else yaml.safe_dump(value, width=4000).removesuffix("...\n").removesuffix("\n")
    )
