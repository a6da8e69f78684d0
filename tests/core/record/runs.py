"""Runs as their record and directories would be left behind, with fixed ids and times. Used by the tests of record, console and report."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from projects.core.record.failures import write_failure
from projects.core.record.steps import FILE_NAME, Cause, Step
from projects.core.values.outcomes import Status

BEGIN = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


class Run:
    """Writes a run: each step gets the next id, starts where it is told, and ends when it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[Step] = []

    def start(self, kind: str, name: str, directory: str, at: float, parent: Step | None = None, **more: Any) -> Step:
        around = parent.id if parent else None
        step = Step(f"s{len(self.steps):04d}", around, kind, name, directory, start=moment(at), **more)
        self.steps.append(step)
        (self.root / directory).mkdir(parents=True, exist_ok=True)
        line = {key: value for key, value in asdict(step).items() if key not in ("end", "cause", "tolerated")}
        self._append(line)
        return step

    def end(
        self,
        step: Step,
        at: float,
        status: Status = Status.PASSED,
        cause: Cause | None = None,
        *,
        tolerated: bool = False,
    ) -> None:
        step.end, step.status, step.cause, step.tolerated = moment(at), status, cause, tolerated
        if cause and status != Status.CANCELLED:
            write_failure(self.root, step, cause)
        self._append(
            {"id": step.id, "end": step.end, "status": status, "cause": cause and asdict(cause), "tolerated": tolerated}
        )

    def command(self, name: str, directory: str, parent: Step, span: tuple[float, float], log: str = "") -> Step:
        """A toolbox command that passed, with its log."""
        step = self.start("command", name, directory, span[0], parent)
        (self.root / directory / "_ansible.log").write_text(log or "PLAY RECAP\nlocalhost : ok=1 failed=0\n")
        self.end(step, span[1])
        return step

    def conclude(self, exit_code: int, at: float, *steps: Step) -> None:
        """The end of a process, which began some steps: all outermost ones when none is named."""
        own = steps or [step for step in self.steps if step.parent is None]
        conclusion = {"exit_code": exit_code, "steps": [step.id for step in own], "end": moment(at)}
        self._append({"conclusion": conclusion})

    def rewrite(self, line: str = "") -> None:
        """Write the record anew from the steps; `line`, when given, is what each entrypoint was called by."""
        (self.root / FILE_NAME).unlink(missing_ok=True)
        for step in self.steps:
            if line and step.kind == "entrypoint":
                step.line = line
            self._append(asdict(step))

    def _append(self, line: dict[str, object]) -> None:
        with (self.root / FILE_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def moment(seconds: float) -> str:
    """The time so many seconds after the beginning, as the record writes it."""
    return (BEGIN + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def passed_run(root: Path) -> Run:
    run = Run(root)
    main = run.start("entrypoint", "test_ci", ".", 0)
    alpha = run.start("directory", "alpha", "000__alpha", 0.1, main)
    beta = run.start("parallel", "beta", "000__alpha/000__beta", 0.2, alpha)
    branches = [run.start("branch", name, beta.directory, 0.2, beta) for name in ("left", "right")]
    for branch in branches:
        run.end(branch, 0.9)
    run.end(beta, 1.0)
    run.end(alpha, 1.1)
    run.command("cluster capture_environment", "001__cluster__capture_environment", main, (1.2, 3.0))
    run.end(main, 3.1)
    return run


def failed_run(root: Path) -> Run:
    """A command that fails, then a later failure: the probe of the acceptance checks."""
    run = Run(root)
    main = run.start("entrypoint", "fails", ".", 0)
    fine = run.start("directory", "fine", "000__fine", 0.1, main)
    run.end(fine, 0.2)
    outer = run.start("directory", "outer", "001__outer", 0.3, main)
    bad = run.start("command", "accrecord bad", "001__outer/000__accrecord__bad", 0.4, outer)
    log = "TASK [Say something before the end]\nok: [localhost] => a line before the end\n\x1b[31mfatal: FAILED!\x1b[0m => broken\n"
    (root / bad.directory / "_ansible.log").write_text(log)
    first = Cause(
        "CommandFailed", "accrecord bad failed in the task 'Fail on purpose': broken because of reason-4711", bad.id
    )
    run.end(bad, 1.4, Status.FAILED, first)
    run.end(outer, 1.5, Status.FAILED, first)
    later = run.start("directory", "later", "002__later", 1.6, main)
    second = Cause("RuntimeError", "a later failure", later.id)
    run.end(later, 1.7, Status.FAILED, second)
    run.end(main, 1.8, Status.FAILED, second)
    return run


def cancelled_run(root: Path) -> Run:
    """A `Parallel` whose third branch fails first; its siblings started earlier."""
    run = Run(root)
    main = run.start("entrypoint", "cancels", ".", 0)
    together = run.start("parallel", "together", "000__together", 0.1, main)
    names = ("sibling1", "sibling2", "failing")
    branches = [run.start("branch", name, together.directory, 0.2, together) for name in names]
    places = [f"{together.directory}/{number:03d}__{name}" for number, name in enumerate(names)]
    inner = [
        run.start("directory", name, place, 0.3, branch)
        for name, place, branch in zip(names, places, branches, strict=True)
    ]
    cause = Cause("ValueError", "the branch that failed first", inner[2].id)
    run.end(inner[2], 2.0, Status.FAILED, cause)
    run.end(branches[2], 2.1, Status.FAILED, cause)
    for step in (*inner[:2], *branches[:2]):
        run.end(step, 2.4, Status.CANCELLED)
    run.end(together, 2.5, Status.FAILED, cause)
    run.end(main, 2.6, Status.FAILED, cause)
    return run


def long_run(root: Path, steps: int = 1000) -> Run:
    """A run of many steps: entrypoints, sections, parallels of commands, a few failures."""
    run = Run(root)
    at = 0.0
    for phase in ("prepare_ci", "test_ci"):
        main = run.start("entrypoint", phase, ".", at)
        section = 0
        while len(run.steps) < steps // 2 * (1 if phase == "prepare_ci" else 2) - 11:
            at += 1
            directory = f"{section + 500 * (phase == 'test_ci'):03d}__section_{section}"
            parallel = run.start("parallel", f"section_{section}", directory, at, main)
            for number in range(5):
                branch = run.start("branch", f"user {number}", directory, at, parallel)
                place = f"{directory}/{number:03d}__cluster__set_project_annotation"
                run.command("cluster set_project_annotation", place, branch, (at + number / 10, at + 3 + number))
                run.end(branch, at + 3 + number)
            at += 8
            run.end(parallel, at)
            section += 1
        run.end(main, at)
    return run
