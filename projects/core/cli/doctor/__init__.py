"""`run_toolbox.py doctor`: what Foresail needs on this machine and of the cluster, each ok or what to do. Called by `verbs`.

Nothing is written but a file that is gone again, and nothing hangs: whatever is asked has `SECONDS` to answer.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from projects.core.cli.doctor import cluster, machine, places, secrets
from projects.core.cli.doctor.findings import Finding, Level
from projects.core.console.paper import STYLES, Paper
from projects.core.values.outcomes import ExitCode
from projects.core.values.wording import counted

_LEVEL = 9
_SUBJECT = 12


def doctor(project: str | None = None) -> int:
    """Check this machine and the cluster: each thing that Foresail needs is ok, or what to do.

    A warning leaves something undone that you may not need: a rehearsal, say, needs no kubeconfig. Exits with 3 when
    there is a problem, such as a cluster that is not reachable, and with 0 otherwise.

    Args:
      project: Look at the secrets of this project only; what is missing of them is a problem then.
    """
    paper = Paper()
    counts: Counter[Level] = Counter()
    checks: Sequence[Callable[[], Iterable[Finding]]] = (
        *machine.CHECKS,
        *places.CHECKS,
        cluster.check,
        functools.partial(secrets.check, project),
    )
    for finding in itertools.chain.from_iterable(check() for check in checks):
        _say(paper, finding)
        counts[finding.level] += 1
    print()
    paper.line(_conclusion(counts))
    return int(ExitCode.INFRASTRUCTURE if counts[Level.PROBLEM] else ExitCode.PASSED)


def _say(paper: Paper, finding: Finding) -> None:
    level = str(finding.level).ljust(_LEVEL)
    head = [(level, STYLES[finding.level]), (finding.subject.ljust(_SUBJECT), "bold")]
    paper.columns(head, finding.text)
    if finding.advice:
        paper.columns([(" " * (_LEVEL + _SUBJECT), "")], f"→ {finding.advice}")


def _conclusion(counts: Counter[Level]) -> str:
    found = [counted(counts[level], level) for level in (Level.PROBLEM, Level.WARNING) if counts[level]]
    return ", ".join(found) if found else "everything is ok"
