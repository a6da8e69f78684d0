"""Which objects a command had to do with, by its events."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.cluster.api import Target
from projects.core.cluster.involved import Involved
from projects.core.postmortem.touched import MOST, involved_in
from tests.core.postmortem.failures import Failed, acts, ended, target


def names(root: Path, *events: dict[str, Any]) -> list[str | None]:
    *_, directory = Failed(root).command(events)
    return [each.target.name for each in involved_in(directory)]


def test_those_of_the_failed_task_come_first(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        acts("one", target("apply", "ConfigMap", "first")),
        ended("one"),
        acts("two", target("apply", "ConfigMap", "second"), target("apply", "Secret", "third")),
        ended("two"),
        acts("wait", target("wait", "Pod", "awaited")),
        ended("wait", "failed"),
        acts("look", target("read", "Pod", "looked-at")),
        ended("look"),
    )
    assert found == ["awaited", "looked-at", "second", "third", "first"]


def test_a_rescued_task_is_not_the_one(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        acts("try", target("wait", "Pod", "tried")),
        ended("try", "failed", rescued=True),
        acts("rescue", target("read", "Pod", "rescued")),
        ended("rescue", "failed"),
    )
    assert found == ["rescued", "tried"]


def test_a_task_that_was_killed_is_the_one(tmp_path: Path) -> None:
    assert names(
        tmp_path, acts("one", target("apply", "ConfigMap", "c")), ended("one"), acts("two", target("wait", "Pod", "p"))
    ) == ["p", "c"]


def test_the_same_object_counts_once_and_there_is_an_end(tmp_path: Path) -> None:
    many = [acts("t", target("apply", "Pod", f"p{number}")) for number in range(MOST * 2)]
    found = names(tmp_path, *many, *many, ended("t", "failed"))
    assert found == [f"p{number}" for number in range(MOST)]


def test_torn_and_strange_lines_are_left_out(tmp_path: Path) -> None:
    *_, directory = Failed(tmp_path).command([acts("t", target("wait", "Pod", "p"), target("sing", "Pod", "q"))])
    with (directory / "_ansible.events.jsonl").open("a") as file:
        file.write('[1]\n"text"\n{"outcome": "acts", "task": "t", "obj')
    assert [each.target.name for each in involved_in(directory)] == ["p"]
    assert involved_in(tmp_path / "nowhere") == []


some = st.none() | st.text(min_size=1)


@given(
    st.sampled_from(["apply", "wait", "read"]),
    st.builds(Target, st.text(min_size=1), some, some, some, some, some),
)
def test_an_event_tells_a_target_whole(act: Any, chosen: Target) -> None:
    assert Involved.of(Involved(act, chosen).to_data()) == Involved(act, chosen)


@pytest.mark.parametrize("data", [{}, {"act": "wait"}, {"act": "wait", "kind": 1}, {"act": "sing", "kind": "Pod"}])
def test_what_is_not_one_of_ours(data: dict[str, Any]) -> None:
    assert Involved.of(data) is None
