"""The subset of PromQL: parsed and computed on samples that are known. What Prometheus documents is what is expected."""

from collections.abc import Iterator

import pytest

from projects.sim_cluster.monitoring.evaluation import Evaluator
from projects.sim_cluster.monitoring.expressions import Labels, NotSupportedError, PromqlError, Selector
from projects.sim_cluster.monitoring.parsing import duration, parse
from projects.sim_cluster.monitoring.values import NAME, Value

SERIES: dict[str, list[tuple[Labels, float]]] = {
    "memory": [
        ({"pod": "a", "node": "n1"}, 10.0),
        ({"pod": "b", "node": "n1"}, 30.0),
        ({"pod": "c", "node": "n2"}, 5.0),
    ],
    "limit": [({"pod": "a", "node": "n1"}, 100.0), ({"pod": "b", "node": "n1"}, 60.0)],
    "node_info": [({"node": "n1", "zone": "x"}, 1.0), ({"node": "n2", "zone": "y"}, 1.0)],
    "one": [({}, 7.0)],
}
RATES = {"requests_total": 2.0, "errors_total": 0.5}


def samples(selector: Selector, at: float) -> Iterator[tuple[Labels, float]]:
    known = SERIES.get(selector.name, [])
    if selector.name in RATES:
        known = [({"pod": "a"}, RATES[selector.name] * at)]
    for labels, value in known:
        found = {NAME: selector.name} | labels
        if all(matcher.matches(found) for matcher in selector.matchers):
            yield found, value


def computed(text: str, at: float = 1200.0) -> Value:
    return Evaluator(samples, at).value(parse(text))


def shown(text: str) -> dict[str, float]:
    """Return a vector as a mapping from its labels, as text, to its values."""
    found = computed(text)
    assert isinstance(found, list)
    return {",".join(f"{key}={value}" for key, value in sorted(labels.items())): value for labels, value in found}


@pytest.mark.parametrize(("text", "value"), [
    ("1 + 2 * 3", 7.0), ("(1 + 2) * 3", 9.0), ("-2 ^ 2", -4.0), ("2 ^ 3 ^ 2", 512.0), ("7 % 4", 3.0), ("1 / 0", float("inf")), ("3 > bool 2", 1.0),
    ("time()", 1200.0), ("scalar(one)", 7.0), ("0x1f", 31.0), ("1.5e3", 1500.0), ("sum(memory) > bool 40 == bool 1", None), ('"text"', "text"),
])  # fmt: skip
def test_numbers(text: str, value: float | str | None) -> None:
    found = computed(text)
    assert found == (value if value is not None else [({}, 1.0)])


@pytest.mark.parametrize(("text", "expected"), [
    ("memory", {"__name__=memory,node=n1,pod=a": 10, "__name__=memory,node=n1,pod=b": 30, "__name__=memory,node=n2,pod=c": 5}),
    ('memory{pod=~"a|c",node!="n2"}', {"__name__=memory,node=n1,pod=a": 10}),
    ('{__name__="one"}', {"__name__=one": 7}),
    ('memory{pod!~"a.*",missing=""} * 2', {"node=n1,pod=b": 60, "node=n2,pod=c": 10}),
    ("-one", {"": -7}),
    ("sum(memory)", {"": 45}), ("sum by (node) (memory)", {"node=n1": 40, "node=n2": 5}), ("sum(memory) without (pod)", {"node=n1": 40, "node=n2": 5}),
    ("avg(memory)", {"": 15}), ("max by (node) (memory)", {"node=n1": 30, "node=n2": 5}), ("count(memory)", {"": 3}), ("min(memory)", {"": 5}),
    ("topk(1, memory)", {"__name__=memory,node=n1,pod=b": 30}), ("quantile(0.5, memory)", {"": 10}),
    ("memory / limit", {"node=n1,pod=a": 0.1, "node=n1,pod=b": 0.5}),
    ("memory > 9", {"__name__=memory,node=n1,pod=a": 10, "__name__=memory,node=n1,pod=b": 30}),
    ("20 < memory", {"__name__=memory,node=n1,pod=b": 30}),
    ("memory >bool 9", {"node=n1,pod=a": 1, "node=n1,pod=b": 1, "node=n2,pod=c": 0}),
    ("memory and limit", {"__name__=memory,node=n1,pod=a": 10, "__name__=memory,node=n1,pod=b": 30}),
    ("memory unless limit", {"__name__=memory,node=n2,pod=c": 5}),
    ('memory{pod="a"} or one', {"__name__=memory,node=n1,pod=a": 10, "__name__=one": 7}),
    ("memory * on (node) group_left (zone) node_info", {"node=n1,pod=a,zone=x": 10, "node=n1,pod=b,zone=x": 30, "node=n2,pod=c,zone=y": 5}),
    ("sum by (node) (memory) / on (node) node_info", {"node=n1": 40, "node=n2": 5}),
    ("clamp_max(memory, 20)", {"node=n1,pod=a": 10, "node=n1,pod=b": 20, "node=n2,pod=c": 5}),
    ("round(one / 2)", {"": 4}), ("vector(3)", {"": 3}), ('absent(nothing{a="b"})', {"a=b": 1}), ("absent(one)", {}),
    ('label_replace(one, "new", "x-$1", "__name__", "o(.*)")', {"__name__=one,new=x-ne": 7}),
    ("rate(requests_total[5m])", {"pod=a": 2}), ("increase(requests_total[5m])", {"pod=a": 600}), ("irate(requests_total[2m])", {"pod=a": 2}),
    ("sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))", {"": 0.25}),
    ("rate(requests_total[10s])", {}), ("max_over_time(one[5m])", {"": 7}), ("count_over_time(one[5m])", {"": 10}),
    ("requests_total offset 10m", {"__name__=requests_total,pod=a": 1200}),
])  # fmt: skip
def test_vectors(text: str, expected: dict[str, float]) -> None:
    assert shown(text) == pytest.approx(expected)


@pytest.mark.parametrize(("text", "said"), [
    ("sum(", "1:5: parse error: unexpected end of input"), ("memory{pod}", "unexpected"), ("memory[5m]", "range vector"),
    ("rate(memory)", 'expected type range vector in call to function "rate"'), ('memory{pod=~"("}', "error parsing regexp"), ("{}", "at least one non-empty matcher"),
    ("1 > 2", "comparisons between scalars must use BOOL modifier"), ("memory * on (node) node_info", "must be explicit"), ("memory ? 1", "unexpected character"),
    ("memory)", "unexpected"), ("topk(memory)", "wrong number of arguments"),
])  # fmt: skip
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(PromqlError) as raised:
        computed(text)
    assert said in str(raised.value)


@pytest.mark.parametrize("text", [
    "max_over_time(rate(requests_total[5m])[1h:1m])", "memory @ 1600000000", "histogram_quantile(0.9, memory)", "predict_linear(memory[5m], 3600)", 'count_values("v", memory)',
])  # fmt: skip
def test_what_is_not_supported_is_not_guessed(text: str) -> None:
    with pytest.raises(NotSupportedError):
        computed(text)


def test_durations() -> None:
    assert [duration(text) for text in ("5m", "1h30m", "250ms", "2d")] == [300, 5400, 0.25, 172800]
    with pytest.raises(PromqlError):
        duration("five")
