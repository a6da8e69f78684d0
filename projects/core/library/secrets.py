"""Secrets: files of one declared directory, read through one call. Called by `config` for each reference ``*$@key``.

Orchestrations import it for `file`, which hands a secret to a program that reads it from a file. The configuration declares the directory (`secrets.dir.env_key` names the environment variable that holds it) and
the files; a value that is read is known to the redactor before anyone can log it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from projects.core import planning
from projects.core.record import context
from projects.core.values.errors import ConfigError, SecretMissing
from projects.core.values.private import private_directory, write_private
from projects.core.values.redaction import REDACTOR
from projects.core.values.secret import Secret
from projects.core.values.unknown import marker

__all__ = ["directory", "file", "read"]

ENV_KEY = "secrets.dir.env_key"


def read(key: str, file: str, variable: object) -> str:
    """Read a secret.

    Args:
      key: The key of the configuration that stands for it, for messages.
      file: The name of its file in the directory of secrets.
      variable: The environment variable that names that directory.

    Returns:
      The content of the file, without the white space around it. Whatever prints through Foresail masks it.

    Raises:
      SecretMissing: the variable is not set, or there is no such file; names the key, the file and the variable.
      ConfigError: the name leads out of the directory, or the file holds no text.
    """
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise ConfigError(f"{key}: expected the name of a file in the directory of secrets, found {file!r}")
    path = directory(variable, f"{key}, the secret in the file '{file}'") / file
    try:
        value = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{key}: expected text in the secret file '{file}', found binary data", place=path) from error
    except OSError as error:
        raise SecretMissing(
            f"{key}: the secret file '{file}' is not in the directory that ${variable} names",
            hint=f"put it there, or let ${variable} name another directory",
            place=path,
        ) from error
    REDACTOR.register(value)
    return value


@contextlib.contextmanager
def file(key: str | Secret, *, name: str = "secret") -> Iterator[Path]:
    """Give a program that reads a secret from a file a copy of it, which is gone when the block ends, however it ends.

    The copy is for this user alone (0600), and outside of the artifacts. A text of several lines ends with a newline, which
    keys and certificates need; one of a single line ends without.

    Args:
      key: The key of the configuration that stands for the secret, or the secret.
      name: The name of the file.

    Yields:
      Its path. In a plan, which makes no file, one that says so.

    Raises:
      SecretMissing, UnknownKey, WrongKind: as `config.project.get_secret`.
    """
    if planning.is_planning():
        yield Path(marker(f"a private copy of {key.name if isinstance(key, Secret) else key}"))
        return
    text = (key if isinstance(key, Secret) else _secret(key)).reveal()
    root = context.here().record.root if context.is_initialised() else None
    with private_directory(root) as place:
        path = place / name
        write_private(path, f"{text}\n" if "\n" in text.strip("\n") and not text.endswith("\n") else text)
        yield path


def _secret(key: str) -> Secret:
    from projects.core.library import config  # noqa: PLC0415 - which reads its secrets through this module

    return config.project.get_secret(key)


def directory(variable: object, what: str = "the directory of secrets") -> Path:
    """Return the directory of secrets.

    Args:
      variable: The environment variable that names it.
      what: What it is wanted for, for messages.

    Raises:
      SecretMissing: the variable is not declared, not set, or names no directory.
    """
    if not isinstance(variable, str) or not variable:
        raise SecretMissing(f"{what}: {ENV_KEY} does not say which environment variable names the directory of secrets")
    value = os.environ.get(variable)
    if not value:
        raise SecretMissing(
            f"{what}: ${variable} is not set", hint=f"set {variable} to the directory that holds the secrets"
        )
    if not Path(value).is_dir():
        raise SecretMissing(f"{what}: ${variable} names no directory", place=value)
    return Path(value)
