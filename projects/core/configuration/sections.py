"""The sections of a command_args template, found in its text without rendering it. Called by `templates`.

    {% set image = base_image.name %}      the header: rendered with each section of the file

    cluster preload_image/notebook:        a section: [PREFIX/]GROUP COMMAND[/SUFFIX], at the start of a line
      image: {{ image }}

Only the asked section is compiled and rendered, so that nothing in another one can fail it. Its text keeps its line
numbers: what does not belong to it is left blank. One-line ``{% set … %}`` between two sections belong to all that follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from projects.core.configuration.document import Place, shown
from projects.core.values.errors import TemplateError

SPELLINGS = ("command_args.yaml.j2", "command_args.yml.j2")
# A bracket that is never closed hides nothing: what it would hide ends where another one opens.
_JINJA = re.compile(
    r"\{%(?:(?!\{%|\{\{).)*?%\}|\{\{(?:(?!\{%|\{\{).)*?\}\}|\{#.*?#\}",
    re.DOTALL,
)
_KEY = re.compile(r"(?P<quote>[\"']?)(?P<name>[^\s#\"'\0][^:#\"'\0]*?)(?P=quote)\s*:(?=\s|$)")
_SET = re.compile(r"\{%-?\s*set\s[^%]*%\}\s*$")
_NOTHING = re.compile(r"\s*(#.*|\{#.*#\}\s*)?$")


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a template file.

    Attributes:
      name: Its key.
      place: The line of its key.
      source: What is rendered for it: the header and the section, on their own lines of the file.
    """

    name: str
    place: Place
    source: str


def template_file(directory: Path) -> Path | None:
    """Return the template of a directory, in either spelling; None when there is none.

    Raises:
      TemplateError: both spellings are there.
    """
    found = [directory / name for name in SPELLINGS if (directory / name).exists()]
    if len(found) > 1:
        raise TemplateError(
            f"expected one template, found {' and '.join(SPELLINGS)}",
            hint="keep one of them: sections are not looked up in two files",
            place=shown(directory),
        )
    return found[0] if found else None


def read_sections(file: Path) -> dict[str, Section]:
    """Return the sections of a template file by their names.

    Raises:
      TemplateError: the file cannot be read, or has a section twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"expected a template, which cannot be read: {error}", place=shown(file)) from error
    return sections_of(text, file)


def sections_of(text: str, file: Path) -> dict[str, Section]:
    """Return the sections of a template's text; see `read_sections`."""
    lines = text.split("\n")
    starts = list(_starts(text))
    bounds = [*(line for line, _ in starts), len(lines)]
    shared = set(range(bounds[0]))
    sections: dict[str, Section] = {}
    for (start, name), end in zip(starts, bounds[1:], strict=True):
        place = Place(file, start + 1)
        if name in sections:
            raise TemplateError(
                f"the section '{name}' is written twice; first at {sections[name].place}", place=str(place)
            )
        own = set(range(start, end))
        sections[name] = Section(name, place, _only(lines, shared | own))
        shared |= _sets_at_the_end(lines, start, end)
    return sections


def _starts(text: str) -> Iterable[tuple[int, str]]:
    """Give the line and the name of each section. What stands inside of Jinja's brackets is no YAML yet."""
    hidden = _JINJA.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), text)
    for number, line in enumerate(hidden.split("\n")):
        if found := _KEY.match(line):
            yield number, " ".join(found["name"].split())


def _sets_at_the_end(lines: list[str], start: int, end: int) -> set[int]:
    found = set()
    for number in range(end - 1, start, -1):
        if _SET.match(lines[number]):
            found.add(number)
        elif not _NOTHING.match(lines[number]):
            break
    return found


def _only(lines: list[str], wanted: set[int]) -> str:
    return "\n".join(line if number in wanted else "" for number, line in enumerate(lines))


def name_of_section(group: str, command: str, prefix: str | None, suffix: str | None) -> str:
    """Return the key of a section."""
    return f"{prefix}/" * bool(prefix) + f"{group} {command}" + f"/{suffix}" * bool(suffix)


def laid_over(files: Iterable[Path]) -> Mapping[str, Section]:
    """Return the sections of several files, those of a later file in the place of an earlier one's."""
    sections: dict[str, Section] = {}
    for file in files:
        sections |= read_sections(file)
    return sections
