"""The skeleton's results become KPIs."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.report.kpis import percentile, read_kpis
from projects.core.values.errors import UsageError
from projects.skeleton.library.pod_startup import FILE_NAME, PodStartup, pod
from projects.skeleton.visualizations import pod_startup

TIMES = st.lists(st.floats(min_value=0.001, max_value=1000), min_size=1, max_size=50)


def result(*seconds: float) -> PodStartup:
    return PodStartup(image="i", pods={f"startup-{n}": each for n, each in enumerate(seconds)}, seconds=max(seconds))


def write(directory: Path, test: str, found: PodStartup) -> None:
    (directory / test).mkdir(parents=True)
    (directory / test / FILE_NAME).write_text(found.model_dump_json(), encoding="utf-8")


@given(TIMES, st.integers(min_value=1, max_value=100))
def test_a_percentile_is_a_value_with_at_least_that_share_at_or_below_it(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    below = sum(each <= found for each in values)
    strictly_below = sum(each < found for each in values)
    assert found in values
    assert below * 100 >= percent * len(values)
    assert strictly_below * 100 < percent * len(values)


def test_the_hundredth_percentile_is_the_slowest_pod() -> None:
    assert percentile([3.0, 1.0, 2.0], 100) == 3.0


def test_every_test_below_a_directory_has_its_kpis(tmp_path: Path) -> None:
    write(tmp_path, "000__a", result(1.0, 3.0))
    write(tmp_path, "deeper/001__b", result(2.0))
    (tmp_path / "plots").mkdir()

    kpis = pod_startup.generate(tmp_path, tmp_path / "plots")

    found = {(kpi.labels["test"], kpi.name): kpi.value for kpi in kpis}
    assert found["000__a", "pod_startup_p50"] == 1.0
    assert found["000__a", "pod_startup_p100"] == 3.0
    assert math.isclose(found["000__a", "pod_startup_throughput"], 2 / 3)
    assert found["001__b", "pod_startup_p50"] == 2.0
    assert len(read_kpis(tmp_path)) > 0


def test_no_results_are_an_error_that_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=FILE_NAME) as caught:
        pod_startup.generate(tmp_path, tmp_path)
    assert caught.value.place == str(tmp_path)


def test_many_results_are_parsed_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_startup, "_WORTH_PROCESSES", 1000)
    for number in range(70):
        write(tmp_path, f"{number:03d}__t", result(float(number + 1)))
    files = sorted(tmp_path.rglob(FILE_NAME))
    assert [each.seconds for each in pod_startup.parse(files)] == [float(n + 1) for n in range(70)]


def test_a_pod_asks_for_little_and_ends_at_once() -> None:
    manifest = pod("p", "n", "i")
    assert manifest["spec"]["terminationGracePeriodSeconds"] == 0
    assert manifest["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "10m"
