"""Secrets: files of one declared directory, read through one call. Called by `config` for each reference ``*$@key``.

The configuration declares the directory (`secrets.dir.env_key` names the environment variable that holds it) and
the files; a value that is read is known to the redactor before anyone can log it.
"""

from __future__ import annotations

import os
from pathlib import Path

from projects.core.values.errors import ConfigError, SecretMissing
from projects.core.values.redaction import REDACTOR

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
    if value not in REDACTOR.values:
        REDACTOR.register(value)
    return value


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
