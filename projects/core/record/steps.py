"""The step record: one append-only `_steps.jsonl` at a run's root, written by every process of the run, read by all reports.

A step is two lines: one when it starts, one when it ends, which is the last thing written for it. Readers
merge the lines of an id. Each line is one `write` on a descriptor opened for appending, so lines of
concurrent threads and processes never mix.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from projects.core.record.journal import Journal, read_objects
from projects.core.values import redaction
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR

FILE_NAME = "_steps.jsonl"
_AT_THE_END = ("end", "cause", "tolerated", "details")
_WHEN_SAID = ("project", "line", "occurrence", "attempt", "reuses", "digest")
"""What a start line holds only when it is not the default."""

Kind = Literal["entrypoint", "directory", "parallel", "branch", "command", "step", "attempt", "wait", "scan", "shell"]
"""What a step is: `step` a function declared `@run.step`, `attempt` one try of a `retry`, `wait` a `wait_for`, `scan` the
search for secrets at the end; `shell` is a `run.run`, which only a plan lists."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step did not pass: the error's type and message, its exit code, and the id of the step where it began.

    `hint` is what to do about it, when the error says so.
    """

    type: str
    message: str
    step: str
    exit_code: int = 1
    hint: str | None = None


@dataclass(slots=True)
class Step:
    """One step, as its merged lines tell it.

    `directory` is relative to the run's root (``.`` is the root); `start` and `end` are ISO-8601 in UTC.
    An entrypoint says which `project` it is of.
    A step is `tolerated` when its caller declared that it may fail: it does not count in the verdict.

    `occurrence` counts the steps of one kind and name below one parent, from 0; with the steps around it tells which step
    of the orchestration this is, in every attempt. A later `attempt` (the first is 1) takes the place of an earlier one.
    A step that a resumed run did not do again is `skipped` and `reuses` the id of the one that did it.
    `digest` stands for the code of what it runs, `line` is the shell line that an outermost entrypoint was called by,
    `details` what else is known when it ends, such as what it returned.
    """

    id: str
    parent: str | None
    kind: str
    name: str
    directory: str
    arguments: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    end: str | None = None
    status: str = Status.RUNNING
    cause: Cause | None = None
    tolerated: bool = False
    project: str = ""
    line: str = ""
    occurrence: int = 0
    attempt: int = 1
    reuses: str = ""
    digest: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, None while it runs."""
        return None if self.end is None else (parse_time(self.end) - parse_time(self.start)).total_seconds()


_OURS = frozenset(
    (
        "id",
        "parent",
        "kind",
        "start",
        "end",
        "status",
        "tolerated",
        "occurrence",
        "attempt",
        "reuses",
        "digest",
        "conclusion",
    )
)
"""What of a line the record itself has made up."""
_DEFAULTS = {each.name: each.default for each in fields(Step)}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What one process's share of a run came to, as the process itself said in the end.

    Attributes:
      exit_code: What it exits with.
      steps: The ids of its outermost steps.
      end: When that was.
    """

    exit_code: int
    steps: tuple[str, ...]
    end: str


def timestamp() -> str:
    """Return the present time as the record writes it: ISO-8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the time that `timestamp` wrote."""
    return datetime.fromisoformat(text)


def new_id() -> str:
    """Return an id that no other step of any process has."""
    return uuid.uuid4().hex[:16]


class Feed:
    """Hands steps on to those that listen: the record of a run as they start and end, `runs` as it plays them again."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Step], None]] = []

    def listen(self, listener: Callable[[Step], None]) -> Callable[[], None]:
        """Call `listener` with each change.

        Returns:
          A function that takes the listener off again.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, step: Step) -> None:
        """Hand a change on."""
        for listener in list(self._listeners):
            listener(step)


class Record(Feed):
    """The record of one run, open for appending. Who listens hears of each step that this process starts or ends.

    Args:
      root: The run's artifact directory. The file is made with the first line.
      planning: Whether this is the record of a plan, below a temporary directory: nothing may have an effect outside of it.
    """

    def __init__(self, root: Path, *, planning: bool = False) -> None:
        super().__init__()
        self.root = root
        self.planning = planning
        self.path = root / FILE_NAME
        self._journal = Journal(self.path)

    def start(self, step: Step) -> None:
        """Append the start line of a step."""
        step.start = timestamp()
        self._append(
            {
                key: value
                for key, value in asdict(step).items()
                if key not in _AT_THE_END and not (key in _WHEN_SAID and value == _DEFAULTS[key])
            }
        )
        self.tell(step)

    def end(self, step: Step, status: Status, cause: Cause | None = None) -> None:
        """Append the end line of a step, the last thing that is written for it."""
        step.end, step.status, step.cause = timestamp(), status, cause
        line: dict[str, Any] = {"id": step.id, "end": step.end, "status": status}
        if cause:
            line["cause"] = asdict(cause)
        if step.tolerated:
            line["tolerated"] = True
        if step.details:
            line["details"] = step.details
        self._append(line)
        self.tell(step)

    def conclude(self, conclusion: Conclusion) -> None:
        """Append what a process's share of the run came to, after its last step."""
        self._append({"id": new_id(), "conclusion": asdict(conclusion)})

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        self._journal.close()

    def _append(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(_without_secrets(line), ensure_ascii=False, default=lambda value: REDACTOR.redact(str(value)))
        self._journal.append(text.encode())


def _without_secrets(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line without secrets in what others have said. Ours stays as it is: a secret of four digits stands in many times."""
    return {
        key: value if key in _OURS else _of_cause(value) if key == "cause" else redacted(value)
        for key, value in line.items()
    }


def _of_cause(cause: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if key in ("step", "exit_code") else redacted(value) for key, value in cause.items()}


def redacted(value: Any) -> Any:
    """Return a JSON-like value with each string in it redacted, and manifests of kind Secret without their values."""
    return redaction.redacted(value)


def read_steps(root: Path) -> list[Step]:
    """Read the record of a run, running or ended.

    Args:
      root: The run's artifact directory.

    Returns:
      Its steps in order of their start. A line that was cut off by a kill is left out, and so is an end whose start
      was; no file, no steps.
    """
    return merged(read_lines(root))


def read_conclusions(root: Path) -> list[Conclusion]:
    """Return what the processes of a run came to, in order; a process that was killed has said nothing."""
    found = [line["conclusion"] for line in read_lines(root) if "conclusion" in line]
    return [Conclusion(each["exit_code"], tuple(each["steps"]), each["end"]) for each in found]


def read_lines(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a record; one that was cut off by a kill is left out."""
    return read_objects(root / FILE_NAME)


def merged(lines: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Return the steps that some lines of a record tell of, in order of their start; see `read_steps`."""
    steps: dict[str, Step] = {}
    for line in lines:
        values = {key: value for key, value in line.items() if key in _DEFAULTS}
        if values.get("cause"):
            values["cause"] = Cause(**values["cause"])
        if values.get("id") in steps:
            for key, value in values.items():
                setattr(steps[values["id"]], key, value)
        elif "start" in values:
            steps[values["id"]] = Step(**values)
    return list(steps.values())
