"""Finding toolbox groups and commands without importing them. Called by the CLI, by `run.run_toolbox` and by the generators.

A group is `toolbox/<group>/<group>.py` or `projects/*/toolbox/<group>/<group>.py`; a command is a method of a class in
it that is decorated with `@command`. The modules are parsed, never run, so that listing them costs milliseconds
and a broken private group breaks only itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from projects.core.values.checkout import ROOT
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its name, module, class, first line of documentation, and its commands with theirs."""

    name: str
    module: Path
    class_name: str
    summary: str
    commands: dict[str, str]

    def role(self, command: str) -> Path:
        """Return the directory of a command's role."""
        return self.module.parent / "roles" / f"{self.name}_{command}"


def group_modules(root: Path = ROOT) -> dict[str, Path]:
    """Return the module of every group below `root`, by the group's name, in order of the names.

    Raises:
      UsageError: two groups have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted([*root.glob("toolbox/*/*.py"), *root.glob("projects/*/toolbox/*/*.py")]):
        name = path.parent.name
        if path.stem != name or name.startswith("_"):
            continue
        if name in found:
            raise UsageError(f"the toolbox group '{name}' is declared twice: in {found[name]} and in {path}")
        found[name] = path
    return dict(sorted(found.items()))


def find_group(name: str, root: Path = ROOT) -> Group:
    """Return one group.

    Raises:
      UsageError: there is no such group (with the nearest match), or its module cannot be parsed.
    """
    modules = group_modules(root)
    if name not in modules:
        raise UsageError(f"unknown toolbox group '{name}'", hint=did_you_mean(name, modules))
    return read_group(name, modules[name])


def all_groups(root: Path = ROOT) -> Iterator[Group]:
    """Yield every group, in order of their names."""
    for name, module in group_modules(root).items():
        yield read_group(name, module)


def summaries(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the name and summary of every group; a broken one says so and leaves the others to be listed."""
    for name, module in group_modules(root).items():
        try:
            yield name, read_group(name, module).summary
        except UsageError as error:
            yield name, f"({error.message})"


def read_group(name: str, module: Path) -> Group:
    """Return the group that a module declares.

    Raises:
      UsageError: the module cannot be parsed, or declares no command.
    """
    try:
        tree = ast.parse(module.read_bytes())
    except SyntaxError as error:
        raise UsageError(
            f"the toolbox group '{name}' cannot be parsed: {error.msg}", place=f"{module}:{error.lineno or 1}"
        ) from error
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (commands := _commands(node)):
            return Group(name, module, node.name, _summary(node), commands)
    raise UsageError(
        f"the toolbox group '{name}' declares no command", hint="decorate a method with @command", place=module
    )


def find_command(group: str, command: str, root: Path = ROOT) -> Group:
    """Return the group that holds a command.

    Raises:
      UsageError: there is no such group or command, with the nearest match.
    """
    found = find_group(group, root)
    if command not in found.commands:
        raise UsageError(f"unknown command '{group} {command}'", hint=did_you_mean(command, found.commands))
    return found


def _commands(node: ast.ClassDef) -> dict[str, str]:
    return {
        method.name: _summary(method)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and any(_is_command(each) for each in method.decorator_list)
    }


def _is_command(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (isinstance(name, ast.Name) and name.id == "command") or (
        isinstance(name, ast.Attribute) and name.attr == "command"
    )


def _summary(node: ast.ClassDef | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]
