"""Prometheus' HTTP API, as thanos-querier's and Prometheus' own Service answer it, through the API's service proxy."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.responses import Response

from projects.sim_cluster.aggregated.answering import Asked, Route, json_answer
from projects.sim_cluster.clock import turn
from projects.sim_cluster.monitoring.evaluation import Evaluator, Source
from projects.sim_cluster.monitoring.expressions import Labels, NotSupportedError, PromqlError, Selector
from projects.sim_cluster.monitoring.gpu_series import GPU_METRICS
from projects.sim_cluster.monitoring.history import History
from projects.sim_cluster.monitoring.node_series import NODE_METRICS
from projects.sim_cluster.monitoring.parsing import duration, parse
from projects.sim_cluster.monitoring.series import POD_METRICS, Metric
from projects.sim_cluster.monitoring.values import NAME, Value, key_of

ALL: Final[dict[str, Metric]] = POD_METRICS | NODE_METRICS | GPU_METRICS
_FLOAT: Final = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_POINTS: Final = 11_000
_PATH: Final = re.compile(
    r"/api/v1/namespaces/openshift-monitoring/services/(?:https?:)?(?:thanos-querier|prometheus-k8s|prometheus-operated)(?::[\w-]+)?"
    r"/proxy/api/v1/(?P<what>.+)"
)
_LABEL: Final = re.compile(r"label/(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)/values")


@dataclass(frozen=True)
class _Question:
    """The parameters of a request, from its path and its form."""

    values: dict[str, list[str]]
    now: float

    def text(self, name: str) -> str:
        """Return a parameter that there must be."""
        found = self.values.get(name)
        if not found:
            raise PromqlError(f'invalid parameter "{name}": missing')
        return found[-1]

    def time(self, name: str, default: float | None = None) -> float:
        """Return a time: seconds, or RFC 3339."""
        if name not in self.values and default is not None:
            return default
        text = self.text(name)
        if _FLOAT.fullmatch(text):
            return float(text)
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise PromqlError(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from None

    def step(self) -> float:
        """Return the resolution of a range query."""
        text = self.text("step")
        found = float(text) if _FLOAT.fullmatch(text) else duration(text)
        if found <= 0:
            raise PromqlError(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'
            )
        return found


class Prometheus:
    """Answers about a history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._answers: dict[str, Callable[[_Question], Any]] = {
            "query": self._query, "query_range": self._query_range, "series": self._series, "labels": self._labels, "targets": self._targets,
            "metadata": self._metadata, "status/buildinfo": lambda _: {"version": "3.5.0", "revision": "simulated"},
        }  # fmt: skip

    async def answer(self, asked: Asked) -> Response:
        """Answer one request."""
        form = parse_qs((await asked.request.body()).decode()) if asked.request.method == "POST" else {}
        query = parse_qs(asked.request.url.query, keep_blank_values=True)
        try:
            data = self._data(asked.parts["what"], _Question(form | query, self.history.now))
            if isinstance(data, Awaitable):
                data = await data
        except PromqlError as error:
            return _failure(400, "bad_data", str(error))
        except NotSupportedError as error:
            return _failure(422, "execution", f"the simulated Prometheus does not support {error}")
        if data is None:
            return Response("404 page not found\n", 404, media_type="text/plain")
        return json_answer({"status": "success", "data": data})

    def _data(self, what: str, question: _Question) -> Any:
        if (label := _LABEL.fullmatch(what)) is not None:
            return self._values(label["label"], question)
        found = self._answers.get(what)
        return None if found is None else found(question)

    def samples(self, selector: Selector, at: float) -> Iterator[tuple[Labels, float]]:
        """Yield what a selector selects at a time."""
        if at < self.history.began:
            return
        names = [selector.name] if selector.name else list(ALL)
        for name in names:
            if name not in ALL:
                continue
            for labels, value in ALL[name](self.history, at):
                found = {NAME: name} | {key: text for key, text in labels.items() if text}
                if all(matcher.matches(found) for matcher in selector.matchers):
                    yield found, value

    def _query(self, question: _Question) -> Any:
        at = question.time("time", question.now)
        value = Evaluator(self.samples, at).value(parse(question.text("query")))
        return _instant(value, at)

    async def _query_range(self, question: _Question) -> Any:
        start, end, step = question.time("start"), question.time("end"), question.step()
        if end < start:
            raise PromqlError('invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > _POINTS:
            raise PromqlError(
                f"exceeded maximum resolution of {_POINTS:,} points per timeseries. Try decreasing the query resolution (?step=XX)"
            )
        expression = parse(question.text("query"))
        found: dict[tuple[tuple[str, str], ...], list[Any]] = {}
        source = _remembering(self.samples)
        for number in range(int((end - start) / step + 1e-9) + 1):
            at = start + number * step
            value = Evaluator(source, at).value(expression)
            await turn()  # others are served between two points
            if isinstance(value, str):
                raise PromqlError('invalid expression type "string" for range query, must be Scalar or instant Vector')
            for labels, figure in value if isinstance(value, list) else [({}, value)]:
                found.setdefault(key_of(labels), []).append([at, _shown(figure)])
        return {
            "resultType": "matrix",
            "result": [{"metric": dict(key), "values": points} for key, points in found.items()],
        }

    def _selected(self, question: _Question) -> Iterator[Labels]:
        selectors = [parse(text) for text in question.values.get("match[]", [])]
        if not all(isinstance(each, Selector) for each in selectors):
            raise PromqlError('invalid parameter "match[]": not a selector')
        at = question.time("end", question.now)
        for each in selectors or [Selector("")]:
            assert isinstance(each, Selector)
            yield from (labels for labels, _ in self.samples(each, min(at, question.now)))

    def _series(self, question: _Question) -> Any:
        if "match[]" not in question.values:
            raise PromqlError("no match[] parameter provided")
        return [dict(key) for key in dict.fromkeys(key_of(labels) for labels in self._selected(question))]

    def _labels(self, question: _Question) -> Any:
        return sorted({name for labels in self._selected(question) for name in labels})

    def _values(self, label: str, question: _Question) -> Any:
        if label == NAME and "match[]" not in question.values:
            return sorted(ALL)
        return sorted({labels[label] for labels in self._selected(question) if label in labels})

    def _metadata(self, _question: _Question) -> Any:
        kinds = {name: "counter" if name.endswith("_total") else "gauge" for name in ALL}
        return {name: [{"type": kind, "help": "Simulated.", "unit": ""}] for name, kind in kinds.items()}

    def _targets(self, question: _Question) -> Any:
        active = [_target(labels, value) for labels, value in self.samples(Selector("up"), question.now)]
        return {"activeTargets": active, "droppedTargets": []}


def _remembering(samples: Source) -> Source:
    """Return a source that computes what ranges that overlap have in common only once."""
    known: dict[tuple[Selector, float], list[tuple[Labels, float]]] = {}

    def source(selector: Selector, at: float) -> list[tuple[Labels, float]]:
        found = known.get((selector, at))
        if found is None:
            found = known[selector, at] = list(samples(selector, at))
        return found

    return source


def _target(labels: Labels, value: float) -> Any:
    kept = {key: text for key, text in labels.items() if key != NAME}
    health = "up" if value else "down"
    return {"discoveredLabels": {}, "labels": kept, "scrapePool": kept["job"], "scrapeUrl": f"https://{kept['instance']}/metrics", "lastError": "",
            "health": health, "scrapeInterval": "30s", "scrapeTimeout": "10s"}  # fmt: skip


def _instant(value: Value, at: float) -> Any:
    if isinstance(value, list):
        return {
            "resultType": "vector",
            "result": [{"metric": labels, "value": [at, _shown(figure)]} for labels, figure in value],
        }
    if isinstance(value, str):
        return {"resultType": "string", "result": [at, value]}
    return {"resultType": "scalar", "result": [at, _shown(value)]}


def _shown(value: float) -> str:
    if math.isinf(value) or math.isnan(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))  # noqa: PLR2004 - floats are exact so far


def _failure(code: int, kind: str, message: str) -> Response:
    return json_answer({"status": "error", "errorType": kind, "error": message}, code)


def prometheus_routes(history: History) -> tuple[Route, ...]:
    """Return what answers for the monitoring of a cluster."""
    allowed = {"verb": "get", "group": "", "resource": "services", "subresource": "proxy"}
    return (Route(frozenset({"GET", "POST"}), _PATH, Prometheus(history).answer, allowed),)
