import html.parser
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from projects.core.record.finish import finish
from projects.core.record.steps import Cause
from projects.core.report import write_report
from projects.core.report.kpis import Kpi, write_kpis
from projects.core.report.survey import link_to, survey
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR
from tests.core.record.golden import assert_golden
from tests.core.record.holder import held
from tests.core.record.runs import Run, cancelled_run, failed_run, long_run, passed_run

GOLDEN = Path(__file__).parent / "golden"
VOID = {"meta", "input", "link", "br", "img", "hr"}


class Page(html.parser.HTMLParser):
    """Reads a page: links, what it loads, ids, and whether each element that opens closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if tag == "a" else []
        self.loads += [
            value or "" for key, value in attrs if key in ("src", "srcset", "data") or (key == "href" and tag != "a")
        ]
        assert not [key for key in values if key.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(root: Path, *, exit_code: int | None = None) -> Page:
    page = Page(write_report(root, exit_code=exit_code).read_text(encoding="utf-8"))
    assert not page.loads
    assert "script" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (root / unquote(link)).exists(), link
    return page


def words(page: Page) -> str:
    return " ".join(" ".join(page.words).split())


@pytest.mark.parametrize("make", ["passed_run", "failed_run", "cancelled_run"])
def test_golden(tmp_path: Path, make: str) -> None:
    {"passed_run": passed_run, "failed_run": failed_run, "cancelled_run": cancelled_run}[make](tmp_path)
    text = write_report(tmp_path).read_text(encoding="utf-8").replace(str(tmp_path), "/ROOT")
    text = re.sub(r"<style>.*?</style>", "<style>…</style>", text, flags=re.DOTALL)
    assert_golden(GOLDEN / f"report_{make}.html", text)


def test_passed(tmp_path: Path) -> None:
    passed_run(tmp_path)
    finish(tmp_path, properties={})
    page = page_of(tmp_path)
    text = words(page)
    assert "exit code 0" in text
    assert "cluster capture_environment" in text
    assert "001__cluster__capture_environment/" in page.links
    assert "001__cluster__capture_environment/_ansible.log" in page.links
    assert "What failed" not in text
    assert "only what did not pass" not in text


def test_failed(tmp_path: Path) -> None:
    failed_run(tmp_path)
    text = words(page := page_of(tmp_path))
    assert text.index("reason-4711") < text.index("a later failure")
    assert "a line before the end" in text
    assert "001__outer/000__accrecord__bad/FAILURE" in page.links
    assert re.search(r"<title>failed: fails</title>", (tmp_path / "report.html").read_text())


def test_kpis_facts_and_what_cannot_be_read(tmp_path: Path) -> None:
    passed_run(tmp_path)
    samples = [1.0, 2.0, 3.0]
    write_kpis(tmp_path / "000__alpha", [Kpi(name="pod_start", value=2.25, unit="s", better="lower", samples=samples)])
    write_kpis(
        tmp_path, [Kpi(name="rate", value=value, labels={"model": name}) for name, value in (("a", 1), ("b", 2))]
    )
    (tmp_path / "001__cluster__capture_environment/kpis.json").write_text("[{}]")
    (tmp_path / "001__cluster__capture_environment/ocp.version").write_text("4.20.1\n")
    (tmp_path / "presets_applied").write_text("light\n")
    text = words(page := page_of(tmp_path))
    assert page.tags.count("svg") == 3, "the verdict's sign, one plot each"
    assert all(
        each in text for each in ("pod_start", "2.25", "lower is better", "median 2", "model=b", "4.20.1", "light")
    )
    assert "001__cluster__capture_environment/kpis.json: KPIs cannot be read" in text


def test_everything_is_escaped_and_redacted(tmp_path: Path) -> None:
    REDACTOR.register("s3cret<report>&value")
    run = Run(tmp_path)
    main = run.start("entrypoint", "<b>x</b>", ".", 0)
    step = run.start("directory", "</style><script>alert(1)</script>", "000__d", 0, main)
    run.end(
        step,
        1,
        Status.FAILED,
        Cause("<E>", "<img src=x onerror=alert(1)> s3cret<report>&value\x00\x1b[31m", step.id, hint="<i>"),
    )
    (tmp_path / "000__d/FAILURE").write_text("</pre><script>alert(2)</script> s3cret<report>&value")
    (tmp_path / "x.version").write_text("<script>s3cret<report>&value")
    write_kpis(
        tmp_path, [Kpi(name="</svg><script>", value=1, unit="<u>", help="</p>", samples=[1, 2, 3], labels={"a": "<b>"})]
    )
    text = words(page_of(tmp_path))
    assert "s3cret" not in (tmp_path / "report.html").read_text()
    assert "<img src=x onerror=alert(1)> ********" in text


def test_names_that_a_url_would_misread(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "x", ".", 0)
    for number, name in enumerate(("a b", "50%", "what?", "a#b", "javascript:alert(1)", "žluť")):
        run.end(run.start("directory", name, f"{number:03d}__{name}", number, main), number + 1)
    assert len([link for link in page_of(tmp_path).links if not link.startswith("#")]) == 7
    assert link_to(tmp_path, str(tmp_path)) is None
    (tmp_path / "javascript:x").touch()
    link = link_to(tmp_path, "javascript:x")
    assert link
    assert link.href == "javascript%3Ax"


def test_running_and_killed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    main = run.start("entrypoint", "test_ci", ".", 0)
    run.start("directory", "d", "000__d", 1, main)
    with held(tmp_path):
        going = words(page_of(tmp_path))
    assert "These run: test_ci , 000__d ." in going
    killed = words(page_of(tmp_path)).rpartition("}")[2]
    assert "Cut off, since the process was killed while they ran: test_ci , 000__d ." in killed
    assert "running" not in killed.replace(str(tmp_path), "")
    assert "exit code 143" in words(page_of(tmp_path, exit_code=143))


def test_what_a_kill_cut_off_does_not_run_once_it_was_gone_on_with(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.start("entrypoint", "test_ci", ".", 0)
    run.end(run.start("entrypoint", "test_ci", ".", 60, attempt=2), 64)
    with held(tmp_path):
        said = words(page_of(tmp_path, exit_code=0)).rpartition("}")[2]
    assert "running" not in said
    assert "cut off attempt 1 of 2" in said


def test_nothing_ran(tmp_path: Path) -> None:
    assert "nothing ran" in words(page_of(tmp_path, exit_code=2))


def test_a_fact_that_repeats_is_named_once(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"00{number}").mkdir()
        (tmp_path / f"00{number}/ocp.version").write_text("4.20.1" if number else "4.19.9")
    (tmp_path / "empty.version").touch()
    assert [(fact.name, fact.value) for fact in survey(tmp_path).facts] == [
        ("ocp.version", "4.19.9"),
        ("ocp.version", "4.20.1"),
    ]


def test_a_thousand_steps(tmp_path: Path) -> None:
    run = long_run(tmp_path)
    assert 900 < len(run.steps) <= 1000
    page = page_of(tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert page.tags.count("tr") == len(run.steps) + 1


def test_importing_the_report_is_cheap() -> None:
    script = "import sys, projects.core.report; print([m for m in ('jinja2', 'pydantic', 'pygal') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
