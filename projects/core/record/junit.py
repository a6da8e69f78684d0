"""`junit_foresail.xml`: the record as one test suite, a test case per step. Written by `finish`, read by CI systems.

A cancelled step is *skipped* there: its sibling broke, and a dashboard that counts broken cases should count one.
A failure that is tolerated is skipped too, with its reason: neither green nor red would be true. A step without
an end is an *error*, since the process died in it.

Names carry a meaning. Spyglass, Prow's viewer, gathers the cases of a suite that have one class name and one name: passed
and failed or in error, in whichever order, is *flaky*; a skipped one among them makes the whole of them skipped.
openshift-tests writes its flakes so, a failed case and then a passed one, and counts both; so do we. So names are the steps'
directories, which are unique, but what `flakes` knows to be attempts of one step has the name of the first; a second equal
name of another step is numbered; no skipped case stands beside others of its name; and a step that a resumed run did not do
again is skipped under a name of its own, with where it passed. The run's verdict does not depend on any of this.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from projects.core.record.artifacts import ANSIBLE_LOG, clean, path_of, read_tail, write_atomically
from projects.core.record.attempts import superseded
from projects.core.record.failures import FAILURE
from projects.core.record.flakes import case_names, task_flakes, was_cut_off
from projects.core.record.steps import Cause, Step
from projects.core.record.verdict import FAILING, Trouble, ancestors, cancelled_by, cause_of, tolerated, troubles
from projects.core.values.outcomes import Status

FILE_NAME = "junit_foresail.xml"


def write_junit(root: Path, steps: Sequence[Step], *, properties: Mapping[str, str]) -> Path:
    """Write the JUnit file of a run.

    Args:
      root: The run's root.
      steps: All steps of its record.
      properties: What the suite says of itself; `project`, when given, begins each class name.

    Returns:
      The file.
    """
    suite = ET.Element("testsuite", {"name": clean(properties.get("project", "foresail"))})
    listed = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(listed, "property", {"name": clean(name), "value": clean(value)})
    suite.extend(_Cases(root, steps, properties.get("project")).all())
    suite.attrib |= _totals(suite, steps)
    wrapper = ET.Element("testsuites")
    wrapper.append(suite)
    ET.indent(wrapper)
    path = root / FILE_NAME
    write_atomically(path, f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(wrapper, encoding="unicode")}\n')
    return path


class _Cases:
    """The test cases of a record."""

    def __init__(self, root: Path, steps: Sequence[Step], project: str | None) -> None:
        self.root = root
        self.steps = steps
        self.project = project
        self.by_id = {step.id: step for step in steps}
        self.excused = tolerated(steps)
        self.replaced = superseded(steps)
        self.cancelled: Mapping[str, Trouble] = cancelled_by(troubles(steps))
        self.names = case_names(steps)

    def all(self) -> list[ET.Element]:
        cases = [case for step in self.steps for case in (self.case(step), *self.tasks(step))]
        together: dict[tuple[str | None, str | None], list[ET.Element]] = {}
        for case in cases:
            together.setdefault((case.get("classname"), case.get("name")), []).append(case)
        hidden = {id(case) for equal in together.values() for case in _hidden(equal)}
        return [case for case in cases if id(case) not in hidden]

    def case(self, step: Step) -> ET.Element:
        case = self.empty(step, self.names[step.id], step.duration or 0)
        self.outcome(case, step)
        return case

    def tasks(self, step: Step) -> Iterator[ET.Element]:
        """Yield a failed and a passed case for each task of a command that was tried again and passed."""
        for flake in task_flakes(self.root, step, self.names[step.id]):
            failed = self.empty(step, flake.name)
            first = flake.failures[0].strip().partition("\n")[0]
            element = ET.SubElement(failed, "failure", {"type": "Retried", "message": clean(first)})
            element.text = clean("\n".join(f"attempt {at}: {why}" for at, why in enumerate(flake.failures, 1)))
            yield failed
            yield self.empty(step, flake.name)

    def empty(self, step: Step, name: str, seconds: float = 0) -> ET.Element:
        attributes = {"classname": self.classname(step), "name": name, "time": f"{seconds:.3f}"}
        return ET.Element("testcase", {key: clean(value) for key, value in attributes.items()})

    def classname(self, step: Step) -> str:
        around = [step, *ancestors(step, self.by_id)]
        entrypoints = [each.name for each in reversed(around) if each.kind == "entrypoint"]
        return ".".join([self.project or "foresail", *entrypoints])

    def outcome(self, case: ET.Element, step: Step) -> None:
        if was_cut_off(step) and step.id in self.replaced:
            message = "cut off by a kill or a signal; a later attempt took its place"
            ET.SubElement(case, "skipped", {"message": message})
        elif step.status == Status.RUNNING:
            message = "no end was recorded: the process died while this ran"
            ET.SubElement(case, "error", {"type": "NeverEnded", "message": message})
        elif step.reuses:
            ET.SubElement(case, "skipped", {"message": clean(self.where_it_passed(step))})
        elif step.status == Status.SKIPPED:
            ET.SubElement(case, "skipped", {"message": clean(step.cause.message if step.cause else "skipped")})
        elif step.status == Status.CANCELLED:
            ET.SubElement(case, "skipped", {"message": clean(self.why_cancelled(step))})
        elif step.id in self.excused and step.status in FAILING:
            cause = cause_of(step)
            ET.SubElement(case, "skipped", {"message": clean(f"failed, tolerated: {cause.type}: {cause.message}")})
        elif step.status in FAILING:
            self.failure(case, step, cause_of(step))

    def where_it_passed(self, step: Step) -> str:
        done = self.by_id.get(step.reuses)
        where = f"passed earlier, in {path_of(done or step)}"
        return f"{where}: {step.cause.message}" if step.cause else where

    def why_cancelled(self, step: Step) -> str:
        if trouble := self.cancelled.get(step.id):
            return f"cancelled because of {path_of(trouble.origin)}: {trouble.cause.message}"
        return "cancelled"

    def failure(self, case: ET.Element, step: Step, cause: Cause) -> None:
        origin = self.by_id.get(cause.step, step)
        tag = "error" if step.status == Status.INTERRUPTED else "failure"
        inner = "" if origin is step else f"in {path_of(origin)}: "
        element = ET.SubElement(case, tag, {"type": clean(cause.type), "message": clean(inner + cause.message)})
        element.text = clean(
            f"{cause.type}: {cause.message}\nbegan in: {path_of(origin)}\nexit code: {cause.exit_code}"
        )
        directory = self.root / step.directory
        own = read_tail(directory / ANSIBLE_LOG)
        if text := own or (read_tail(directory / FAILURE) if origin is step else ""):
            ET.SubElement(case, "system-out").text = clean(text)


def _hidden(equal: Sequence[ET.Element]) -> list[ET.Element]:
    """Return those of the cases with one name that are not written: the skipped ones, when there is another."""
    skipped = [case for case in equal if case.find("skipped") is not None]
    return skipped if len(skipped) < len(equal) else skipped[:-1]


def _totals(suite: ET.Element, steps: Sequence[Step]) -> dict[str, str]:
    counted = {f"{tag}s": str(len(suite.findall(f"testcase/{tag}"))) for tag in ("failure", "error")}
    outermost = sum(step.duration or 0 for step in steps if step.parent is None)
    return {
        "tests": str(len(suite.findall("testcase"))),
        **counted,
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": f"{outermost:.3f}",
        "timestamp": steps[0].start[:19] if steps else "",
    }
