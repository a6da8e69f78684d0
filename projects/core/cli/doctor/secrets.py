"""What `doctor` asks of the secrets that projects declare: whether their directory and files are there, and are private."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from projects.core.cli.doctor.findings import Finding, Level, bounded, ok, problem, warning
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError, TimedOut, UsageError
from projects.core.values.nearest import did_you_mean

_OTHERS = 0o077
_FILE = "_file"


def check(project: str | None = None) -> Iterator[Finding]:
    """Ask for the secrets of one project, or of all.

    Args:
      project: The one; what is missing of it is a problem, since it is what will be run.

    Raises:
      UsageError: there is no such project.
    """
    projects = {path.parents[1].name: path for path in sorted(ROOT.glob("projects/*/testing/config.yaml"))}
    if project is not None and project not in projects:
        raise UsageError(f"unknown project '{project}'", hint=did_you_mean(project, projects))
    chosen = projects if project is None else {project: projects[project]}
    bad = Level.WARNING if project is None else Level.PROBLEM
    found = [finding for name, path in chosen.items() for finding in _of_project(name, path, bad)]
    yield from found or [ok("secrets", "no project declares one")]


def _of_project(name: str, config: Path, bad: Level) -> Iterator[Finding]:
    from projects.core.configuration.loading import Sources, load  # noqa: PLC0415 - yaml and jinja

    try:
        data = load(Sources(project=config, overrides=False)).configuration.data
    except ConfigError:
        yield Finding(
            bad, "secrets", f"{name}: its configuration is wrong", f"see `run_toolbox.py configure lint {name}`"
        )
        return
    declared = data.get("secrets") or {}
    if files := _files(declared):
        yield _directory(name, (declared.get("dir") or {}).get("env_key"), files, bad)


def _files(declared: Mapping[str, Any]) -> list[str]:
    return [value for key, value in declared.items() if str(key).endswith(_FILE) and isinstance(value, str)]


def _directory(name: str, variable: object, files: list[str], bad: Level) -> Finding:
    what = f"{len(files)} declared by {name}"
    value = os.environ.get(variable) if isinstance(variable, str) else None
    if not value:
        return Finding(
            bad, "secrets", f"{what}; ${variable} is not set", f"set it to the directory that holds {', '.join(files)}"
        )
    directory = Path(value)
    try:
        missing = bounded(lambda: _missing(directory, files), value)
        open_to = bounded(directory.stat, value).st_mode & _OTHERS
    except NotADirectoryError:
        text = f"{what}; ${variable} names no directory: {value}"
        return problem("secrets", text, "make it, or set the variable anew")
    except (OSError, TimedOut) as error:
        return problem("secrets", f"{what}: {error}", f"check the directory that ${variable} names")
    if missing:
        return Finding(bad, "secrets", f"{what}; not in {value}: {', '.join(missing)}", "put them there")
    if open_to:
        return warning("secrets", f"{what}; others may look into {value}", f"chmod 700 {value}")
    return ok("secrets", f"{what}, in {value} (${variable})")


def _missing(directory: Path, files: list[str]) -> list[str]:
    if not directory.is_dir():
        raise NotADirectoryError(directory)
    return [each for each in files if not (directory / each).is_file()]
