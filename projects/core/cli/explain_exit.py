"""`run_toolbox.py explain-exit N`: what an exit code means, who should act, what to look at next, and how to go on."""

from __future__ import annotations

from projects.core.console.paper import Paper
from projects.core.record.verdict import MEANINGS
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import ADVICE, ExitCode

_LABEL = 11


def explain_exit(code: int) -> None:
    """Explain an exit code: what it means, who should act, what to look at next, and how to go on.

    Args:
      code: What a script of Foresail has ended with.
    """
    if code not in MEANINGS:
        raise UsageError(f"{code} is no exit code of Foresail; there are:\n{_table()}", hint=_hint(code))
    known = ExitCode(code)
    paper, advice = Paper(), ADVICE[known]
    paper.line((f"{code}  {MEANINGS[known]}", "bold"))
    for label, text in (("who acts", advice.who), ("look at", advice.look), ("go on", advice.go_on)):
        paper.columns([(label.ljust(_LABEL), "dim")], text, indent=2)


def _table() -> str:
    return "\n".join(f"  {int(each):>3}  {meaning}" for each, meaning in MEANINGS.items())


def _hint(code: int) -> str | None:
    if code == 128 + 9:
        return "137 is SIGKILL: the kernel or the CI killed it; `runs list` and `runs why DIR` tell what it was in"
    if code in (126, 127):
        return "the shell says that: there is no such program, or it may not be run"
    return None
