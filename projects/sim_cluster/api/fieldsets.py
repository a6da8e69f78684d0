"""Sets of fields in the form in which ``managedFields`` holds them (``fieldsV1``), and their algebra.

A set is a tree: ``{"f:spec": {"f:replicas": {}}}`` holds one path. An element is itself in the set when nothing stands
below it, or when ``.`` does. No operation changes its operands, so trees share their parts. Used by `ownership`, `comparing`, `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.schema import Schema

Tree = dict[str, Any]
Path = tuple[str, ...]
Operation = Callable[[Tree, Tree], Tree]
SELF: Final = "."
LEAF: Final[Tree] = {}  # below what has nothing below it


def insert(tree: Tree, path: Iterable[str]) -> None:
    """Put a path into a tree that nobody else holds."""
    *above, last = path
    for element in above:
        below = tree.get(element)
        if below is None:
            below = tree[element] = {}
        elif not below:
            below[SELF] = {}
        tree = below
    if tree.get(last):
        tree[last][SELF] = {}
    else:
        tree[last] = {}


def paths(tree: Tree, prefix: Path = ()) -> Iterator[Path]:
    """Yield the paths of a set: at each level what is in it itself, then what is below."""
    for element, below in tree.items():
        if element != SELF and _holds(below):
            yield (*prefix, element)
    for element, below in tree.items():
        if element != SELF and below:
            yield from paths(below, (*prefix, element))


def _holds(below: Tree) -> bool:
    return not below or SELF in below


def _node(below: Tree, *, held: bool) -> Tree | None:
    """Return what stands for an element with that below it; None when it is not in the set at all."""
    if not below:
        return {} if held else None
    return {SELF: {}, **below} if held else below


def _inner(below: Tree) -> Tree:
    return {element: more for element, more in below.items() if element != SELF}


def union(one: Tree, other: Tree) -> Tree:
    """Return what is in either set, in order."""
    if not one or not other:
        return one or other
    joined, grown = dict(one), False
    for element, theirs in other.items():
        ours = joined.get(element)
        if ours is None:
            joined[element], grown = theirs, True
        elif ours is not theirs and ours != theirs:
            below = union(_inner(ours), _inner(theirs))
            joined[element] = _node(below, held=_holds(ours) or _holds(theirs)) or {}
    return dict(sorted(joined.items())) if grown else joined


def difference(one: Tree, other: Tree) -> Tree:
    """Return what is in the first set and not in the second."""
    left = {}
    for element, ours in one.items():
        theirs = other.get(element)
        if theirs is None:
            left[element] = ours
            continue
        below = difference(_inner(ours), _inner(theirs))
        node = _node(below, held=_holds(ours) and not _holds(theirs))
        if node is not None:
            left[element] = node
    return left


def intersection(one: Tree, other: Tree) -> Tree:
    """Return what is in both sets."""
    shared = {}
    for element, ours in one.items():
        theirs = other.get(element)
        if theirs is not None:
            below = intersection(_inner(ours), _inner(theirs))
            node = _node(below, held=_holds(ours) and _holds(theirs))
            if node is not None:
                shared[element] = node
    return shared


def with_fields(tree: Tree, schema: Schema | None) -> Tree:
    """Return the set with the fields of structs above what is in it: these have no presence of their own to own."""
    grown = {}
    for element, below in tree.items():
        child = inner_schema(schema, element)
        field = element.startswith("f:") and schema is not None and schema.has_field(element[2:])
        more = with_fields(_inner(below), child) if below else below
        grown[element] = _node(more, held=field or _holds(below)) or {}
    return grown


def inner_schema(schema: Schema | None, element: str) -> Schema | None:
    """Return the schema of what an element of a path names."""
    if schema is None:
        return None
    return schema.child(element[2:]) if element.startswith("f:") else schema.items


#: Objects of a kind are mostly written alike, so their sets are shared, each part of them: by what is in it, and by its id.
_SHARED: Final[dict[tuple[str | int, ...], Tree]] = {}
_KNOWN: Final[dict[int, Tree]] = {}
_RESULTS: Final[dict[tuple[Operation, int, int], tuple[Tree, Tree, Tree]]] = {}  # with the sets themselves: ids recur
_MOST_SHARED: Final = 100_000
_MOST_RESULTS: Final = 10_000


def shared(tree: Tree) -> Tree:
    """Return a set in the order in which it is shown, as the one tree that all who hold an equal set hold."""
    if not tree:
        return LEAF
    if _KNOWN.get(id(tree)) is tree:
        return tree
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
        _KNOWN.clear()
    parts = {element: shared(below) if (below := tree[element]) else LEAF for element in sorted(tree)}
    key: tuple[str | int, ...] = (*parts, *map(id, parts.values()))
    found = _SHARED.setdefault(key, parts)
    _KNOWN[id(found)] = found
    return found


def settled(operation: Operation, one: Tree, other: Tree) -> Tree:
    """Return what an operation makes of two sets, as `shared` does; what was done with the same two before is not done again."""
    one, other = shared(one), shared(other)
    key = (operation, id(one), id(other))
    known = _RESULTS.get(key)
    if known is not None and known[0] is one and known[1] is other:
        return known[2]
    if len(_RESULTS) >= _MOST_RESULTS:
        _RESULTS.clear()
    result = shared(operation(one, other))
    _RESULTS[key] = (one, other, result)
    return result
