import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.record.artifacts import clean
from projects.core.record.finish import finish
from projects.core.record.junit import write_junit
from projects.core.record.steps import Cause, read_steps
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR
from tests.core.record.golden import assert_golden
from tests.core.record.runs import Run, cancelled_run, failed_run, passed_run

GOLDEN = Path(__file__).parent / "golden"


def suite_of(root: Path) -> ET.Element:
    write_junit(root, read_steps(root), properties={"project": "skeleton", "ocp.version": "4.20.1"})
    suites = list(ET.parse(root / "junit_foresail.xml").getroot())
    assert len(suites) == 1
    return suites[0]


@pytest.mark.parametrize("make", [passed_run, failed_run, cancelled_run])
def test_golden(tmp_path: Path, make: Callable[[Path], Run]) -> None:
    make(tmp_path)
    suite_of(tmp_path)
    assert_golden(GOLDEN / f"junit_{make.__name__}.xml", (tmp_path / "junit_foresail.xml").read_text())


def test_a_case_per_step_with_unique_names(tmp_path: Path) -> None:
    run = cancelled_run(tmp_path)
    cases = suite_of(tmp_path).findall("testcase")
    assert len(cases) == len(run.steps) == len({(case.get("classname"), case.get("name")) for case in cases})


def test_only_what_broke_is_counted(tmp_path: Path) -> None:
    cancelled_run(tmp_path)
    suite = suite_of(tmp_path)
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "4",
        "errors": "0",
        "skipped": "4",
    }


def test_tolerated_and_unended_and_interrupted(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    step = run.start("command", "a b", "000__a__b", 0, main)
    run.end(step, 1, Status.FAILED, Cause("CommandFailed", "may", step.id), tolerated=True)
    stopped = run.start("directory", "d", "001__d", 1, main)
    run.end(stopped, 2, Status.INTERRUPTED, Cause("Interrupted", "interrupted by SIGINT", stopped.id, exit_code=130))
    cases = {case.get("name"): case for case in suite_of(tmp_path).findall("testcase")}
    assert [child.tag for child in cases["000__a__b"]] == ["skipped"]
    assert "tolerated" in cases["000__a__b"][0].get("message", "")
    assert [child.tag for child in cases["001__d"]] == ["error", "system-out"]
    assert cases["x"][0].get("type") == "NeverEnded"


def test_output_is_bounded_and_only_of_the_failed(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    (tmp_path / "001__outer/000__accrecord__bad/_ansible.log").write_text("line of a log\n" * 100_000)
    suite = suite_of(tmp_path)
    texts = {case.get("name"): case.findtext("system-out") for case in suite.findall("testcase")}
    assert 60_000 < len(texts["001__outer/000__accrecord__bad"] or "") <= 64 * 1024
    assert texts["000__fine"] is None
    assert len(run.steps) == len(texts)


def test_control_characters_and_secrets(tmp_path: Path) -> None:
    REDACTOR.register("s3cret-junit-value")
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    step = run.start("command", "a b", "000__a__b", 0, main)
    (tmp_path / "000__a__b/_ansible.log").write_bytes(b"\x1b[1;31mred\x1b[0m \x00\x08\xff s3cret-junit-value ]]> <&\n")
    run.end(step, 1, Status.FAILED, Cause("E", "m \x1b]0;title\x07\x00 s3cret-junit-value", step.id))
    write_junit(tmp_path, read_steps(tmp_path), properties={"note": "s3cret-junit-value"})
    raw = (tmp_path / "junit_foresail.xml").read_text()
    assert "s3cret-junit-value" not in raw
    out = ET.fromstring(raw).findtext(".//system-out")
    assert out == "red \ufffd ******** ]]> <&\n"


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_survives_xml(text: str) -> None:
    element = ET.Element("a", {"b": clean(text)})
    element.text = clean(text)
    again = ET.fromstring(ET.tostring(element, encoding="unicode"))
    assert again.tag == "a"


def test_properties_of_the_run(tmp_path: Path) -> None:
    failed_run(tmp_path)
    finish(tmp_path, properties={"project": "skeleton", "gpu": "h100"})
    found = {each.get("name"): each.get("value") for each in ET.parse(tmp_path / "junit_foresail.xml").iter("property")}
    assert found == {
        "run id": "s0000",
        "entrypoint": "fails",
        "artifacts": str(tmp_path),
        "exit code": "1",
        "project": "skeleton",
        "gpu": "h100",
    }
