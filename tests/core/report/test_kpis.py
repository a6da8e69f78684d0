import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from projects.core.report.kpis import Kpi, read_kpis, write_kpis
from projects.core.report.plots import comparison_of, number, plot_of, spread_of
from projects.core.values.errors import UsageError
from projects.core.values.redaction import REDACTOR

FULL = Kpi(
    name="pod_start",
    value=1.5,
    unit="s",
    help="Creation to Ready.",
    better="lower",
    labels={"node": "a"},
    samples=[1.0, 1.5, 2.0],
    series={"ready": [(0.0, 1.0), (1.0, 2.0)]},
    x="seconds",
)


def test_round_trip(tmp_path: Path) -> None:
    (tmp_path / "001__b").mkdir()
    (tmp_path / "000__a").mkdir()
    write_kpis(tmp_path / "001__b", [FULL])
    write_kpis(tmp_path / "000__a", [Kpi(name="pods", value=3)])
    assert read_kpis(tmp_path) == {"000__a": [Kpi(name="pods", value=3)], "001__b": [FULL]}
    assert json.loads((tmp_path / "000__a/kpis.json").read_text()) == [{"name": "pods", "value": 3}]


def test_secrets_are_taken_out(tmp_path: Path) -> None:
    REDACTOR.register("s3cret-kpi-value")
    text = write_kpis(tmp_path, [Kpi(name="x", value=1, labels={"url": "http://s3cret-kpi-value@host"})]).read_text()
    assert "s3cret-kpi-value" not in text


@pytest.mark.parametrize(
    "wrong", ['{"name": "x"}', '[{"name": "x", "value": "many"}]', '[{"name": "", "value": 1}]', "[", '[{"nam": 1}]']
)
def test_unreadable_file_names_itself(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "kpis.json").write_text(wrong)
    with pytest.raises(UsageError) as caught:
        read_kpis(tmp_path)
    assert caught.value.place == str(tmp_path / "kpis.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_is_a_number(value: float) -> None:
    with pytest.raises(ValidationError):
        Kpi(name="x", value=value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1\u202f234\u202f567"),
        (12.3456, "12.35"),
        (0.00001, "1.00e-05"),
        (200, "200"),
        (-1500, "-1\u202f500"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_spread() -> None:
    assert spread_of([float(each) for each in range(1, 101)]) == {"min": 1, "median": 50, "p95": 95, "max": 100}
    assert spread_of([7.0]) == {"min": 7, "median": 7, "p95": 7, "max": 7}


def assert_inline(svg: str) -> None:
    assert svg.startswith("<svg ")
    assert not any(word in svg for word in ("<script", "<style", "<!--", "pygal.org", "href", "url(", "<defs"))
    assert svg.count("http") == 1, "the name of the SVG namespace alone"


def test_plots_are_inline_and_tell_their_values() -> None:
    curves = plot_of(FULL)
    assert curves
    assert_inline(curves)
    assert "<title>ready: 2 at 1 (s)</title>" in curves
    spread = plot_of(FULL.model_copy(update={"series": {}}))
    assert spread
    assert_inline(spread)
    assert 'aria-label="how the samples of pod_start spread"' in spread
    bars = comparison_of([Kpi(name="t", value=1, labels={"model": "a"}), Kpi(name="t", value=2, labels={"model": "b"})])
    assert_inline(bars)
    assert "model=a" in bars


def test_nothing_to_plot() -> None:
    assert plot_of(Kpi(name="x", value=1)) is None
    assert plot_of(Kpi(name="x", value=1, samples=[2.0, 2.0])) is None
    assert plot_of(Kpi(name="x", value=1, series={"a": [(0.0, 1.0)]})) is None


def test_many_points_are_thinned_to_the_last() -> None:
    svg = plot_of(Kpi(name="x", value=1, series={"a": [(float(each), float(each)) for each in range(100_000)]}))
    assert svg
    assert len(svg) < 20_000


@given(
    samples=st.lists(st.floats(-1e12, 1e12), max_size=30),
    name=st.text(min_size=1, max_size=20),
)
def test_any_samples_can_be_plotted(samples: list[float], name: str) -> None:
    svg = plot_of(Kpi(name=name, value=1, unit=name, samples=samples))
    assert svg is None or svg.startswith("<svg ")
