"""Which entrypoints an orchestration declares, read without importing it. Called by rehearsals and by `configure lint`."""

from __future__ import annotations

import ast
from pathlib import Path


def declared_entrypoints(script: Path) -> list[str]:
    """Return the names of the functions of a test.py that are declared with `@entrypoint()`, without importing it."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("entrypoint" in ast.unparse(each) for each in node.decorator_list)
    ]
