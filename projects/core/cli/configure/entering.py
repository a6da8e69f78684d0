"""`configure enter`, `apply`, `get`, `name`: work with a project's configuration in a shell.

What is entered is a run directory with the resolved configuration in it, which the environment names. Whatever is started in
that environment, an entrypoint too, takes it as it is.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from projects.core.cli.configure.values import as_yaml
from projects.core.configuration.loading import CONFIG, Sources, load
from projects.core.configuration.project import Project
from projects.core.configuration.resolved_files import ResolvedFiles, applied_before
from projects.core.library import config, secrets
from projects.core.library.directories import base_directory
from projects.core.record.steps import FILE_NAME
from projects.core.toolbox.conversion import Words
from projects.core.values.errors import UsageError
from projects.core.values.redaction import REDACTOR

ENTERED = "FORESAIL_CONFIG_PROJECT"
"""Names the project whose configuration was entered."""
_SHELL = "/bin/sh"


def enter(
    project: str,
    presets: str = "",
    *,
    preset: Words = Words(),  # noqa: B008 - immutable
    set_: Words = Words(),  # noqa: B008
    show_export: bool = False,
    shell: str | bool = True,
) -> None:
    """Make a run directory with a project's configuration, and start a shell that works with it.

    The directory is $ARTIFACT_DIR, else a new one. Without a shell, the environment is printed as `export` lines.

    Args:
      project: The project.
      presets: Presets to apply, separated by commas.
      preset: One more preset to apply.
      set_: A value to set over the presets, as KEY=VALUE.
      show_export: Print the environment also when a shell is started.
      shell: The shell to start, $SHELL by default; False to start none.

    Raises:
      UsageError: there is no such project.
      ConfigError: something is wrong in the files; nothing is written then.
    """
    sources = config.sources_of(project, presets=(*filter(None, presets.split(",")), *preset), settings=set_)
    loaded = load(sources)
    root = _directory(project)
    if (root / FILE_NAME).exists():
        hint = "let ARTIFACT_DIR name another directory, or unset it"
        raise UsageError(
            "the artifact directory holds a run, whose configuration would be overwritten", hint=hint, place=root
        )
    files = ResolvedFiles(root)
    files.check()
    template, read = sources.project.parent, secrets.read
    entered = Project(loaded, read_secret=read, template=template, files=files, root=sources.root)
    entered.write()
    exports = {"ARTIFACT_DIR": str(root), ENTERED: project, **config.environment_of(entered)}
    if show_export or shell is False:
        for name_, value in exports.items():
            print(f"export {name_}={shlex.quote(value)}")
    if shell is not False:
        _become(os.environ.get("SHELL", _SHELL) if shell is True else shell, exports)


def apply(presets: str = "", *, preset: Words = Words()) -> None:  # noqa: B008 - immutable
    """Apply presets to the configuration that was entered, over what was applied before.

    Args:
      presets: The presets, separated by commas.
      preset: One more of them.

    Raises:
      UsageError: no preset is named, or nothing was entered.
      ConfigError: there is no such preset, or a value of it cannot be set; nothing is changed then.
    """
    asked = (*filter(None, presets.split(",")), *preset)
    if not asked:
        raise UsageError("expected a preset, found none", hint="give --preset NAME")
    file = _entered()
    files = ResolvedFiles(file.parent, applied=applied_before(file.parent))
    loaded = load(Sources(project=file, resolved=file, presets=asked, traced=True))
    Project(loaded, read_secret=secrets.read, files=files).write()
    print(f"applied: {', '.join(asked)}")


def get(key: str) -> None:
    """Print the value of a key of the configuration that was entered, references followed; lists and mappings as YAML.

    Args:
      key: The key, such as a.b, a.list[1] or a["b"].

    Raises:
      UnknownKey: there is no such key; the message has the nearest one.
      SecretUnhandled: it is a secret, which is not printed.
      UsageError: nothing was entered.
    """
    _entered()
    value = config.read().get_config(key, print=False)
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        value = as_yaml(value).removesuffix("\n...")
    print(REDACTOR.redact(str(value)))


def name() -> None:
    """Print the project whose configuration was entered.

    Raises:
      UsageError: nothing was entered.
    """
    _entered()
    print(os.environ.get(ENTERED) or _entered().parent)


def _entered() -> Path:
    """Return the resolved file that the environment names."""
    file = config.inherited_file()
    if file is None or not file.exists():
        raise UsageError(
            "no configuration was entered" if file is None else f"the configuration that was entered is gone: {file}",
            hint="./run_toolbox.py configure enter PROJECT starts a shell with one",
        )
    return file


def _directory(project: str) -> Path:
    """Return the run directory: the one that is set, else a new one, as a run makes it."""
    if given := os.environ.get("ARTIFACT_DIR"):
        directory = Path(given).absolute()
        directory.mkdir(parents=True, exist_ok=True)
        return directory
    base = base_directory()
    base.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"foresail_{datetime.now(UTC):%Y%m%d-%H%M%S}_{project}_", dir=base))


def _become(shell: str, exports: dict[str, str]) -> NoReturn:
    """Give this process to a shell, so that its keys and signals are the shell's own."""
    words = shlex.split(shell)
    print(f"{exports[ENTERED]}: {exports['ARTIFACT_DIR']}/{CONFIG}; exit leaves it", file=sys.stderr)
    sys.stdout.flush()
    try:
        os.execvpe(words[0], words, {**os.environ, **exports})  # noqa: S606 - a shell is what was asked for
    except OSError as error:
        raise UsageError(f"the shell '{shell}' cannot be started: {error.strerror}") from error
