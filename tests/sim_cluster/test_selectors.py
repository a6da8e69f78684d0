"""Label and field selectors against a plain reading of what they mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.selectors import field_selector, label_selector
from projects.sim_cluster.jumping import JumpingClock

KEYS, VALUES = st.sampled_from(["app", "tier", "example.com/x"]), st.sampled_from(["a", "b", "1", "2", ""])
LABELS = st.dictionaries(KEYS, VALUES)


def chosen(selector: str, labels: dict[str, str]) -> bool:
    return label_selector(selector)({"metadata": {"labels": labels}})


@given(LABELS, KEYS, VALUES)
def test_equality(labels: dict[str, str], key: str, value: str) -> None:
    assert chosen(f"{key}={value}", labels) == chosen(f"{key}=={value}", labels) == (labels.get(key) == value)
    assert chosen(f"{key}!={value}", labels) == (labels.get(key) != value)


@given(LABELS, KEYS, st.sets(st.sampled_from(["a", "b", "1", "2"]), min_size=1))
def test_sets(labels: dict[str, str], key: str, values: set[str]) -> None:
    listed = ",".join(values)
    assert chosen(f"{key} in ({listed})", labels) == (labels.get(key) in values)
    assert chosen(f"{key} notin ({listed})", labels) == (labels.get(key) not in values)
    assert chosen(key, labels) == (key in labels)
    assert chosen(f"!{key}", labels) == (key not in labels)


@given(LABELS, st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=3))
def test_clauses_are_all_required(labels: dict[str, str], clauses: list[tuple[str, str]]) -> None:
    assert chosen(",".join(f"{key}={value}" for key, value in clauses), labels) == all(
        labels.get(k) == v for k, v in clauses
    )


@pytest.mark.parametrize(("labels", "selector", "expected"), [
    ({"n": "5"}, "n>4", True), ({"n": "5"}, "n>5", False), ({"n": "5"}, "n<6", True), ({"n": "x"}, "n>1", False), ({}, "n>1", False), ({}, "", True),
])  # fmt: skip
def test_numbers(labels: dict[str, str], selector: str, expected: bool) -> None:
    assert chosen(selector, labels) is expected


@pytest.mark.parametrize("selector", ["a b", "a in b", "a in (b"])
def test_what_cannot_be_parsed_is_a_bad_request(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement") as caught:
        label_selector(selector)
    assert caught.value.code == 400


def pods(selector: str) -> Any:
    api = Api(JumpingClock(epoch=0.0))
    kind = api.registry.find("", "v1", "pods")
    assert kind is not None
    return field_selector(selector, kind)


def test_fields_of_pods() -> None:
    pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"nodeName": "one"}, "status": {"phase": "Running"}}
    assert pods("spec.nodeName=one,status.phase!=Failed,metadata.name=p")(pod)
    assert not pods("spec.nodeName=two")(pod)
    assert pods("status.podIP=")(pod)
    with pytest.raises(ApiError, match=r"field label not supported: spec\.containers"):
        pods("spec.containers=x")
