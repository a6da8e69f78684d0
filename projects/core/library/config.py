"""The configuration of an orchestration: `config.project`, and the arguments of toolbox commands.

`init` reads and checks everything before anything runs. The values live in memory; the run's root always holds the
resolved file, where each value came from, and the presets applied. The names are those that TOPSAIL users know.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from projects.core import planning as plans
from projects.core.configuration.data import copied
from projects.core.configuration.errors import UnknownKey
from projects.core.configuration.jsonpath import matches
from projects.core.configuration.keys import MISSING, KeyPath, find, member, parse_key
from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import CONFIG, Sources, load
from projects.core.configuration.project import Project
from projects.core.configuration.resolved_files import ResolvedFiles, applied_before
from projects.core.configuration.rules import suggestion
from projects.core.configuration.sections import name_of_section
from projects.core.library import secrets
from projects.core.record.context import Place, here
from projects.core.values.checkout import ROOT
from projects.core.values.errors import NotInitialised, TemplateError, UsageError
from projects.core.values.nearest import did_you_mean

__all__ = [
    "Project",
    "TempValue",
    "child_environment",
    "command_args",
    "get_command_arg",
    "get_jsonpath",
    "init",
    "place_of_section",
    "project",
    "read",
    "set_jsonpath",
    "use",
]

logger = logging.getLogger(__name__)

PREFIXES = ("FORESAIL_", "TOPSAIL_")
FROM_CONFIG_FILE = "FROM_CONFIG_FILE"
FROM_COMMAND_ARGS_FILE = "FROM_COMMAND_ARGS_FILE"

_here: ContextVar[Project | None] = ContextVar("foresail_configuration", default=None)
_process: list[Project] = []

project: Project
"""The configuration of this run. Before `init` it raises NotInitialised, which is an AttributeError."""

if not TYPE_CHECKING:  # else the type checker would accept any name

    def __getattr__(name: str) -> Project:
        """Return `project`, which changes from context to context."""
        if name != "project":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _required()


def init(
    testing_dir: Path | str,
    apply_preset_from_pr_args: bool = False,
    apply_config_overrides: bool = True,
    *,
    settings: Sequence[str] = (),
) -> None:
    """Load the configuration of this run, check all of it, and write the resolved file to the run's root.

    The second call does nothing. `$FORESAIL_FROM_CONFIG_FILE` names a resolved file that is taken as it is.
    In a CI whose steps share `$SHARED_DIR`, the `config.yaml` that an earlier step left there is the base.

    Args:
      testing_dir: The directory of the project's `config.yaml` and templates.
      apply_preset_from_pr_args: Whether the presets that the pull request names are applied.
      apply_config_overrides: Whether overrides and presets are applied; else those of the pull request are only
        kept, under the key `overrides`.
      settings: Values that `--set` sets, each ``key=value``: above presets, below overrides of the pull request.

    Raises:
      ConfigError: something is wrong; all of it is told at once.
      NotInitialised: there is no artifact directory yet.
    """
    if _present():
        return
    place, directory = here(), Path(testing_dir).resolve()
    root, planning = place.record.root, place.record.planning
    resolved, shared = _file_from(FROM_CONFIG_FILE), _shared_directory()
    left_there = shared / CONFIG if shared and (shared / CONFIG).exists() else None
    loaded = load(
        Sources(
            project=directory / CONFIG,
            root=ROOT,
            resolved=resolved,
            shared=left_there,
            artifacts=_run_of_a_plan(place) if planning else root,
            presets_of_pull_request=apply_preset_from_pr_args,
            overrides=apply_config_overrides,
            settings=tuple(settings),
            traced=resolved == root / CONFIG,
        )
    )
    template = _file_from(FROM_COMMAND_ARGS_FILE) or directory
    applied = applied_before(root) if resolved == root / CONFIG else ""  # the file is this run's own, and goes on
    files = ResolvedFiles(root, None if planning else shared, applied=applied)
    read_secret = plans.secret if planning else secrets.read
    made = Project(loaded, read_secret=read_secret, template=template, files=files, root=ROOT)
    if resolved != files.config or settings:
        files.check()
        made.write()
    for key, hint in made.new_keys().items():
        logger.warning("an override brings a new key: %s%s", key, f" ({hint})" if hint else "")
    _process[:] = [made]
    _here.set(made)


@contextlib.contextmanager
def use(configuration: Project) -> Iterator[Project]:
    """Let `config.project` be another configuration inside the block, in this context only."""
    token = _here.set(configuration)
    try:
        yield configuration
    finally:
        _here.reset(token)


def read(
    *,
    project_name: str | None = None,
    config_file: Path | None = None,
    command_args_file: Path | None = None,
    presets: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> Project:
    """Return the configuration that ``run_toolbox.py from_config`` renders with; nothing is written.

    Args:
      project_name: The project whose files are taken.
      config_file: A `config.yaml`; a resolved one is taken as it is. Without it and `project_name`, the one that
        `$FORESAIL_FROM_CONFIG_FILE` names, or else the configuration of this process.
      command_args_file: The template; by default the one beside, or the one of `$FORESAIL_FROM_COMMAND_ARGS_FILE`.
      presets: Presets that are applied over it.
      settings: Values that are set over them, each ``key=value``.

    Raises:
      UsageError: there is no such project, or nothing says which configuration is meant.
      ConfigError: something is wrong in the files.
    """
    directory = testing_directory(project_name) if project_name else None
    given = config_file or (directory / CONFIG if directory else None)
    inherited = None if given else _file_from(FROM_CONFIG_FILE)
    if given is None and inherited is None:
        if present := _present():
            return present.over(settings) if settings else present
        raise UsageError(
            "expected a configuration, found none",
            hint=f"give --project NAME or --config_file FILE, or set {PREFIXES[0]}{FROM_CONFIG_FILE}",
        )
    template = command_args_file or directory or _file_from(FROM_COMMAND_ARGS_FILE)
    beside = (given or inherited or ROOT).resolve()
    loaded = load(
        Sources(project=beside, root=ROOT, resolved=inherited, presets=tuple(presets), settings=tuple(settings))
    )
    return Project(loaded, read_secret=secrets.read, template=template or beside.parent, root=ROOT)


def command_args(
    group: str,
    command: str,
    *,
    prefix: str | None = None,
    suffix: str | None = None,
    extra: Mapping[str, Any] | str | None = None,
    private: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a toolbox command from the project's template; see `Project.command_args`."""
    return _required().command_args(group, command, prefix=prefix, suffix=suffix, extra=extra, private=private)


def place_of_section(group: str, command: str, *, prefix: str | None = None, suffix: str | None = None) -> str:
    """Return where the section of a toolbox command is written: file, line and name."""
    section = _required().templates.named(group, command, prefix, suffix)
    return f"{section.place}, section '{section.name}'"


def get_command_arg(
    group: str,
    command: str,
    arg: str,
    prefix: str | None = None,
    suffix: str | None = None,
    mute: bool = False,
) -> Any:
    """Return one argument of a toolbox command from the project's template, with its type; no process is started.

    Raises:
      TemplateError: there is no such section or argument, or it cannot be rendered.
    """
    values = command_args(group, command, prefix=prefix, suffix=suffix, private=True)
    name = name_of_section(group, command, prefix, suffix)
    if arg not in values:
        raise TemplateError(f"the section '{name}' has no argument '{arg}'", hint=did_you_mean(arg, values))
    if not mute:
        logger.info("get_command_arg: %s: %s --> %s", name, arg, values[arg])
    return values[arg]


def child_environment() -> dict[str, str]:
    """Return the variables by which a child process finds the resolved configuration and the template."""
    return environment_of(_required())


def environment_of(configuration: Project) -> dict[str, str]:
    """Return the variables by which a process finds a configuration and its template."""
    files = {FROM_CONFIG_FILE: configuration.config_file, FROM_COMMAND_ARGS_FILE: configuration.template_file}
    return {f"{prefix}{name}": str(file) for prefix in PREFIXES for name, file in files.items() if file}


def inherited_file() -> Path | None:
    """Return the resolved file that the environment of this process names, None when it names none."""
    return _file_from(FROM_CONFIG_FILE)


class TempValue:
    """A value for the time of a ``with`` block; then the key has again what was written there, a reference too.

    Args:
      config: The configuration, `config.project`.
      key: The key.
      value: Its value inside of the block.
    """

    def __init__(self, config: Project, key: str, value: Any) -> None:
        self.config = config
        self.key = key
        self.value = value
        self._before: Configuration | None = None
        self._inside: Configuration | None = None

    def __enter__(self) -> None:
        """Set the value."""
        self._before = self.config.configuration
        self.key = self.config.plain_key(self.key)
        self.config.set_config(self.key, self.value)
        self._inside = self.config.configuration

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Restore what was written."""
        if self._before and self._inside and not self.config.become(self._before, instead_of=self._inside):
            self.config.restore(self.key, self._before)


def get_jsonpath(document: Any, jsonpath: str) -> Any:
    """Return a copy of the one value that a key, or a JSONPath, names in any mapping.

    Raises:
      UnknownKey: there is none, or several.
    """
    return copied(find(document, _only(document, jsonpath)))


def set_jsonpath(document: Any, jsonpath: str, value: Any) -> None:
    """Set the one value that a key, or a JSONPath, names in any mapping.

    Raises:
      UnknownKey: there is none, or several.
    """
    path = _only(document, jsonpath)
    around, last = find(document, path[:-1]), path[-1]
    around[member(around, last) if isinstance(last, str) else last] = copied(value)


def _only(document: Any, key: str) -> KeyPath:
    path = parse_key(key)
    found = matches(document, key) if path is None else [path]
    if len(found) > 1:
        raise UnknownKey(f"{key} names {len(found)} values, expected one")
    if not found or not found[0] or find(document, found[0]) is MISSING:
        raise UnknownKey(f"{key} is not a key of the mapping", hint=suggestion(key, path or (), document))
    return found[0]


def _present() -> Project | None:
    return _here.get() or (_process[0] if _process else None)


def _required() -> Project:
    if found := _present():
        return found
    raise NotInitialised(
        "there is no configuration yet", hint="call config.init() first, or run an entrypoint through main()"
    )


def _file_from(name: str) -> Path | None:
    """Return the file that an environment variable names, Foresail's own before TOPSAIL's."""
    for prefix in PREFIXES:
        if value := os.environ.get(f"{prefix}{name}"):
            return Path(value).resolve()
    return None


def _run_of_a_plan(place: Place) -> Path | None:
    """Return the artifact directory of the run that a plan is of, when it is there: it may hold the pull request's overrides."""
    given = place.earlier.root or os.environ.get("ARTIFACT_DIR")
    return Path(given) if given else None


def _shared_directory() -> Path | None:
    """Return the directory that the steps of this CI job share."""
    value = os.environ.get("SHARED_DIR")
    return Path(value) if value and Path(value).is_dir() else None


def sources_of(project_name: str, *, presets: Sequence[str] = (), settings: Sequence[str] = ()) -> Sources:
    """Return the files that a project's configuration comes from, outside of a run.

    Raises:
      UsageError: there is no such project.
    """
    file = testing_directory(project_name) / CONFIG
    return Sources(project=file, root=ROOT, presets=tuple(presets), settings=tuple(settings))


def testing_directory(name: str) -> Path:
    """Return the directory of a project's `config.yaml` and templates.

    Raises:
      UsageError: there is no such project.
    """
    directory = ROOT / "projects" / name / "testing"
    if (directory / CONFIG).exists():
        return directory
    known = [file.parent.parent.name for file in (ROOT / "projects").glob(f"*/testing/{CONFIG}")]
    raise UsageError(f"there is no project '{name}' with a testing/{CONFIG}", hint=did_you_mean(name, known))
