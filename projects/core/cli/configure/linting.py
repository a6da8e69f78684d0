"""`configure lint`: everything that is wrong in a project's configuration, templates and `exec_list`, told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from projects.core.cli.configure.values import row
from projects.core.cli.declared import declared_entrypoints
from projects.core.configuration.document import Place
from projects.core.configuration.errors import Problem, ordered
from projects.core.configuration.keys import name_of
from projects.core.configuration.layers import Configuration, Layer
from projects.core.configuration.linting import Findings, references, rendered
from projects.core.configuration.loading import Loaded, examined
from projects.core.configuration.project import EXEC_LIST, ONLY
from projects.core.configuration.sections import Section
from projects.core.configuration.templates import PRIVATE, read_templates
from projects.core.console.paper import Paper
from projects.core.library import config
from projects.core.toolbox.discovery import find_command
from projects.core.toolbox.specification import specify
from projects.core.values.errors import TemplateError, UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode
from projects.core.values.wording import counted


def lint(project: str) -> int:
    """Tell everything that is wrong in a project's configuration and templates, at once.

    Checked are every preset, applied or not; every reference; every template section, with each preset; the commands and arguments that
    the sections name; and that the entrypoints in `exec_list` exist. What only a run can know is no error.

    Args:
      project: The project.

    Returns:
      0 when nothing is wrong, else 2.

    Raises:
      UsageError: there is no such project.
      ConfigError: a file cannot be read at all.
    """
    sources = config.sources_of(project)
    directory = sources.project.parent
    loaded, problems = examined(sources)
    findings, more = _templates(loaded, directory, sources.root)
    broken = references(loaded).problems()
    found = ordered([*problems, *more, *broken, *_in_exec_list(loaded.configuration, directory)])
    paper = Paper()
    for problem in found:
        row(paper, [], str(problem))
    presets, sections = len(loaded.presets), len(findings.rendered)
    if not found:
        paper.line((f"{project} is right", "green"), f": {counted(presets, 'preset')}, {counted(sections, 'section')}")
        return 0
    print()
    paper.line((f"{counted(len(found), 'error')} in {project}", "red"))
    return int(ExitCode.USAGE)


def _templates(loaded: Loaded, directory: Path, root: Path) -> tuple[Findings, list[Problem]]:
    try:
        templates = read_templates(directory, root)
    except TemplateError as error:
        return Findings(), [Problem(error.message, None, hint=f"{error.hint or ''} ({error.place})".strip())]
    findings = rendered(loaded, templates)
    commands = [each for section in templates.sections.values() for each in _in_section(section, findings)]
    return findings, [*findings.problems(), *commands]


def _in_section(section: Section, findings: Findings) -> Iterator[Problem]:
    """Give what is wrong with the command that a section names, and with the names of its arguments."""
    before, _, behind = section.name.partition(" ")
    group, command = before.rpartition("/")[2], behind.partition("/")[0]
    who = f"the section '{section.name}'"
    if not group or not command or " " in behind:
        yield Problem(f"{who}: expected [PREFIX/]GROUP COMMAND[/SUFFIX]", section.place, who)
        return
    try:
        find_command(group, command)
        known = specify(group, command).parameters
    except UsageError as error:
        yield Problem(f"{who}: {error.message}", section.place, who, error.hint)
        return
    _, places = findings.rendered.get(section.name, (section, {}))
    for name, place in places.items():
        if name not in known and not name.startswith(PRIVATE):
            message = f"{who}: {group} {command} has no argument '{name}'"
            yield Problem(message, place, message, did_you_mean(name, known))


def _in_exec_list(configuration: Configuration, directory: Path) -> Iterator[Problem]:
    """Give the names in `exec_list` that are no entrypoint. Those of the root's may be null: not every project has them all."""
    declared = configuration.base.data.get(EXEC_LIST)
    scripts = sorted(directory.glob("*.py"))
    if not isinstance(declared, dict) or not scripts:
        return
    known, problems = _entrypoints(scripts)
    yield from problems
    for key, value in declared.items():
        name = name_of(key)
        origin = configuration.base.origin((EXEC_LIST, name))
        own = origin is not None and origin.layer is not Layer.ROOT
        if own and name not in {*known, ONLY} and not (value is None and _is_the_roots(configuration, name)):
            files = ", ".join(script.name for script in scripts)
            message = f"{EXEC_LIST}.{name}: {files} has no entrypoint '{name}'"
            yield Problem(message, origin.place if origin else None, message, did_you_mean(name, known))


def _entrypoints(scripts: Iterable[Path]) -> tuple[list[str], list[Problem]]:
    """Return the entrypoints that scripts declare, and which scripts cannot be parsed."""
    known: list[str] = []
    problems = []
    for script in scripts:
        try:
            known += declared_entrypoints(script)
        except SyntaxError as error:
            problems.append(Problem(f"cannot be parsed: {error.msg}", Place(script, error.lineno or 1)))
    return known, problems


def _is_the_roots(configuration: Configuration, name: str) -> bool:
    root = [document for layer, document in configuration.base.documents if layer is Layer.ROOT]
    return any(document.place((EXEC_LIST, name)) for document in root)
