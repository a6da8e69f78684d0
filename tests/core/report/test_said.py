"""What the report says of attempts, resumed runs, waits, bundles and an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projects.core.record.steps import FILE_NAME, Cause, Step
from projects.core.report import write_report
from projects.core.report.kpis import Kpi, write_kpis
from projects.core.values.errors import UsageError
from projects.core.values.outcomes import Status
from tests.core.record.runs import Run, failed_run, passed_run
from tests.core.report.test_report import Page, page_of, words
from tests.core.report.test_waits import acts, ends, events


def amend(run: Run, step: Step, **fields: Any) -> Step:
    """Let a step's start line say more."""
    path = run.root / FILE_NAME
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["id"] == step.id and "start" in line:
            line.update(fields)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return step


def row(page_text: str, anchor: str) -> str:
    """The words of a row of the table."""
    html = page_text.partition(f'<tr id="{anchor}"')[2].partition("</tr>")[0]
    return " ".join(" ".join(Page(f"<p {html}</p>").words).split())


def report(root: Path, **more: Any) -> str:
    page_of(root)
    return write_report(root, **more).read_text(encoding="utf-8")


def test_an_attempt_that_passed_after_one_that_failed_is_a_flake(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    first = run.start("attempt", "push", "000__push", 1, main)
    run.end(first, 2, Status.FAILED, Cause("Unavailable", "503", first.id))
    second = amend(run, run.start("attempt", "push", "001__push", 3, main), attempt=2)
    run.end(second, 4)
    run.end(main, 5)
    text = report(tmp_path)
    assert "exit code <b>0</b>" in text
    assert 'it is a flake: <a href="#s2" title="Unavailable: 503">000__push</a>' in text
    assert "failed attempt 1 of 2" in row(text, "s1")
    assert "passed attempt 2 of 2 flake" in row(text, "s2")
    assert 'class="failed replaced"' in text.partition('id="s1"')[2]
    assert "What failed" not in text


def test_a_resumed_run_tells_what_it_did_not_do_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    killed = run.start("entrypoint", "test_ci", ".", 0)
    done = run.command("server deploy", "000__server__deploy", killed, (1, 3))
    run.start("command", "server measure", "001__server__measure", 4, killed)
    again = amend(run, run.start("entrypoint", "test_ci", ".", 100), attempt=2)
    reused = amend(run, run.start("command", "server deploy", done.directory, 101, again), reuses=done.id)
    run.end(reused, 101, Status.SKIPPED)
    run.end(amend(run, run.start("command", "server measure", "002__m", 102, again), attempt=2), 110)
    run.end(again, 111)
    text = report(tmp_path)
    assert "done before" in row(text, "s4")
    assert '<a href="#s1">done before</a>' in text
    assert "attempt 2 of 2" in row(text, "s5")
    assert "flake" not in row(text, "s5"), "the machine died, and not the step"
    assert ">test_ci</a>." not in text, "it is one only because of the step inside"
    assert "Without an end" not in text


def test_how_to_go_on_with_what_failed(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    amend(run, run.steps[0], line="./projects/x/testing/test.py fails")
    assert f"<code>./projects/x/testing/test.py fails --resume {tmp_path}</code>" in report(tmp_path, exit_code=1)


def test_a_failure_leads_to_its_bundle(tmp_path: Path) -> None:
    run = failed_run(tmp_path)
    bundle = tmp_path / "_failures" / "0123456789ab"
    bundle.mkdir(parents=True)
    standing = {"object": "Pod db/redis-0", "says": "Pending: ImagePullBackOff", "telling": True}
    (bundle / "bundle.json").write_text(json.dumps({"objects": [standing]}))
    (tmp_path / run.steps[3].directory / "_bundle").write_text("../../_failures/0123456789ab\n")
    text = report(tmp_path)
    assert '<a href="_failures/0123456789ab/">what the cluster said</a>' in text
    assert "Pod db/redis-0: Pending: ImagePullBackOff" in text


def test_a_bundle_elsewhere_is_not_linked(tmp_path: Path) -> None:
    run = failed_run(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "bundle.json").write_text("{}")
    (tmp_path / "run" / run.steps[3].directory / "_bundle").write_text("../../../elsewhere")
    assert "what the cluster said" not in report(tmp_path / "run")


def test_what_was_waited_for(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    command = run.command("server deploy", "000__server__deploy", main, (1, 20))
    events(run, command.directory, acts(2, "Wait for it"), ends(14, "Wait for it"))
    run.end(run.start("wait", "the queue to be empty", ".", 20, main), 20.01)
    run.end(main, 21)
    text = words(page_of(tmp_path))
    assert "Deployment db/redis passed server deploy Wait for it 12.0s" in text
    assert "1 wait, 12.0s in all." in text, "what was there already was not waited for"


def test_the_critical_path_is_marked_and_told(tmp_path: Path) -> None:
    passed_run(tmp_path)
    text = report(tmp_path)
    assert "What the time went into: the critical path cluster capture_environment 1.8s 58 %" in words(
        page_of(tmp_path)
    )
    chart = text.partition('<div class="chart')[2].partition("</div>")[0]
    assert '<a class="passed around on"' in chart
    assert chart.count('<i class="way') > 3
    assert 'class="way gap"' in chart


def test_a_leak_that_was_moved_out_is_told(tmp_path: Path) -> None:
    run = passed_run(tmp_path)
    scan = run.start("scan", "secrets", ".", 4)
    run.end(scan, 5, Status.FAILED, Cause("SecretFound", "a secret was found in 000__alpha/x.log", scan.id, 7))
    text = words(page_of(tmp_path))
    assert "exit code 7" in text
    assert "a secret was found in 000__alpha/x.log" in text
    assert "secrets scan" in text


def test_compared_with_an_earlier_run(tmp_path: Path) -> None:
    for name, figure in (("a", 2.0), ("b", 4.0)):
        run = passed_run(tmp_path / name)
        labels = {"model": "granite"}
        write_kpis(
            run.root / "000__alpha", [Kpi(name="latency", value=figure, unit="s", better="lower", labels=labels)]
        )
        if name == "b":
            slow = run.start("directory", "more", "002__more", 10)
            run.command("server deploy", "002__more/000__x", slow, (11, 12))
            run.end(slow, 13)
    text = report(tmp_path / "b", compare_with=tmp_path / "a")
    said = " ".join(" ".join(Page(text).words).split())
    assert f"in {tmp_path / 'a'} took 3.1s , this one 13.0s . Not all steps ended in the same way." in said
    assert "002__more new – passed 3.0s" in said  # noqa: RUF001
    assert "002__more/000__x" not in said.partition("Compared")[2].partition("Steps")[0], "it is in what is new"
    assert "latency model=granite +100% 2 s 4 s" in said
    assert '<td class="worse">+100%</td>' in text


def test_compared_with_itself(tmp_path: Path) -> None:
    passed_run(tmp_path)
    text = report(tmp_path, compare_with=tmp_path)
    assert "All steps ended in the same way." in text
    assert '<th scope="col">Change</th>' not in text


def test_compared_with_what_is_no_run(tmp_path: Path) -> None:
    passed_run(tmp_path / "run")
    with pytest.raises(UsageError, match="found no steps in it"):
        write_report(tmp_path / "run", compare_with=tmp_path)


def test_without_an_earlier_run_nothing_is_compared(tmp_path: Path) -> None:
    passed_run(tmp_path)
    assert "Compared" not in report(tmp_path)
