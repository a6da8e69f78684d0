"""Help texts, made from signatures and docstrings. Called by the CLI and by `main` of an orchestration."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from projects.core.toolbox import conversion
from projects.core.toolbox.binding import Parameter
from projects.core.toolbox.specification import Documentation

_WIDTH = 100


def usage_of(script: str, parameters: Mapping[str, Parameter], *, bare: bool = False) -> str:
    """Return the usage line of a command or entrypoint; `bare` shows required arguments as people write them there."""
    words = []
    for each in parameters.values():
        flag = f"--{each.flag}={each.flag.upper()}"
        if each.annotation is bool:
            flag = f"--no{each.flag}" if each.default is True else f"--{each.flag}"
        elif conversion.takes(each.annotation, bool):
            flag = f"--{each.flag}[={each.flag.upper()}]"
        elif bare and each.required and each.positional:
            flag = each.flag.upper()
        if each.annotation is conversion.Words:
            flag += " …"
        words.append(flag if each.required else f"[{flag}]")
    return " ".join([f"usage: {script}", *words])


def listing(rows: Iterable[tuple[str, str]]) -> str:
    """Return names with a line of text each, in two columns."""
    pairs = list(rows)
    width = max((len(name) for name, _ in pairs), default=0)
    return "\n".join(f"  {name.ljust(width)}  {text}".rstrip() for name, text in pairs)


def command_help(
    script: str, parameters: Mapping[str, Parameter], documentation: Documentation, *, bare: bool = False
) -> str:
    """Return the whole help of a command or entrypoint."""
    parts = [usage_of(script, parameters, bare=bare), documentation.summary, documentation.description]
    if parameters:
        parts.append("arguments:\n" + "\n".join(_argument(each, documentation) for each in parameters.values()))
    if documentation.raises:
        parts.append("errors:\n" + listing(documentation.raises.items()))
    return "\n\n".join(part for part in parts if part)


def options_help(parameters: Mapping[str, Parameter], documentation: Documentation) -> str:
    """Return the help of the options that every entrypoint takes, a line each."""
    rows = []
    for each in parameters.values():
        flag = f"--{each.flag}" + ("" if each.annotation is bool else f"={_stand_in(each)}")
        rows.append((flag, documentation.arguments.get(each.name, "")))
    return f"options of every entrypoint:\n{listing(rows)}"


def _stand_in(parameter: Parameter) -> str:
    """Return the word that stands for a flag's value."""
    if parameter.annotation is conversion.Words:
        return "KEY=VALUE"
    kinds = {float: "SECONDS", Path: "PATH"}
    return next((word for kind, word in kinds.items() if conversion.takes(parameter.annotation, kind)), "NAME")


def _argument(parameter: Parameter, documentation: Documentation) -> str:
    default = "required" if parameter.required else f"default: {conversion.to_data(parameter.default)!r}"
    head = f"  --{parameter.flag}  {conversion.describe(parameter.annotation)}, {default}"
    text = documentation.arguments.get(parameter.name, "")
    return head + ("\n" + textwrap.indent(textwrap.fill(text, _WIDTH - 6), " " * 6) if text else "")
