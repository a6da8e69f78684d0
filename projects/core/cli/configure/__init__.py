"""`run_toolbox.py configure`: look into the configuration of a project, and work with it in a shell. Called by `verbs`.

One module a verb, or several verbs that are one thing. None of them touches a cluster, or imports what would.
"""

from projects.core.cli.configure.comparing import diff
from projects.core.cli.configure.entering import apply, enter, get, name
from projects.core.cli.configure.explaining import explain
from projects.core.cli.configure.linting import lint
from projects.core.cli.configure.schemas import schema

__all__ = ["apply", "diff", "enter", "explain", "get", "lint", "name", "schema"]
