"""KPIs as inline SVG. pygal lays the charts out; their looks are the page's own style sheet, in light and dark. Used by the page."""

from __future__ import annotations

import functools
import importlib
import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from projects.core.record.artifacts import clean
from projects.core.report.kpis import Kpi, percentile

_BINS = 12
_DOTS = 40
_FEW = 6
_POINTS = 200


def plot_of(kpi: Kpi) -> str | None:
    """Return the plot of one KPI: its curves, or else how its samples spread; None when it has neither."""
    if any(len(points) > 1 for points in kpi.series.values()):
        return _curves(kpi)
    if len(set(kpi.samples)) > 1:
        return _spread(kpi)
    return None


def comparison_of(kpis: Sequence[Kpi], *, shared: Collection[str] = ()) -> str:
    """Return a bar for each of some KPIs that are comparable: the same name, the same unit, other labels.

    Args:
      kpis: The KPIs.
      shared: Keys of labels that do not tell them apart, and are left out.
    """
    chart = _chart("HorizontalBar", height=56 + 22 * len(kpis), value_formatter=number)
    upwards = list(reversed(kpis))  # it draws from the bottom up
    names = [labels_of(kpi, shared=shared) for kpi in upwards]
    chart.x_labels = names
    tips = [_tip(f"{name}: {number(kpi.value)}", kpi) for name, kpi in zip(names, upwards, strict=True)]
    chart.add("", [{"value": kpi.value, "label": tip} for kpi, tip in zip(upwards, tips, strict=True)])
    return _svg(chart, f"{kpis[0].name} by its labels")


def labels_of(kpi: Kpi, *, shared: Collection[str] = ()) -> str:
    """Return what tells a KPI from others: its labels, but those with the `shared` keys."""
    return clean(", ".join(f"{key}={value}" for key, value in kpi.labels.items() if key not in shared))


def number(value: float) -> str:
    """Return a number with at most four digits that say something, thousands apart."""
    if value == 0 or abs(value) >= 1000:  # noqa: PLR2004 - four digits before the point
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.2e}"  # noqa: PLR2004 - more zeros are not read


def spread_of(samples: Sequence[float]) -> Mapping[str, float]:
    """Return what is told of samples besides their plot."""
    ordered = sorted(samples)
    return {
        "min": ordered[0],
        "median": percentile(ordered, 50),
        "p95": percentile(ordered, 95),
        "max": ordered[-1],
    }


def _curves(kpi: Kpi) -> str:
    chart = _chart("XY", x_title=clean(kpi.x), y_title=clean(kpi.unit))
    chart.x_value_formatter = chart.value_formatter = number
    for name, points in kpi.series.items():
        shown = _thinned(sorted(points))
        dots = [
            {"value": point, "label": _tip(f"{name}: {number(point[1])} at {number(point[0])}", kpi)} for point in shown
        ]
        chart.add(clean(name), dots, show_dots=len(shown) <= _DOTS)
    return _svg(chart, f"{kpi.name} over {kpi.x or 'x'}")


def _spread(kpi: Kpi) -> str:
    low, high = min(kpi.samples), max(kpi.samples)
    bins = min(_BINS, max(4, len(kpi.samples) // 2))
    width = (high - low) / bins
    counts = [0] * bins
    for sample in kpi.samples:
        counts[min(bins - 1, int((sample - low) / width))] += 1
    chart = _chart("Histogram", x_title=clean(kpi.unit), y_title="samples")
    chart.x_value_formatter = number
    chart.value_formatter = "{:.0f}".format
    if max(counts) <= _FEW:  # pygal would write fractions of a sample
        chart.y_labels = range(max(counts) + 1)
    bars = []
    for index, count in enumerate(counts):
        start, end = low + width * index, low + width * (index + 1)
        bars.append({"value": (count, start, end), "label": _tip(f"{number(start)} to {number(end)}: {count}", kpi)})
    chart.add("", bars)
    return _svg(chart, f"how the samples of {kpi.name} spread")


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most some hundred of many points, the last one among them: more are not seen at this size."""
    every = -(-len(points) // _POINTS)
    return [*points[:-1:every], points[-1]] if every > 1 else points


def _tip(text: str, kpi: Kpi) -> str:
    return clean(f"{text} ({kpi.unit})" if kpi.unit else text)


@functools.cache
def _pygal() -> Any:
    """Import pygal without the finder that it puts into `sys.meta_path`: that one speaks a protocol of Python 2."""
    finders = list(sys.meta_path)
    pygal = importlib.import_module("pygal")
    sys.meta_path[:] = finders
    return pygal


def _chart(kind: str, **options: Any) -> Any:
    quiet = {"js": [], "css": [], "no_prefix": True, "disable_xml_declaration": True, "show_legend": False}
    sizes = {"width": 380, "height": 200, "margin": 6, "dots_size": 2, "max_scale": 6, "min_scale": 3}
    return getattr(_pygal(), kind)(**{**quiet, **sizes, **options})


def _svg(chart: Any, label: str) -> str:
    def tidied(root: Any) -> Any:
        root.attrib.pop("id", None)
        root.attrib.update({"role": "img", "aria-label": clean(label)})
        return _tidied(root)

    chart.add_xml_filter(tidied)
    return str(chart.render(is_unicode=True))


def _tidied(root: Any) -> Any:
    """Take out what only pygal's script would use, and let each value be told by the browser's own tooltip."""
    for parent in list(root.iter()):
        for child in list(parent):
            kind = child.get("class", "")
            if child.tag in ("defs", "title") or not isinstance(child.tag, str) or "-overlay" in kind:
                parent.remove(child)
            elif child.tag == "desc":
                if kind == "label":
                    ET.SubElement(parent, "title").text = child.text
                parent.remove(child)
    return root
