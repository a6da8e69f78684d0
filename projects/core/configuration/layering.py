"""Who wins: the layers laid over the base, from the weakest to the strongest. Called by `loading`, and by `apply_preset`.

    config.yaml < local overrides < presets to apply < ci_presets.variable_overrides < local overrides again
                < presets of the pull request < --preset < --set < overrides of the pull request

Each layer is a list of assignments, and laying it is a fold: what is wrong is collected, and what is right goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from projects.core.configuration.data import copied, described
from projects.core.configuration.document import Document
from projects.core.configuration.errors import Problem
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key, name_of
from projects.core.configuration.layers import Assignment, Configuration, Layer, Origin, assigned
from projects.core.configuration.presets import (
    BLOCK,
    NAMES,
    Presets,
    Request,
    assignments_of,
    family,
    names_in,
    unknown_preset,
)
from projects.core.configuration.rules import Ground, check
from projects.core.configuration.settings import assignments as assignments_by_words

PR_ARGUMENT = "PR_POSITIONAL_ARG_"
TO_APPLY = (BLOCK, "to_apply")
CI_OVERRIDES = (BLOCK, "variable_overrides")
MAY_CREATE = frozenset({Layer.LOCAL, Layer.PR})


@dataclass(frozen=True, slots=True)
class Overlays:
    """What is laid over the base, besides what the base itself asks for."""

    local: Document | None = None
    pull_request: Document | None = None
    presets_of_pull_request: bool = False
    presets: tuple[str, ...] = ()
    """Presets that a command line asks for."""
    settings: tuple[str, ...] = ()
    """Values that it sets, each ``key=value``."""


Laid = tuple[Configuration, list[Problem]]


def layered(configuration: Configuration, presets: Presets, overlays: Overlays) -> Laid:
    """Lay every layer over a configuration, in their order.

    Args:
      configuration: The base.
      presets: Its presets.
      overlays: The files of overrides.

    Returns:
      The configuration with everything that could be set, and what could not.
    """
    problems: list[Problem] = []

    def over(laid: Laid) -> Configuration:
        problems.extend(laid[1])
        return laid[0]

    # What is wrong with them is told the second time, when the keys that presets bring are there.
    configuration, _ = lay(configuration, overrides_of(overlays.local, Layer.LOCAL))
    configuration, _ = with_settings(configuration, overlays.settings)
    configuration = over(with_presets(configuration, presets, _to_apply(configuration, problems)))
    configuration = over(lay(configuration, _ci_overrides(configuration, problems)))
    configuration = over(lay(configuration, overrides_of(overlays.local, Layer.LOCAL)))
    if overlays.presets_of_pull_request:
        asked = asked_by_pull_request(configuration, overlays.pull_request)
        configuration = over(with_presets(configuration, presets, asked))
    configuration = over(by_command_line(configuration, presets, overlays))
    configuration = over(lay(configuration, overrides_of(overlays.pull_request, Layer.PR)))
    return configuration, problems


def by_command_line(configuration: Configuration, presets: Presets, overlays: Overlays) -> Laid:
    """Lay what a command line asks for over a configuration: presets, and the values that it sets over them."""
    requests = [Request(name, "--preset") for name in overlays.presets]
    configuration, problems = with_presets(configuration, presets, requests)
    configuration, more = with_settings(configuration, overlays.settings)
    return configuration, [*problems, *more]


def with_settings(configuration: Configuration, words: Iterable[str]) -> Laid:
    """Lay the values that a command line sets, each ``key=value``, over a configuration."""
    problems: list[Problem] = []
    wanted = list(assignments_by_words(words, configuration, problems))
    configuration, more = lay(configuration, wanted)
    return configuration, [*problems, *more]


def lay(configuration: Configuration, assignments: Iterable[Assignment]) -> Laid:
    """Lay assignments over a configuration, one after the other.

    Returns:
      The configuration with those that are right, and what is wrong with the others.
    """
    problems = []
    for assignment in assignments:
        outcome = checked(configuration, assignment)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            value = copied(assignment.value)
            configuration = assigned(configuration, outcome, Assignment(assignment.key, value, assignment.origin))
    return configuration, problems


def checked(configuration: Configuration, assignment: Assignment) -> KeyPath | Problem:
    """Return where an assignment goes, or what is wrong with it."""
    origin = assignment.origin
    who = f"preset '{origin.presets[-1]}'" if origin.presets else str(origin.layer)
    ground = Ground(
        configuration.data,
        configuration.declared,
        configuration.base.place,
        configuration.place,
        configuration.schema,
    )
    may_create = origin.layer in MAY_CREATE
    return check(assignment.key, assignment.value, ground, who=who, place=origin.place, may_create=may_create)


def with_presets(configuration: Configuration, presets: Presets, requests: Iterable[Request]) -> Laid:
    """Apply presets one after the other, and note their names and those of their parents in `ci_presets.names`.

    Args:
      configuration: The configuration before.
      presets: All there are.
      requests: Those that are to be applied.
    """
    problems = []
    for request in requests:
        if request.name not in presets:
            problems.append(unknown_preset(request.name, presets, request.who, request.place))
            continue
        configuration, wrong = lay(configuration, assignments_of(presets, request.name, request.layer))
        problems += wrong
        origin = Origin(request.layer, request.place)
        configuration = _with_names(configuration, family(presets, request.name), origin)
    return configuration, problems


def _with_names(configuration: Configuration, names: list[str], origin: Origin) -> Configuration:
    before = find(configuration.data, (BLOCK, "names"))
    listed = before if isinstance(before, list) else []
    value = list(dict.fromkeys([*listed, *names]))
    return assigned(configuration, (BLOCK, "names"), Assignment(NAMES, value, origin))


def _to_apply(configuration: Configuration, problems: list[Problem]) -> list[Request]:
    value = find(configuration.data, TO_APPLY)
    who = format_key(TO_APPLY)
    around = configuration.place(TO_APPLY)
    names = names_in(None if value is MISSING else value, who, around, problems)
    lines = (configuration.place((*TO_APPLY, index)) for index in range(len(names)))
    return [Request(name, who, place=line or around) for name, line in zip(names, lines, strict=True)]


def _ci_overrides(configuration: Configuration, problems: list[Problem]) -> Iterator[Assignment]:
    value = find(configuration.data, CI_OVERRIDES)
    if value is MISSING or value is None:
        return
    around = configuration.place(CI_OVERRIDES)
    if not isinstance(value, dict):
        problems.append(Problem(f"{Layer.CI}: expected a mapping, found {described(value)}", around))
        return
    for key, member in value.items():
        name = name_of(key)
        place = configuration.place((*CI_OVERRIDES, name)) or around
        yield Assignment(name, member, Origin(Layer.CI, place))


def overrides_of(document: Document | None, layer: Layer) -> Iterator[Assignment]:
    """Give what a file of overrides sets: its keys are written with dots."""
    if document is None:
        return
    for key, value in document.data.items():
        name = name_of(key)
        yield Assignment(name, value, Origin(layer, document.place((name,))))


def asked_by_pull_request(configuration: Configuration, overrides: Document | None) -> Iterator[Request]:
    """Give the presets that the pull request's positional arguments name; argument 0 is the test's own name.

    Args:
      configuration: Where the arguments stand when they were laid already.
      overrides: Where they stand otherwise.
    """
    for key, value in {**configuration.data, **(overrides.data if overrides else {})}.items():
        number = str(key).removeprefix(PR_ARGUMENT)
        if number in {str(key), "0"} or value is None:
            continue
        place = overrides.place((str(key),)) if overrides else configuration.place((str(key),))
        for name in str(value).split():
            yield Request(name, str(key), Layer.PR_PRESET, place)
