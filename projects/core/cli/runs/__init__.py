"""`run_toolbox.py runs`: look at runs from their records alone, whether they go on, have ended or were killed. Called by `verbs`.

One module a verb, or two verbs that share most of what they do; each prints what the rooms below find out.
"""

from projects.core.cli.cleanup import cleanup
from projects.core.cli.runs.beside import compare
from projects.core.cli.runs.overview import list_
from projects.core.cli.runs.playing import replay, watch
from projects.core.cli.runs.reasons import why
from projects.core.cli.runs.reports import open_, report
from projects.core.cli.runs.trees import show

__all__ = ["cleanup", "compare", "list_", "open_", "replay", "report", "show", "watch", "why"]
