"""How a run is introduced in each listing: what it is, how it stands, since when. Used by the verbs of `runs`."""

from __future__ import annotations

from projects.core.console.paper import STYLES, Paper, Part
from projects.core.record.durations import duration
from projects.core.record.standing import Run, State
from projects.core.record.steps import parse_time, timestamp
from projects.core.record.verdict import MEANINGS
from projects.core.values.outcomes import Status
from projects.core.values.wording import in_words


def standing(run: Run) -> str:
    """Return how a run stands in a word or two: ``running``, ``killed``, ``passed``, ``failed (3)``."""
    return f"failed ({int(run.exit_code)})" if run.state is State.FAILED else str(run.state)


def moment(time: str) -> str:
    """Return a time of the record as the clock on the wall shows it."""
    return f"{parse_time(time).astimezone():%Y-%m-%d %H:%M:%S}" if time else "no step began"


def word_of(status: str, *, alive: bool) -> str:
    """Return how a step stands; one without an end in a run that does not go on was cut off."""
    return "cut off" if status == Status.RUNNING and not alive else in_words(status)


def style_of(status: str, *, alive: bool) -> str:
    """Return the style of how a step stands."""
    return STYLES["cut off"] if status == Status.RUNNING and not alive else STYLES.get(status, "")


def state_part(run: Run, width: int = 0) -> Part:
    """Return how a run stands, in its colour."""
    return (standing(run).ljust(width), STYLES.get(str(run.state), ""))


def say_heading(paper: Paper, run: Run) -> None:
    """Print what a run is, how it stands, where it is, since when."""
    code = f" with exit code {int(run.exit_code)}" if run.state is State.FAILED else ""
    paper.line((run.name, "bold"), " ", (str(run.state), STYLES.get(str(run.state), "")), code)
    if code:
        paper.text(MEANINGS[run.exit_code], indent=2)
    paper.text(str(run.root), indent=2)
    paper.line(f"{moment(run.start)}, {duration(run.seconds(timestamp()))}", indent=2)
