"""What came of a rehearsal: one result for each scenario, whether it is as expected, and the table. Called by `playing` and `cli`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import groupby
from pathlib import Path

from projects.core.record.verdict import MEANINGS
from projects.core.values.outcomes import ExitCode, worst
from projects.core.values.wording import counted, in_words
from projects.rehearsal.leftovers import CLUSTER_SCOPED, Leftover
from projects.sim_cluster.scenarios.model import Scenario

FILE_NAME = "rehearsal.json"
_SHOWN = 3
_MOST = 99.95  # beyond that, one decimal would make four digits
_HEADINGS = (
    "scenario",
    "outcome",
    "exit code",
    "expected",
    "real",
    "simulated",
    "faults",
    "left on the cluster",
)


@dataclass(frozen=True)
class Result:
    """What came of one scenario.

    Attributes:
      scenario: Its name.
      directory: The artifact directory of its run.
      exit_code: What the run ended with.
      expected: The exit codes that it should have ended with.
      states: What the scenario says that an orchestration should do.
      real_seconds: How long the run took.
      simulated_seconds: How long it took by the cluster's clock; None when the cluster did not start.
      struck: How often each fault struck, by its name.
      left: What the run left on the cluster.
    """

    scenario: str
    directory: str
    exit_code: int
    expected: tuple[int, ...]
    states: str
    real_seconds: float
    simulated_seconds: float | None = None
    struck: Mapping[str, int] = field(default_factory=dict)
    left: tuple[Leftover, ...] = ()

    @property
    def as_stated(self) -> bool:
        """Whether the run ended as the scenario states that it should."""
        return self.exit_code in self.expected

    @property
    def outcome(self) -> str:
        """The exit code in words."""
        return in_words(ExitCode(self.exit_code).name.lower())

    @property
    def code(self) -> ExitCode:
        """What a rehearsal of this scenario alone exits with."""
        if self.as_stated:
            return ExitCode.PASSED
        return worst([self.exit_code]) if self.exit_code else ExitCode.TEST_FAILED


def expected_codes(scenario: Scenario, struck: Mapping[str, int]) -> tuple[int, ...]:
    """Return the exit codes that a scenario allows, which depends on whether one of its faults has struck."""
    expect = scenario.expect
    has_faults = bool(scenario.faults.api or scenario.faults.cluster)
    return expect.untouched if has_faults and not any(struck.values()) else expect.exit_codes


def told(results: Sequence[Result]) -> str:
    """Return the table, and below it what is not as it should be and what was left."""
    lines = ["", *_table(results)]
    for each in results:
        if not each.as_stated:
            lines += ["", f"not as stated: {each.scenario} ended with {each.exit_code}, not with {_either(each.expected)}: {each.states}",
                      f"  look into {each.directory}"]  # fmt: skip
        if each.left:
            lines += ["", f"left on the cluster by {each.scenario}", *(f"  {line}" for line in listing(each.left))]
    return "\n".join(lines) + "\n"


def _table(results: Sequence[Result]) -> list[str]:
    rows = [_HEADINGS, *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.scenario,
        MEANINGS[ExitCode(result.exit_code)].partition(":")[0],
        str(result.exit_code),
        "as stated" if result.as_stated else f"not {_either(result.expected)}",
        span(result.real_seconds),
        "-" if result.simulated_seconds is None else span(result.simulated_seconds),
        _met(result.struck),
        summary(result.left),
    )


def span(seconds: float) -> str:
    """Return a duration in one unit, as a column of them is read: ``11.0 s``, ``19.5 min``, ``1.7 h``."""
    minutes = seconds / 60
    if seconds < _MOST:
        return f"{seconds:.1f} s"
    return f"{minutes:.1f} min" if minutes < _MOST else f"{minutes / 60:.1f} h"


def _met(struck: Mapping[str, int]) -> str:
    """Return whether faults struck; how often depends on how often a client asks, so it is no part of the table."""
    if not struck:
        return "none"
    return "struck" if any(struck.values()) else "never struck"


def _either(codes: Sequence[int]) -> str:
    return " or ".join(map(str, codes))


def summary(left: Sequence[Leftover]) -> str:
    """Return in a line what is left: the namespaces by name, the rest by number."""
    if not left:
        return "nothing"
    spaces = [each.name for each in left if each.kind == "Namespace"]
    others = [each for each in left if each.kind != "Namespace"]
    said = [f"namespace {', '.join(spaces[:_SHOWN])}{' …' if len(spaces) > _SHOWN else ''}"] if spaces else []
    return ", ".join(said + ([counted(len(others), "object")] if others else []))


def listing(left: Sequence[Leftover]) -> list[str]:
    """Return what is left, a line for each namespace."""
    lines = []
    for namespace, found in groupby(left, key=lambda each: each.namespace):
        named = [f"{each.kind} {each.name}{' (terminating)' if each.terminating else ''}" for each in found]
        where = f"in namespace {namespace}" if namespace != CLUSTER_SCOPED else "of the cluster"
        lines.append(f"{where}: {', '.join(named)}")
    return lines


def write(results: Sequence[Result], path: Path) -> None:
    """Write results as JSON."""
    document = [asdict(each) | {"as_stated": each.as_stated, "outcome": each.outcome} for each in results]
    path.write_text(json.dumps({"scenarios": document}, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> Result:
    """Return the one result of a file that `write` has written."""
    (document,) = json.loads(path.read_text(encoding="utf-8"))["scenarios"]
    given = {each.name: document[each.name] for each in fields(Result)}
    return Result(
        **given | {"left": tuple(Leftover(**each) for each in given["left"]), "expected": tuple(given["expected"])}
    )
