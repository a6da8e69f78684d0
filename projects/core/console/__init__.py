"""What a person sees while a run goes on and when it ends: redacted streams, progress, the summary. Importing it is cheap."""

from projects.core.console.logs import configure_logging
from projects.core.console.progress import show_progress
from projects.core.console.streams import branch_output, install, installed, say
from projects.core.console.summary import print_summary, summary
from projects.core.console.tails import Tail, remember_output
from projects.core.console.waiting import waiting_for

__all__ = [
    "Tail",
    "branch_output",
    "configure_logging",
    "install",
    "installed",
    "print_summary",
    "remember_output",
    "say",
    "show_progress",
    "summary",
    "waiting_for",
]
