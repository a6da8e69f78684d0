"""The table of Foresail's own verbs (`configure`, `runs`, `doctor`, …). Read by `verbs`, by listings and by shell completion.

It tells what those need, so that the module of a verb is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BuiltIn(NamedTuple):
    """A verb of `run_toolbox.py` that is no toolbox command.

    Attributes:
      module: Where its functions are, below `projects.core.cli`.
      summary: What it is for, in one line.
      verbs: The functions of a group with a line each; empty for a single verb, whose function is named like the module.
    """

    module: str
    summary: str
    verbs: Mapping[str, str]


BUILT_IN: Mapping[str, BuiltIn] = {
    "configure": BuiltIn(
        "configure",
        "Look into the configuration of a project.",
        {
            "explain": "Tell what a key is set to, and by which layers.",
            "lint": "Tell everything that is wrong in a project's configuration and templates.",
            "diff": "Tell how two configurations differ.",
            "schema": "Print the JSON Schema of a project's configuration.",
            "enter": "Start to work with a project's configuration in a shell.",
            "apply": "Apply a preset to the configuration that was entered.",
            "get": "Print the value of a key of the configuration that was entered.",
            "name": "Print the project of the configuration that was entered.",
        },
    ),
    "runs": BuiltIn(
        "runs",
        "Look at runs, from their records alone.",
        {
            "list": "List the runs below a directory.",
            "show": "Show the steps of a run.",
            "why": "Tell why a run, or a step of it, failed.",
            "watch": "Follow a run while it goes on.",
            "replay": "Play a run again on the terminal, from its record.",
            "compare": "Compare two runs step by step.",
            "open": "Open the report of a run.",
            "report": "Write the report of a run again.",
            "cleanup": "Undo what a run that was killed has left behind.",
        },
    ),
    "doctor": BuiltIn("doctor", "Check this machine: each thing that Foresail needs is ok, or what to do.", {}),
    "explain-exit": BuiltIn("explain_exit", "Explain an exit code.", {}),
    "completion": BuiltIn("completion", "Print the completion script for a shell.", {}),
}


def is_built_in(word: str) -> bool:
    """Return whether a word is a built-in verb, with dashes or underscores."""
    return word.replace("_", "-") in BUILT_IN
