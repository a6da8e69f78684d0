from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.values.errors import UnknownValue
from projects.core.values.unknown import Unknown, is_unknown, marker, plain, unknowns, witnessed


def test_what_is_written_with_it_carries_its_marker() -> None:
    value = Unknown.of("stdout of `id`")
    assert f"label-{value}" == "label-<unknown: stdout of `id`>"
    assert str("a" + value + "b") == "a<unknown: stdout of `id`>b"
    assert json.loads(json.dumps({"x": value})) == {"x": "<unknown: stdout of `id`>"}
    assert unknowns({"a": [f"{value}!", 3, None], "b": f"{value}"}) == ["stdout of `id`"]
    assert not is_unknown({"a": ["known", 3]})


@pytest.mark.parametrize(
    "made",
    [
        lambda value: value.strip(),
        lambda value: value.upper(),
        lambda value: value.replace("unknown", "known"),
        lambda value: value[0],
        lambda value: value[2:],
        lambda value: value.split("\n")[-1],
        lambda value: value.splitlines()[0].strip(),
        lambda value: value.partition(":")[2],
        lambda value: "%s" % value,  # noqa: UP031 - one of the ways
        "a-{}".format,
        lambda value: "a" + value,
        lambda value: value.removesuffix(">"),
        lambda value: value.zfill(200),
    ],
)
def test_what_is_made_of_it_is_not_known_either(made: Callable[[Unknown], str]) -> None:
    assert unknowns(made(Unknown.of("x"))) == ["x"]


@pytest.mark.parametrize(
    "needs",
    [
        int,
        float,
        list,
        iter,
        lambda value: [*value.split()],
        lambda value: len(value.splitlines()),
        dict,
    ],
)
def test_what_needs_the_value_says_that_only_a_run_knows_it(needs: Callable[[Any], Any]) -> None:
    with pytest.raises(UnknownValue, match="stdout of `id` is known to a real run only"):
        needs(Unknown.of("stdout of `id`"))


@pytest.mark.parametrize(
    "decides",
    [
        bool,
        len,
        lambda value: value == "yes",
        lambda value: value != "yes",
        lambda value: "yes" in value,
        lambda value: value < "yes",
        lambda value: value.startswith("y"),
        lambda value: value.isdigit(),
        lambda value: value.count("y"),
    ],
)
def test_what_decides_by_it_is_told(decides: Callable[[Unknown], Any]) -> None:
    told: list[tuple[str, str]] = []
    with witnessed(lambda kind, what: told.append((kind, what))):
        decides(Unknown.of("x"))
    assert told == [("unknown", "x"), ("decision", "x")]


def test_nobody_is_told_outside_of_a_plan_and_a_plain_text_tells_nothing() -> None:
    told: list[str] = []
    value = Unknown.of("x")
    assert value != "yes"
    with witnessed(lambda _kind, what: told.append(what)):
        assert plain({"a": [value]})["a"][0] != "yes"
        assert pickle.loads(pickle.dumps(value)) != "yes"
    assert told == []


@given(st.text())
def test_a_marker_can_be_told_whatever_is_not_known(what: str) -> None:
    (found,) = unknowns(f"before {marker(what)} after")
    assert len(found) <= 100
    assert unknowns(marker(f"x of {marker(what)}")) == unknowns(marker(f"x of {found}"))
