"""Presets: named sets of values below `ci_presets`, each of which may extend others. Called by `loading` and `layering`.

Parents come first wherever `extends` stands, so a child wins. Of a diamond, the common parent is applied once.
Every preset is checked when the file is loaded, applied or not, on the values that its parents leave behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration.data import copied, described
from projects.core.configuration.document import Place
from projects.core.configuration.errors import Problem
from projects.core.configuration.keys import name_of, replaced
from projects.core.configuration.layers import Assignment, Base, Layer, Origin
from projects.core.configuration.rules import Ground, check
from projects.core.values.nearest import did_you_mean

if TYPE_CHECKING:
    from projects.core.configuration.schema import Schema

BLOCK = "ci_presets"
NAMES = f"{BLOCK}.names"
RESERVED = frozenset({"name", "names", "to_apply", "variable_overrides", "local_config"})
EXTENDS = "extends"
HIDDEN = "__"  # a key that only holds YAML anchors starts like this


@dataclass(frozen=True, slots=True)
class Request:
    """A preset that is to be applied, and what asks for it."""

    name: str
    who: str
    layer: Layer = Layer.PRESET
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset as it is written: what it extends, and its own values in their order."""

    name: str
    place: Place | None = None
    parents: tuple[str, ...] = ()
    items: tuple[tuple[str, Any, Place | None], ...] = ()


Presets = Mapping[str, Preset]


def read_presets(base: Base) -> tuple[dict[str, Preset], list[Problem]]:
    """Return the presets of the base documents, and what is wrong in how they are written."""
    block = base.data.get(BLOCK)
    presets: dict[str, Preset] = {}
    problems: list[Problem] = []
    if block is not None and not isinstance(block, dict):
        return {}, [Problem(f"{BLOCK}: expected a mapping, found {described(block)}", base.place((BLOCK,)), BLOCK)]
    for key, body in (block or {}).items():
        name = name_of(key)
        if name in RESERVED or name.startswith(HIDDEN):
            continue
        place = base.place((BLOCK, name))
        if isinstance(body, dict):
            presets[name] = _preset(name, body, base, problems)
        else:
            problems.append(Problem(f"preset '{name}': expected a mapping, found {described(body)}", place, name))
    return presets, problems


def _preset(name: str, body: dict[Any, Any], base: Base, problems: list[Problem]) -> Preset:
    around = (BLOCK, name)
    parents: tuple[str, ...] = ()
    if EXTENDS in body:
        parents = names_in(body[EXTENDS], f"preset '{name}': {EXTENDS}", base.place((*around, EXTENDS)), problems)
    items = ((name_of(key), value) for key, value in body.items() if key != EXTENDS)
    placed = tuple((key, value, base.place((*around, key))) for key, value in items)
    return Preset(name, base.place(around), parents, placed)


def names_in(value: Any, what: str, place: Place | None, problems: list[Problem]) -> tuple[str, ...]:
    """Return the preset names of a list; a text is one name, null is none. Anything else is added to the problems."""
    listed = [] if value is None else value if isinstance(value, list) else [value]
    names = [element for element in listed if isinstance(element, str | int) and not isinstance(element, bool)]
    wrong = [element for element in listed if element not in names]
    problems += [
        Problem(f"{what}: expected the name of a preset, found {described(each)}", place, what) for each in wrong
    ]
    return tuple(map(str, names))


def unknown_preset(name: str, presets: Presets, who: str, place: Place | None) -> Problem:
    """Return the problem of a name that is no preset's."""
    return Problem(f"{who}: there is no preset '{name}'", place, f"{who} {name}", did_you_mean(name, presets))


def chain(presets: Presets, name: str) -> list[tuple[str, ...]]:
    """Return how a preset is applied: a tuple for each preset, from the applied one to it, in order of application.

    Unknown parents and loops, which `check_presets` reports, are left out.
    """
    order: dict[str, tuple[str, ...]] = {}

    def visit(through: tuple[str, ...]) -> None:
        preset = presets.get(through[-1])
        if preset is None or through[-1] in order or through[-1] in through[:-1]:
            return
        for parent in preset.parents:
            visit((*through, parent))
        order[through[-1]] = through

    visit((name,))
    return list(order.values())


def family(presets: Presets, name: str) -> list[str]:
    """Return a preset's name and those of everything it extends, the child before its parents."""
    found: dict[str, None] = {}

    def visit(each: str) -> None:
        if each in presets and each not in found:
            found[each] = None
            for parent in presets[each].parents:
                visit(parent)

    visit(name)
    return list(found)


def assignments_of(presets: Presets, name: str, layer: Layer) -> Iterator[Assignment]:
    """Give what applying a preset sets, in order; values still to be copied."""
    for through in chain(presets, name):
        for key, value, place in presets[through[-1]].items:
            yield Assignment(key, value, Origin(layer, place, through))


def check_presets(base: Base, presets: Presets, schema: Schema | None = None) -> list[Problem]:
    """Return everything that is wrong with the presets: unknown parents, loops, unknown keys, values that are not as declared."""
    problems = [
        unknown_preset(parent, presets, f"preset '{preset.name}': {EXTENDS}", base.place((BLOCK, preset.name, EXTENDS)))
        for preset in presets.values()
        for parent in preset.parents
        if parent not in presets
    ]
    problems += _loops(presets, base)
    after: dict[str, Any] = {}
    for name in presets:
        _values_after(name, presets, base, schema, after, problems)
    return problems


def _loops(presets: Presets, base: Base) -> Iterator[Problem]:
    told: set[frozenset[str]] = set()
    for name in presets:
        loop = _loop_from(name, presets)
        if loop and frozenset(loop) not in told:
            told.add(frozenset(loop))
            place = base.place((BLOCK, name, EXTENDS))
            yield Problem(f"preset '{name}' extends itself: {' -> '.join(loop)}", place, f"loop {name}")


def _loop_from(name: str, presets: Presets) -> tuple[str, ...] | None:
    """Return the way from a preset back to it, when there is one."""
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(name,)]
    while ways:
        way = ways.pop()
        for parent in presets[way[-1]].parents:
            if parent == name:
                return (*way, name)
            if parent in presets and parent not in seen:
                seen.add(parent)
                ways.append((*way, parent))
    return None


def _values_after(
    name: str, presets: Presets, base: Base, schema: Schema | None, after: dict[str, Any], problems: list[Problem]
) -> Any:
    """Return the values that stand after a preset alone was applied; what is wrong in its own items is added."""
    if name in after:
        return after[name]
    through = [way[-1] for way in chain(presets, name)]
    parents = presets[name].parents
    after[name] = base.data  # what a loop sees
    if len(parents) == 1 and parents[0] in presets:
        data = _values_after(parents[0], presets, base, schema, after, problems)
    else:
        data = base.data
        for parent in through[:-1]:
            data = _with_items(data, presets[parent], base, schema, [])
    after[name] = _with_items(data, presets[name], base, schema, problems)
    return after[name]


def _with_items(data: Any, preset: Preset, base: Base, schema: Schema | None, problems: list[Problem]) -> Any:
    for key, value, place in preset.items:
        ground = Ground(data, base.data, base.place, base.place, schema)
        outcome = check(key, value, ground, who=f"preset '{preset.name}'", place=place)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            data = replaced(data, outcome, copied(value))
    return data
