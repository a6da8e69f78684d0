"""From results to KPIs: reads every `pod_startup.json` below a directory and writes `kpis.json` for the report.

Called by the skeleton's `generate_plots`, right after the test or on results that were downloaded.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from joblib import Parallel, delayed

from projects.core.report.kpis import Kpi, percentile, write_kpis
from projects.core.values.errors import UsageError
from projects.skeleton.library.pod_startup import FILE_NAME, PodStartup

PERCENTILES = (50, 95, 100)
_WORTH_PROCESSES = 64
"""From how many results on parsing is spread over processes: starting them costs more than parsing a few files."""


def generate(results: Path, destination: Path) -> list[Kpi]:
    """Read the results below a directory and write their KPIs.

    Args:
      results: Where the results are, at any depth.
      destination: Where `kpis.json` is written.

    Returns:
      The KPIs.

    Raises:
      UsageError: there are no results.
    """
    files = sorted(results.rglob(FILE_NAME))
    if not files:
        raise UsageError(f"expected results of the skeleton's test ({FILE_NAME}), found none", place=results)
    kpis = [kpi for path, result in zip(files, parse(files), strict=True) for kpi in kpis_of(result, path.parent.name)]
    write_kpis(destination, kpis)
    return kpis


def parse(files: Sequence[Path]) -> list[PodStartup]:
    """Return the results that some files hold, in their order."""
    jobs = -1 if len(files) >= _WORTH_PROCESSES else 1
    return list(Parallel(n_jobs=jobs)(delayed(_read)(path) for path in files))


def kpis_of(result: PodStartup, test: str) -> list[Kpi]:
    """Return the KPIs of one test: percentiles of the pods' times to ready (nearest rank), and pods a second."""
    times = sorted(result.pods.values())
    labels = {"test": test, "pods": str(len(times)), "image": result.image}
    throughput = Kpi(
        name="pod_startup_throughput",
        value=len(times) / result.seconds,
        unit="pods/s",
        help="Pods that got ready per second, from the first request to the last ready pod.",
        better="higher",
        labels=labels,
    )
    return [throughput, *(_startup(times, percent, labels) for percent in PERCENTILES)]


def describe(result: PodStartup) -> str:
    """Return a result in a line, for the console."""
    times = list(result.pods.values())
    return f"{len(times)} pods ready in {result.seconds:.2f} s (median {statistics.median(times):.2f} s a pod)"


def _startup(times: list[float], percent: int, labels: dict[str, str]) -> Kpi:
    return Kpi(
        name=f"pod_startup_p{percent}",
        value=percentile(times, percent),
        unit="s",
        help=f"Within this time, {percent} % of the pods were ready after they were created.",
        better="lower",
        labels=labels,
        samples=times if percent == PERCENTILES[0] else [],
    )


def _read(path: Path) -> PodStartup:
    return PodStartup.model_validate_json(path.read_text(encoding="utf-8"))
