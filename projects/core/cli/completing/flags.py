"""What may stand behind the name of a command, verb or entrypoint: its flags, and the values of its arguments. Used by `lines`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from projects.core.cli.completing.sources import Candidate, Flag

HELP = Candidate("--help")
Values = Callable[[Flag], Iterable[str]]
"""What an argument may be, as far as that is known."""


def candidates(
    flags: Sequence[Flag], words: Sequence[str], values: Values, *, places: bool = True
) -> Iterable[Candidate]:
    """Return what the last word may be: a flag, or a value of the argument that is due.

    Args:
      flags: What the function takes.
      words: The words behind its name.
      values: What its arguments may be.
      places: Whether its arguments are written without their names, too.
    """
    *before, current = words
    named, equals, _ = current.partition("=")
    if equals:
        return [Candidate(f"{named}={value}") for flag in _named(flags, named) for value in _choices(flag, values)]
    if (
        before
        and "=" not in before[-1]
        and (behind := [flag for flag in _named(flags, before[-1]) if flag.takes != "bool"])
    ):
        return [Candidate(value) for value in _choices(behind[0], values)]
    due = _due(flags, before) if places and not current.startswith("-") else None
    if due is not None:
        return [Candidate(value) for value in _choices(due, values)]
    return [*_unused(flags, before), HELP]


def given(flags: Sequence[Flag], words: Sequence[str]) -> dict[str, str]:
    """Return the values that a line has already, by the names of their arguments."""
    found: dict[str, str] = {}
    for word, following in itertools.pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            found[_name(name)] = value if equals else following
    free = [flag.name for flag in flags if flag.positional and flag.name not in found]
    return {**found, **dict(zip(free, _placed(flags, words), strict=False))}


def _choices(flag: Flag, values: Values) -> Iterable[str]:
    return flag.choices or values(flag)


def _named(flags: Sequence[Flag], word: str) -> list[Flag]:
    return [flag for flag in flags if word.startswith("--") and flag.name == _name(word)]


def _name(word: str) -> str:
    return word.removeprefix("--").partition("=")[0].replace("-", "_")


def _due(flags: Sequence[Flag], before: Sequence[str]) -> Flag | None:
    """Return the argument that a word without a flag would be."""
    free = [flag for flag in flags if flag.positional and not _is_given(flag, before)]
    return next(iter(free[len(_placed(flags, before)) :]), None)


def _unused(flags: Sequence[Flag], before: Sequence[str]) -> Iterator[Candidate]:
    placed = set(given(flags, before))
    for flag in flags:
        if flag.takes == "bool" and not _is_given(flag, before):
            yield Candidate(f"--no{flag.name}" if flag.on else f"--{flag.name}")
        elif flag.takes == "Words" or (flag.takes != "bool" and flag.name not in placed):
            yield Candidate(f"--{flag.name}=", flag.takes)


def _is_given(flag: Flag, words: Sequence[str]) -> bool:
    names = {_name(word) for word in words if word.startswith("--")}
    return bool(names & {flag.name, f"no{flag.name}", f"no_{flag.name}"})


def _placed(flags: Sequence[Flag], words: Sequence[str]) -> list[str]:
    """Return the words that stand without a flag's name."""
    found: list[str] = []
    is_value = False
    for word in words:
        if word.startswith("--"):
            is_value = "=" not in word and any(flag.takes != "bool" for flag in _named(flags, word))
        elif is_value:
            is_value = False
        else:
            found.append(word)
    return found
