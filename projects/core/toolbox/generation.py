"""What is generated from the declarations: each role's `defaults/main.yml` and the toolbox reference. Called by `make docs`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import yaml

from projects.core.toolbox import conversion
from projects.core.toolbox.binding import Parameter
from projects.core.toolbox.discovery import all_groups, find_group
from projects.core.toolbox.help import command_help
from projects.core.toolbox.specification import Specification, specify
from projects.core.values.checkout import ROOT

_NOTE = "generated from the command's declaration by `make docs`; do not edit"
REFERENCE = Path("docs/reference/toolbox")


def generated_files(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield each generated file of a checkout with the text that it must hold."""
    index = [f"<!-- {_NOTE} -->\n\n# Toolbox reference\n"]
    for group in all_groups(root):
        specifications = [specify(group.name, command, root) for command in group.commands]
        for each in specifications:
            yield each.role / "defaults" / "main.yml", defaults_of(each)
        if group.module.is_relative_to(root / "toolbox"):
            yield root / REFERENCE / f"{group.name}.md", reference_of(group.name, specifications, root)
            index.append(_index_of(group.name, group.commands, group.summary))
    yield root / REFERENCE / "index.md", "\n".join(index)


def defaults_of(specification: Specification) -> str:
    """Return the text of a role's `defaults/main.yml`."""
    documentation = specification.documentation
    parts = ["---", f"# {_NOTE}", f"# {specification.name}: {documentation.summary}"]
    optional = 0
    for each in specification.parameters.values():
        comment = documentation.arguments.get(each.name, "")
        parts.append("\n" + textwrap.indent(textwrap.fill(comment, 110), "# "))
        parts.append(f"# Type: {conversion.describe(each.annotation)}")
        parts.append(_default(specification.variable(each.name), each))
        optional += not each.required
    return "\n".join(parts) + ("\n" if optional else "\n\n{}\n")


def reference_of(name: str, specifications: list[Specification], root: Path = ROOT) -> str:
    """Return the reference page of a group, in Markdown."""
    parts = [f"<!-- {_NOTE} -->", f"# `{name}`", find_group(name, root).summary]
    for each in specifications:
        text = command_help(f"./run_toolbox.py {each.name}", each.parameters, each.documentation)
        parts += [f"## `{each.name}`", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def _index_of(group: str, commands: dict[str, str], summary: str) -> str:
    rows = [f"- [`{group} {name}`]({group}.md#{group}-{name}): {text}" for name, text in commands.items()]
    return "\n".join([f"## [`{group}`]({group}.md)\n", f"{summary}\n", *rows, ""])


def _default(variable: str, parameter: Parameter) -> str:
    if parameter.required:
        return f"# Mandatory: {variable}"
    value = {variable: conversion.to_data(parameter.default)}
    text = yaml.safe_dump(value, default_flow_style=False, allow_unicode=True, width=4000)
    return text.removesuffix("\n")  # no other white space: it may be the default
