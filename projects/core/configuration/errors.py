"""The errors of a configuration, and how several of them are told at once. Raised by this room, shown by the CLI.

    ConfigError                            2   wrong files: every problem, with its file and line
    ├── UnknownKey        (KeyError)       2   a key that the configuration does not have, or that names several values
    ├── WrongKind         (TypeError)      2   a value of another kind than what was declared
    ├── NotAllowed                         2   a value that config.schema.yaml does not allow
    ├── BrokenReference                    2   a reference to nothing, to itself, or of a form that is not accepted
    ├── SecretUnhandled   (PermissionError) 2  a secret read without handled_secretly=True
    └── ConfigInBranch    (RuntimeError)   2   a change from a branch of `Parallel`

`BrokenReference` is no LookupError on purpose: a default, and Jinja, swallow those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from projects.core.configuration.document import Place
from projects.core.values.errors import ConfigError


class UnknownKey(ConfigError, KeyError):
    """A key that the configuration does not have, or a JSONPath that names more than one value."""


class WrongKind(ConfigError, TypeError):
    """A value of another kind than what the configuration declares."""


class NotAllowed(ConfigError):
    """A value that `config.schema.yaml` does not allow."""


class BrokenReference(ConfigError):
    """A reference that cannot be followed."""


class SecretUnhandled(ConfigError, PermissionError):
    """A secret was read as if it were an ordinary value."""


class ConfigInBranch(ConfigError, RuntimeError):
    """The configuration was to be changed from a branch of a `Parallel`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file: what was expected and found, where, and the nearest match.

    `about` is the key or the name it is about; of several problems about one thing at one place, one is told.
    """

    message: str
    place: Place | None = None
    about: str = ""
    hint: str | None = None
    error: type[ConfigError] = ConfigError

    def __str__(self) -> str:
        """Return the problem as one line."""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.message}" + (f"; {self.hint}" if self.hint else "")

    def raised(self) -> ConfigError:
        """Return the problem as the error that a single call raises."""
        return self.error(self.message, hint=self.hint, place=None if self.place is None else str(self.place))


def report(problems: Iterable[Problem], what: str = "the configuration cannot be used") -> None:
    """Raise one error that tells every problem, in the order of the files; do nothing when there is none.

    Args:
      problems: What is wrong.
      what: What follows from it.

    Raises:
      ConfigError: there is a problem.
    """
    told = ordered(problems)
    if len(told) == 1:
        raise ConfigError(f"{what}: {told[0]}")
    if told:
        lines = "\n".join(f"  {problem}" for problem in told)
        raise ConfigError(f"{what}, there are {len(told)} errors:\n{lines}")


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems as they are told: each once, in the order of the files."""
    once: dict[object, Problem] = {}
    for problem in problems:
        once.setdefault((problem.place, problem.about) if problem.about else problem, problem)
    return sorted(once.values(), key=lambda problem: _order(problem.place))


def _order(place: Place | None) -> tuple[str, int]:
    return ("", 0) if place is None else (str(place.file), place.line)
