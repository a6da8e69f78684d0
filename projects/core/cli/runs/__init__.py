"""`run_toolbox.py runs`: look at runs from their records alone, whether they go on, have ended or were killed. Called by `verbs`.

One module a verb, or two verbs that share most of what they do; each prints what the rooms below find out. The module of a
verb is imported when the verb is used: to show a run needs none of what undoes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

_PLACES: Mapping[str, str] = {
    "list_": "projects.core.cli.runs.overview",
    "show": "projects.core.cli.runs.trees",
    "why": "projects.core.cli.runs.reasons",
    "watch": "projects.core.cli.runs.playing",
    "replay": "projects.core.cli.runs.playing",
    "compare": "projects.core.cli.runs.beside",
    "open_": "projects.core.cli.runs.reports",
    "report": "projects.core.cli.runs.reports",
    "cleanup": "projects.core.cli.cleanup",
}


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function: Callable[..., Any] = getattr(import_module(_PLACES[name]), name)
    return function
