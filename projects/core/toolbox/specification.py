"""A command's whole specification, from its signature and docstring. Called by whoever runs or documents a command.

This imports the group's module, so it is done for the one command that is asked for.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from projects.core.toolbox import conversion
from projects.core.toolbox.binding import Parameter, parameters_of
from projects.core.toolbox.declaration import MARK, Declaration
from projects.core.toolbox.discovery import Group, find_command
from projects.core.values.checkout import ROOT
from projects.core.values.errors import UsageError

_loading = threading.RLock()


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a docstring says: summary, description, a text per argument, and what is raised when."""

    summary: str
    description: str
    arguments: dict[str, str]
    raises: dict[str, str]


@dataclass(frozen=True, slots=True)
class Specification:
    """A toolbox command: names, role, parameters, documentation, and the method that validates."""

    group: str
    command: str
    role: Path
    parameters: dict[str, Parameter]
    validator: Callable[..., None]
    declaration: Declaration

    @property
    def name(self) -> str:
        """``group command``, as on the command line."""
        return f"{self.group} {self.command}"

    @property
    def documentation(self) -> Documentation:
        """The parsed docstring."""
        return read_docstring(self.validator)

    def variable(self, argument: str) -> str:
        """Return the name of the role's variable for an argument."""
        return f"{self.role.name}_{argument}"

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return bound arguments with the defaults filled in, in the order of the signature."""
        return {name: arguments.get(name, each.default) for name, each in self.parameters.items()}

    def validate(self, arguments: Mapping[str, Any]) -> None:
        """Run the method's body with the complete arguments.

        Raises:
          UsageError: the body refuses them.
        """
        self.validator(**arguments)

    def variables(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the role's variables for complete arguments, as data."""
        return {self.variable(name): conversion.to_data(value) for name, value in arguments.items()}

    def directory_name(self, arguments: Mapping[str, Any]) -> str:
        """Return the name of the artifact directory, without its number."""
        suffix = self.declaration.directory_suffix.format_map(dict(arguments))
        return f"{self.group}__{self.command}{suffix.replace('/', '_')}"


def specify(group: str, command: str, root: Path = ROOT) -> Specification:
    """Return the specification of a command.

    Raises:
      UsageError: there is no such command, its module does not import, or it has no role.
    """
    found = find_command(group, command, root)
    role = found.role(command)
    if not (role / "tasks" / "main.yml").is_file():
        raise UsageError(f"the command '{group} {command}' has no role", hint="write its tasks/main.yml", place=role)
    method = getattr(_load(found), found.class_name)().__getattribute__(command)
    return Specification(group, command, role, parameters_of(method), method, getattr(method, MARK))


def read_docstring(function: Callable[..., Any]) -> Documentation:
    """Return a Google-style docstring in its parts.

    Args:
      function: A function, method or class.
    """
    import docstring_parser  # noqa: PLC0415 - needed for help and the reference only

    parsed = docstring_parser.parse(function.__doc__ or "", docstring_parser.DocstringStyle.GOOGLE)
    return Documentation(
        parsed.short_description or "",
        parsed.long_description or "",
        {each.arg_name: " ".join((each.description or "").split()) for each in parsed.params},
        {each.type_name or "": " ".join((each.description or "").split()) for each in parsed.raises},
    )


def _load(group: Group) -> ModuleType:
    with _loading:  # branches that ask for a group at the same time must not see half of its module
        return _loaded(group)


def _loaded(group: Group) -> ModuleType:
    name = f"foresail_toolbox.{group.name}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(group.module):
        return loaded
    spec = importlib.util.spec_from_file_location(name, group.module)
    if spec is None or spec.loader is None:
        raise UsageError(f"the toolbox group '{group.name}' cannot be loaded", place=group.module)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and type hints look their module up here
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(
            f"the toolbox group '{group.name}' cannot be imported: {type(error).__name__}: {error}", place=group.module
        ) from error
    return module
