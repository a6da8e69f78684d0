"""What the keys of a scenario mean, in the words that stand below them in the models. Used by `reference`, which alone pays for it."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
import typing

from pydantic import BaseModel

from projects.sim_cluster.scenarios.fields import Section


def words(section: type[BaseModel]) -> dict[str, str]:
    """Return what is said of each key of a section: below it, or (of a dataclass's) in the words of that."""
    found = {name: field.description for name, field in section.model_fields.items() if field.description}
    for each in reversed([each for each in section.__mro__ if issubclass(each, Section) and each is not Section]):
        found |= _below(each)
    return {name: " ".join(text.split()) for name, text in found.items()}


def _below(section: type[BaseModel]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(section))
    except (OSError, TypeError):
        return {}  # it was made of a dataclass
    body = typing.cast("ast.ClassDef", ast.parse(source).body[0]).body
    return {
        ast.unparse(field.target): str(text.value.value)
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
