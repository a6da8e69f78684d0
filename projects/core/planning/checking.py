"""``--check``: what a plan needs of the cluster and of this machine, asked for without changing anything. Called through `planning.check`.

All questions are asked side by side, each once, and all of it within a time: a cluster that does not answer is one finding.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from projects.core.cluster.api import Cluster
from projects.core.cluster.session import connect_until
from projects.core.planning.needs import needs
from projects.core.planning.questions import Question
from projects.core.planning.tree import read_plan
from projects.core.values.errors import ForesailError, InfrastructureError
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import REDACTOR
from projects.core.values.wording import counted

WITHIN_S = 30.0
_AT_ONCE = 8
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a plan needs and that is not there, or that could not be found out.

    Attributes:
      what: What it is, in words.
      needed_by: The steps that need it.
      known: Whether it is known to be missing.
    """

    what: str
    needed_by: tuple[str, ...] = ()
    known: bool = True

    def __str__(self) -> str:
        """Return it as a line."""
        shown = ", ".join(self.needed_by[:_NAMED]) + ", …" * (len(self.needed_by) > _NAMED)
        return self.what + (f" (needed by {shown})" if shown else "")


def check(root: Path, *, as_json: bool = False) -> ExitCode:
    """Ask for what a plan needs, and print what is missing.

    Args:
      root: The plan's root.
      as_json: Whether standard output is the plan's alone, so that this goes to standard error.

    Returns:
      `ExitCode.INFRASTRUCTURE` when something is missing.
    """
    wanted = needs(read_plan(root))
    found = missing(wanted)
    sys.stdout.flush()
    out = sys.stderr if as_json else sys.stdout
    out.write(REDACTOR.redact(_text(found, len(wanted))))
    out.flush()
    return ExitCode.INFRASTRUCTURE if any(each.known for each in found) else ExitCode.PASSED


def missing(wanted: Mapping[Question, Sequence[str]]) -> list[Missing]:
    """Return what is missing of what is wanted, in the order in which it is wanted.

    Args:
      wanted: Questions, with the steps that need what they ask for.
    """
    files = {question: steps for question, steps in wanted.items() if not question.of_cluster}
    others = {question: steps for question, steps in wanted.items() if question.of_cluster}
    return [*_asked(files, None), *(_of_cluster(others) if others else [])]


def _of_cluster(wanted: Mapping[Question, Sequence[str]]) -> list[Missing]:
    try:
        cluster = Cluster(connect_until(time.monotonic() + WITHIN_S))
        cluster.session.discovery.refresh()  # is the first thing that is asked: does it answer?
    except ForesailError as error:
        return [_unreachable(error)]
    try:
        return _asked(wanted, cluster)
    except InfrastructureError as error:
        return [_unreachable(error)]
    finally:
        cluster.session.close()


def _asked(wanted: Mapping[Question, Sequence[str]], cluster: Cluster | None) -> list[Missing]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda each: _ask(each[0], tuple(each[1]), cluster), wanted.items())
        return [answer for answer in answers if answer is not None]


def _ask(question: Question, steps: tuple[str, ...], cluster: Cluster | None) -> Missing | None:
    try:
        what = question.missing(cluster)  # type: ignore[arg-type]  # who asks no cluster is given none
    except InfrastructureError:
        raise
    except ForesailError as error:
        return Missing(f"not known: {error}", steps, known=False)
    return None if what is None else Missing(what, steps)


def _unreachable(error: ForesailError) -> Missing:
    hint = f" ({error.hint})" if error.hint else ""
    return Missing(f"no cluster: {str(error).removeprefix('no cluster: ')}{hint}")


def _text(found: Sequence[Missing], asked: int) -> str:
    count = sum(each.known for each in found)
    if not asked:
        return "\nThe plan needs nothing of the cluster.\n"
    are_missing = f"{count} {'is' if count == 1 else 'are'} missing:"
    head = f"Asked for {counted(asked, 'thing')}; {are_missing if count else 'nothing is missing.'}"
    return "\n" + "\n".join([head, *(f"  {each}" for each in found)]) + "\n"
