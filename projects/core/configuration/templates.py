"""The arguments of a toolbox command, as the templates of a project say. Called by the library and by ``from_config``.

The root's `command_args.yaml.j2` lies under the project's, section by section.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from projects.core.configuration.document import shown
from projects.core.configuration.layers import Configuration
from projects.core.configuration.references import ReadSecret, Resolver
from projects.core.configuration.sections import Section, laid_over, name_of_section, template_file
from projects.core.values.checkout import ROOT
from projects.core.values.errors import TemplateError, UsageError
from projects.core.values.nearest import did_you_mean

PRIVATE = "_"


@dataclass(frozen=True, slots=True)
class Templates:
    """The sections of some template files, a later file's in the place of an earlier one's."""

    files: tuple[Path, ...]
    sections: Mapping[str, Section]

    def named(self, group: str, command: str, prefix: str | None = None, suffix: str | None = None) -> Section:
        """Return the section of a command; see `section`."""
        return self.section(name_of_section(group, command, prefix, suffix))

    def section(self, name: str) -> Section:
        """Return a section by its key.

        Raises:
          TemplateError: there is none of this name.
        """
        if name in self.sections:
            return self.sections[name]
        place = ", ".join(map(shown, self.files)) or "no template was found"
        raise TemplateError(f"there is no section '{name}'", hint=did_you_mean(name, self.sections), place=place)


def read_templates(project: Path | None, root: Path = ROOT) -> Templates:
    """Read a project's template and the root's under it.

    Args:
      project: The project's directory, or its template file itself; None when there is only the root's.
      root: The root of the checkout.

    Raises:
      TemplateError: a file cannot be read, or is there in both spellings.
    """
    own = template_file(project) if project and project.is_dir() else project
    files = tuple(dict.fromkeys(file for file in (template_file(root), own) if file is not None))
    return Templates(files, laid_over(files))


def arguments(
    section: Section,
    configuration: Configuration,
    read_secret: ReadSecret,
    extra: Mapping[str, Any] | str | None = None,
) -> dict[str, Any]:
    """Return the arguments of a section, private ones too.

    Args:
      section: The section to render.
      configuration: What its expressions can name.
      read_secret: Reads the secrets among it.
      extra: Arguments that win over the section's, as they are; text is read as YAML.

    Raises:
      TemplateError: the section cannot be rendered.
      UsageError: `extra` is no mapping.
    """
    # Jinja takes 40 ms to import: only who renders pays for it.
    from projects.core.configuration.rendering import render  # noqa: PLC0415
    from projects.core.configuration.view import View  # noqa: PLC0415

    return render(section, View(Resolver(configuration, read_secret))) | _mapping(extra)


def without_private(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as they are handed to the command: without those that only other arguments use."""
    return {name: value for name, value in values.items() if not name.startswith(PRIVATE)}


def _mapping(extra: Mapping[str, Any] | str | None) -> dict[str, Any]:
    value = yaml.load(extra, Loader=yaml.CSafeLoader) if isinstance(extra, str) else extra
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(name): member for name, member in value.items()}
    raise UsageError(f"extra: expected a mapping of arguments, found {type(value).__name__}")
