"""What is wrong with the templates and references of a project, whichever preset is applied. Called by ``configure lint``.

Each section is rendered with the configuration as it is and with each preset. What only a run can know is no error: a secret
stands as its reference, and a section that stumbles over null or SET_AT_RUNTIME, or that refuses such values itself, may be right.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from projects.core.configuration.data import SECRET, is_reference
from projects.core.configuration.document import Place
from projects.core.configuration.errors import Problem
from projects.core.configuration.keys import everything, find, parse_key
from projects.core.configuration.layering import with_presets
from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import Loaded
from projects.core.configuration.presets import BLOCK, Request
from projects.core.configuration.reads import collected
from projects.core.configuration.references import Resolver
from projects.core.configuration.sections import Section
from projects.core.configuration.templates import Templates
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError, SecretMissing, TemplateError

AT_RUNTIME = "SET_AT_RUNTIME"
"""What stands in a template or a configuration for what the caller has to give."""
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_SEVERAL = 3


@dataclass(slots=True)
class Findings:
    """What the sections gave: what is wrong, and the arguments of those that could be rendered, with the line of each."""

    rendered: dict[str, tuple[Section, dict[str, Place]]] = field(default_factory=dict)
    wrong: dict[tuple[str, Place | None], list[str]] = field(default_factory=lambda: defaultdict(list))

    def problems(self) -> Iterator[Problem]:
        """Give each problem once, with the presets that it depends on."""
        for (message, place), presets in self.wrong.items():
            with_them = "" if "" in presets else f" (with {_listed(presets)})"
            yield Problem(message + with_them, place, f"lint {message}")


def rendered(loaded: Loaded, templates: Templates) -> Findings:
    """Render every section of some templates with every preset.

    Args:
      loaded: The configuration; presets that cannot be applied are applied as far as they can.
      templates: The templates.
    """
    findings = Findings()
    for name, configuration in _variants(loaded):
        for section in templates.sections.values():
            try:
                findings.rendered.setdefault(section.name, (section, _places(section, configuration)))
            except SecretMissing:
                continue
            except (TemplateError, ConfigError) as error:
                if not _only_a_run_can_tell(error, section, configuration):
                    findings.wrong[_told(error), _place(error, section)].append(name)
    return findings


def references(loaded: Loaded) -> Findings:
    """Follow every reference of a configuration, with every preset; secrets as far as to the names of their files."""
    findings = Findings()
    for name, configuration in _variants(loaded):
        resolver = Resolver(configuration, lambda _key, file: file, masked=True)
        for path, value in everything(configuration.data):
            if not is_reference(value) or path[0] == BLOCK:
                continue
            try:
                resolver.resolve(value, path)
            except ConfigError as error:
                findings.wrong[_told(error), configuration.place(path)].append(name)
    return findings


def _variants(loaded: Loaded) -> Iterator[tuple[str, Configuration]]:
    yield "", loaded.configuration
    for name in loaded.presets:
        yield name, with_presets(loaded.configuration, loaded.presets, [Request(name, "lint")])[0]


def _places(section: Section, configuration: Configuration) -> dict[str, Place]:
    """Render a section; return the line of each argument."""
    from projects.core.configuration.rendering import render_with_places  # noqa: PLC0415 - Jinja takes 40 ms to import
    from projects.core.configuration.view import View  # noqa: PLC0415

    resolver = Resolver(configuration, lambda _key, file: f"{SECRET}{file}")
    return render_with_places(section, View(resolver))[1]


def _only_a_run_can_tell(error: Exception, section: Section, configuration: Configuration) -> bool:
    """Tell whether a section may be right once a run has given it what the files do not say."""
    import jinja2  # noqa: PLC0415

    from projects.core.configuration.undefined import Absent, Refused, Unset  # noqa: PLC0415

    cause = error.__cause__
    if isinstance(cause, Refused | Unset):
        return True
    if cause is None or isinstance(cause, Absent | jinja2.TemplateSyntaxError | ConfigError):
        return False
    return _reads_what_is_not_there_yet(section, configuration)


def _reads_what_is_not_there_yet(section: Section, configuration: Configuration) -> bool:
    with collected() as keys, contextlib.suppress(TemplateError, ConfigError, SecretMissing):
        _places(section, configuration)
    values = (find(configuration.data, parse_key(key) or ()) for key in keys)
    return any(each in (None, AT_RUNTIME) for value in values for _, each in everything(value))


def _told(error: TemplateError | ConfigError) -> str:
    return error.message + (f"; {error.hint}" if error.hint else "")


def _place(error: TemplateError | ConfigError, section: Section) -> Place:
    """Return the line that an error names, else the section's."""
    found = _PLACE.fullmatch(error.place or "")
    return Place(ROOT / Path(found["file"]), int(found["line"])) if found else section.place


def _listed(presets: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in presets[:_SEVERAL])
    more = len(presets) - _SEVERAL
    word = "preset" if len(presets) == 1 else "presets"
    return f"{word} {shown}" + (f" and {more} more" if more > 0 else "")
