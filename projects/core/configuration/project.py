"""The configuration of a running orchestration, read and changed by its code. This is what `config.project` is.

It holds the present `Configuration`, which is never changed but exchanged for the next one, so a reader in another
thread always sees a whole one. After each exchange the resolved files are written.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import EllipsisType, FrameType
from typing import Any

from projects.core.configuration.data import copied, is_secret
from projects.core.configuration.document import Place, shown
from projects.core.configuration.errors import ConfigInBranch, Problem, UnknownKey, WrongKind, report
from projects.core.configuration.keys import MISSING, KeyPath, everything, exists, find, format_key, parse_key
from projects.core.configuration.layering import (
    PR_ARGUMENT,
    asked_by_pull_request,
    checked,
    lay,
    overrides_of,
    with_presets,
    with_settings,
)
from projects.core.configuration.layers import Assignment, Configuration, Layer, Origin, assigned
from projects.core.configuration.loading import Loaded
from projects.core.configuration.presets import BLOCK, Request
from projects.core.configuration.reads import note
from projects.core.configuration.references import Resolver
from projects.core.configuration.resolved_files import ResolvedFiles
from projects.core.configuration.rules import suggestion
from projects.core.configuration.sections import template_file
from projects.core.configuration.templates import Templates, arguments, read_templates, without_private
from projects.core.record.context import here, is_initialised
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError
from projects.core.values.nearest import did_you_mean
from projects.core.values.redaction import MASK, REDACTOR
from projects.core.values.secret import Secret

logger = logging.getLogger(__name__)

EXEC_LIST = "exec_list"
ONLY = "_only_"
ENV_KEY = "secrets.dir.env_key"

_ROOM = Path(__file__).parent
_OWN_FILES = (f"{_ROOM}/", f"{_ROOM.parent}/library/config.py")

ReadFile = Callable[[str, str, object], str]
"""Reads a secret, given the key that stands for it, its file, and the variable that names the directory."""


class Project:
    """A configuration that can be read and changed.

    Args:
      loaded: What was loaded and checked.
      read_secret: What reads a secret's file.
      template: The project's directory, or its template file.
      files: Where the resolved files go; None when nothing is to be written.
      root: The root of the checkout, which holds the base template.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        read_secret: ReadFile,
        template: Path | None = None,
        files: ResolvedFiles | None = None,
        root: Path = ROOT,
    ) -> None:
        self._configuration = loaded.configuration
        self._presets = loaded.presets
        self._overlays = loaded.overlays
        self._read_file = read_secret
        self._template = template
        self._templates: Templates | None = None
        self._files = files
        self._root = root
        self._lock = threading.RLock()
        _register_secrets(self._configuration)

    @property
    def configuration(self) -> Configuration:
        """The configuration as it is now: a value that does not change any more."""
        return self._configuration

    @property
    def config(self) -> dict[Any, Any]:
        """A copy of all values, references as they are written."""
        data: dict[Any, Any] = copied(self._configuration.data)
        return data

    def get_config(
        self,
        jsonpath: str,
        default_value: Any = ...,
        warn: bool = True,
        print: bool = True,  # noqa: A002 - the name that users of TOPSAIL write
        handled_secretly: bool = False,
    ) -> Any:
        """Return the value of a key, with every reference in it followed.

        Args:
          jsonpath: The key, such as ``a.b``, ``a.list[1]`` or ``a["3min"]``.
          default_value: What is returned when the key does not exist; it does not cover a broken reference.
          warn: Whether the log says that the default is used.
          print: Whether the log says what the value is.
          handled_secretly: Whether the value may be a secret. It is not logged.

        Returns:
          The value; a list or a mapping is the caller's own.

        Raises:
          UnknownKey: there is no such key and no default, or the key names several values.
          BrokenReference: a reference leads nowhere.
          SecretUnhandled: the value is a secret, and `handled_secretly` was not given.
          SecretMissing: the file of the secret is not there.
        """
        configuration = self._configuration
        path = parse_key(jsonpath)
        raw = MISSING if path is None else find(configuration.data, path)
        if raw is MISSING or path is None:
            path = Resolver(configuration).locate(jsonpath)
            if path is None:
                note(configuration, jsonpath)
                return self._default(jsonpath, default_value, warn=warn)
            raw = find(configuration.data, path)
        value = raw
        note(configuration, path)
        if isinstance(raw, dict | list) or (isinstance(raw, str) and "@" in raw) or configuration.is_secret(path):
            value = Resolver(configuration, self._read_secret if handled_secretly else None).resolve(raw, path)
        if print and not handled_secretly and logger.isEnabledFor(logging.INFO):
            logger.info("get_config: %s --> %s", jsonpath, value)
        return value

    def get_secret(self, jsonpath: str) -> Secret:
        """Return the secret that a key stands for, as a value that is not shown by mistake.

        Args:
          jsonpath: The key.

        Raises:
          UnknownKey, BrokenReference, SecretMissing: as `get_config`.
          WrongKind: what the key stands for is no text.
        """
        value = self.get_config(jsonpath, handled_secretly=True)
        if not isinstance(value, str):
            raise WrongKind(f"{jsonpath}: expected a secret, which is text, found {type(value).__name__}")
        return Secret(value, jsonpath)

    def set_config(
        self,
        jsonpath: str,
        value: Any,
        print: bool = True,  # noqa: A002
    ) -> None:
        """Set a key that exists to a value, which is copied; as strict as a preset.

        Args:
          jsonpath: The key.
          value: The value; a reference is kept as it is written.
          print: Whether the log says so.

        Raises:
          UnknownKey: there is no such key.
          WrongKind: a mapping where none is declared, or something else than null where a mapping is.
          NotAllowed: `config.schema.yaml` does not allow the value.
          ConfigInBranch: called from a branch of `Parallel`.
        """
        refuse_in_branch(f"set {jsonpath}")
        with self._lock:
            key = self.plain_key(jsonpath)
            assignment = Assignment(key, _data(key, value), Origin(Layer.CODE, _caller()))
            path = checked(self._configuration, assignment)
            if isinstance(path, Problem):
                raise path.raised()
            self._become(assigned(self._configuration, path, assignment))
        if print:
            shown = MASK if self._configuration.is_secret(path) else value
            logger.info("set_config: %s --> %s", jsonpath, shown)

    def over(self, settings: Iterable[str]) -> Project:
        """Return a configuration like this one, over which settings, each ``key=value``, are laid; it is written nowhere.

        Raises:
          ConfigError: a setting cannot be accepted; all of them are told at once.
        """
        configuration, problems = with_settings(self._configuration, settings)
        report(problems)
        loaded = Loaded(configuration, self._presets, self._overlays)
        return Project(loaded, read_secret=self._read_file, template=self._template, root=self._root)

    def apply_preset(self, name: str) -> None:
        """Apply a preset and what it extends.

        Raises:
          ConfigError: there is no such preset, or a value of it cannot be set; nothing was set then.
          ConfigInBranch: called from a branch of `Parallel`.
        """
        refuse_in_branch(f"apply the preset '{name}'")
        with self._lock:
            requests = [Request(name, "apply_preset", place=_caller())]
            configuration, problems = with_presets(self._configuration, self._presets, requests)
            report(problems, f"the preset '{name}' cannot be applied")
            self._become(configuration)
        logger.info("apply_preset: %s", name)

    def apply_preset_from_pr_args(self) -> None:
        """Apply the presets that the pull request's arguments name, and its overrides over them again.

        Raises:
          ConfigError: one does not exist, or a value cannot be set; nothing was set then.
          ConfigInBranch: called from a branch of `Parallel`.
        """
        refuse_in_branch("apply the presets of the pull request")
        overrides = self._overlays.pull_request
        with self._lock:
            asked = asked_by_pull_request(self._configuration, overrides)
            configuration, problems = with_presets(self._configuration, self._presets, asked)
            configuration, more = lay(configuration, overrides_of(overrides, Layer.PR))
            report([*problems, *more], "the presets of the pull request cannot be applied")
            self._become(configuration)

    def skip_reason(self, entrypoint: str) -> str | None:
        """Return why `exec_list` (``/only`` and ``/skip`` of a pull request) skips an entrypoint; None when it runs."""
        listed = self.get_config(EXEC_LIST, None, warn=False, print=False)
        if not isinstance(listed, dict) or entrypoint not in listed:
            return None
        if listed[entrypoint] is False:
            return f"{self._told((EXEC_LIST, entrypoint))} is false"
        if listed.get(ONLY) is True and listed[entrypoint] is not True:
            return f"{self._told((EXEC_LIST, ONLY))} is true, and {EXEC_LIST}.{entrypoint} is not"
        return None

    def command_args(
        self,
        group: str,
        command: str,
        *,
        prefix: str | None = None,
        suffix: str | None = None,
        extra: Mapping[str, Any] | str | None = None,
        private: bool = False,
    ) -> dict[str, Any]:
        """Return the arguments of a toolbox command, as the section ``[PREFIX/]GROUP COMMAND[/SUFFIX]`` says.

        Args:
          group: The group of the command.
          command: The command.
          prefix: The section's prefix.
          suffix: The section's suffix.
          extra: Arguments that win over the section's; they are not rendered.
          private: Whether the arguments that start with ``_`` are among them.

        Raises:
          TemplateError: there is no such section, or it cannot be rendered.
          SecretMissing: it uses a secret that is not there.
        """
        section = self.templates.named(group, command, prefix, suffix)
        values = arguments(section, self._configuration, self._read_secret, extra)
        return values if private else without_private(values)

    @property
    def templates(self) -> Templates:
        """The templates of the project, read when the first one is wanted."""
        if self._templates is None:
            self._templates = read_templates(self._template, self._root)
        return self._templates

    @property
    def config_file(self) -> Path | None:
        """The resolved file, from which a child process starts; None when nothing is written."""
        return self._files.config if self._files else None

    @property
    def template_file(self) -> Path | None:
        """The project's own template, None when it has none."""
        own = self._template
        return template_file(own) if own and own.is_dir() else own

    def declared_secrets(self) -> list[tuple[str, str]]:
        """Return every secret that the configuration refers to: its key, and the name of its file, which is not read."""
        resolver, found = Resolver(self._configuration), []
        for path, value in everything(self._configuration.data):
            if is_secret(value) and path[0] != BLOCK:  # what a preset that is not applied refers to is not needed
                with contextlib.suppress(ConfigError):  # one that leads nowhere is told by whoever reads it
                    found.append((format_key(path), resolver.file_of_secret(value, path)))
        return found

    def origin(self, key: str) -> Origin | None:
        """Return what set the value of a key."""
        return self._configuration.origin(parse_key(key) or ())

    def write(self) -> None:
        """Write the resolved files; every change does."""
        if self._files:
            self._files.write(self._configuration)

    def restore(self, key: str, before: Configuration) -> None:
        """Give a key back the value that it had, as it was written. Called by `TempValue`."""
        path = parse_key(key) or ()
        with self._lock:
            if not exists(self._configuration.data, path):
                logger.warning("%s cannot be given back its value: something around it was replaced", key)
                return
            value = find(before.data, path)
            origin = before.origin(path) or Origin(Layer.CODE)
            self._become(assigned(self._configuration, path, Assignment(key, value, origin)))

    def become(self, configuration: Configuration, instead_of: Configuration) -> bool:
        """Return to an earlier configuration, unless something else was changed meanwhile; tell whether it was done."""
        with self._lock:
            if self._configuration is not instead_of:
                return False
            self._become(configuration)
            return True

    def new_keys(self) -> dict[str, str | None]:
        """Return the top-level keys that overrides brought, each with the key that was maybe meant."""
        data, base = self._configuration.data, self._configuration.base.data
        new = [str(key) for key in data if key not in base and not str(key).startswith(PR_ARGUMENT[:-1])]
        return {key: did_you_mean(key, map(str, base)) for key in new}

    def _become(self, configuration: Configuration) -> None:
        if configuration.schema and configuration.schema.has_secrets:
            _register_secrets(configuration)
        self._configuration = configuration
        self.write()

    def _read_secret(self, key: str, file: str) -> str:
        return self._read_file(key, file, self.get_config(ENV_KEY, None, warn=False, print=False))

    def _default(self, key: str, default: Any | EllipsisType, *, warn: bool) -> Any:
        if default is ...:
            raise self._unknown(key)
        if warn:
            logger.warning("get_config: %s is not a key of the configuration, using %s instead", key, default)
        return default

    def _unknown(self, key: str) -> UnknownKey:
        files = ", ".join(shown(document.file) for _, document in self._configuration.base.documents)
        hint = suggestion(key, parse_key(key) or (), self._configuration.data)
        return UnknownKey(f"{key} is not a key of the configuration", hint=hint, place=files)

    def plain_key(self, key: str) -> str:
        """Return a key without wildcards: that of the one value which a JSONPath names.

        Raises:
          UnknownKey: there is none, or several.
        """
        if parse_key(key) is not None:
            return key
        path = Resolver(self._configuration).locate(key)
        if path is None:
            raise self._unknown(key)
        return format_key(path)

    def _told(self, path: KeyPath) -> str:
        origin = self._configuration.origin(path)
        return format_key(path) + (f" ({origin})" if origin else "")


def _register_secrets(configuration: Configuration) -> None:
    """Let the redactor know what is declared to be a secret and stands in a file, or on a line, all the same."""
    schema = configuration.schema
    if schema is None or not schema.has_secrets:
        return
    written = [document.data for _, document in configuration.base.documents]
    found = {text for data in written for text in schema.secrets_in(data)}
    for each in configuration.history:
        found |= set(schema.secrets_in(each.value, parse_key(each.key) or ()))
    for text in found - {MASK, *REDACTOR.values}:
        REDACTOR.register(text)


def refuse_in_branch(what: str) -> None:
    """Raise when the running code is a branch of `Parallel`: the order of the branches would decide what is seen.

    Raises:
      ConfigInBranch: it is one.
    """
    if is_initialised() and here().branch:
        raise ConfigInBranch(
            f"cannot {what} from a branch of a Parallel: its siblings read the same configuration",
            hint="set it before the Parallel, or hand the value to the branch as an argument",
        )


def _data(key: str, value: Any) -> Any:
    try:
        return copied(value)
    except WrongKind as error:
        raise WrongKind(f"set_config: {key}: {error}", hint=error.hint) from error


def _caller() -> Place | None:
    """Return the line that called into the configuration."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_FILES):
        frame = frame.f_back
    return None if frame is None else Place(Path(frame.f_code.co_filename), frame.f_lineno)
