from __future__ import annotations

import dataclasses
import enum
import json
from pathlib import Path
from typing import Any, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.toolbox.binding import bind_line, bind_values, parameters_of
from projects.core.values.errors import UsageError


class Platform(enum.Enum):
    OPENSHIFT = "openshift"
    KUBERNETES = "kubernetes"


@dataclasses.dataclass(frozen=True)
class Taint:
    key: str
    effect: str

    @classmethod
    def parse(cls, text: str) -> Self:
        key, colon, effect = text.partition(":")
        if not colon:
            raise ValueError("expected key:Effect")
        return cls(key, effect)


class Group:
    def scale(
        self,
        instance_type: str,
        scale: int,
        *,
        taint: Taint | None = None,
        spot: bool = False,
        verbose: bool = True,
        disk_gb: float = 1.5,
        platform: Platform = Platform.OPENSHIFT,
        mode: Literal["fast", "slow"] = "fast",
        labels: dict[str, str] | None = None,
        zones: list[str] | None = None,
        show: bool | str = False,
        anything: Any = None,
        **ignored: object,
    ) -> None: ...


def scale_of(instance_type: str, scale: int = 1) -> None: ...


PARAMETERS = parameters_of(Group().scale)
MANDATORY = ["--instance_type=m6i", "--scale=2"]


def bound(*words: str) -> dict[str, Any]:
    """What a line adds to the mandatory arguments."""
    found = bind_line(PARAMETERS, [*MANDATORY, *words])
    assert (found.pop("instance_type"), found.pop("scale")) == ("m6i", 2)
    return found


def refused(*words: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        bind_line(PARAMETERS, words)
    return caught.value.message.splitlines()


def test_parameters_come_from_the_signature() -> None:
    names = "instance_type scale taint spot verbose disk_gb platform mode labels zones show anything"
    assert list(PARAMETERS) == names.split()
    assert [each.name for each in PARAMETERS.values() if each.required] == ["instance_type", "scale"]
    assert [each.name for each in PARAMETERS.values() if each.positional] == ["instance_type", "scale"]
    assert PARAMETERS["taint"].annotation == Taint | None


@pytest.mark.parametrize(
    "words",
    [
        ["--instance_type=m6i", "--scale=2"],
        ["--instance_type", "m6i", "--scale", "2"],
        ["--instance-type=m6i", "--scale=2"],
        ["--scale=2", "m6i"],
        ["m6i", "2"],
        ["m6i", "--scale", "2"],
        ["--", "m6i", "2"],
    ],
)
def test_the_ways_to_write_the_same_line(words: list[str]) -> None:
    assert bind_line(PARAMETERS, words) == {"instance_type": "m6i", "scale": 2}


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["--taint=k:E"], {"taint": Taint("k", "E")}),
        (["--spot"], {"spot": True}),
        (["--nospot"], {"spot": False}),
        (["--no-spot"], {"spot": False}),
        (["--spot=false"], {"spot": False}),
        (["--noverbose", "--spot"], {"verbose": False, "spot": True}),
        (["--disk_gb=2"], {"disk_gb": 2.0}),
        (["--disk_gb", "-2"], {"disk_gb": -2.0}),
        (["--platform=kubernetes"], {"platform": Platform.KUBERNETES}),
        (["--mode=slow"], {"mode": "slow"}),
        (["--labels={a: 4.10}"], {"labels": {"a": "4.10"}}),
        (["--zones=[a, b]"], {"zones": ["a", "b"]}),
        (["--anything=[a, b]"], {"anything": "[a, b]"}),
        (["--anything="], {"anything": ""}),
        (["--anything=a=b=c"], {"anything": "a=b=c"}),
        (["--anything=--spot"], {"anything": "--spot"}),
        (["--show"], {"show": True}),
        (["--show", "name"], {"show": "name"}),
        (["--show", "--spot"], {"show": True, "spot": True}),
        (["--show=false"], {"show": False}),
    ],
)
def test_arguments_are_converted_by_their_annotation(words: list[str], arguments: dict[str, object]) -> None:
    assert bound(*words) == arguments


@given(st.text())
def test_a_text_argument_arrives_as_it_was_written(text: str) -> None:
    assert bind_line(PARAMETERS, [f"--instance_type={text}", "--scale=1"])["instance_type"] == text


@given(st.text().filter(lambda text: not text.startswith("--")))
def test_a_text_argument_behind_its_flag_arrives_as_it_was_written(text: str) -> None:
    assert bind_line(PARAMETERS, ["--instance_type", text, "--scale=1"])["instance_type"] == text


@given(st.dictionaries(st.text(), st.text()), st.lists(st.text()))
def test_containers_arrive_as_they_were_written_in_json(labels: dict[str, str], zones: list[str]) -> None:
    words = [f"--labels={json.dumps(labels)}", f"--zones={json.dumps(zones, ensure_ascii=False)}"]
    assert bound(*words) == {"labels": labels, "zones": zones}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--spott"], "unknown argument --spott (did you mean '--spot'?)"),
        (["--nospott"], "unknown argument --nospott (did you mean '--spot'?)"),
        (["--noscale"], "unknown argument --noscale (did you mean '--scale'?)"),
        (["--nospot=true"], "unknown argument --nospot (did you mean '--spot'?)"),
        (["--=3"], None),
        (["--scale=3"], "--scale is given twice"),
        (["third"], "surplus argument 'third'"),
        (["--anything"], "--anything: expected a value after it, found the end of the line"),
        (["--anything", "--spot"], "--anything: expected a value after it, found --spot"),
        (["--taint=k"], "taint: expected Taint, found 'k' (expected key:Effect)"),
        (["--mode=fats"], "mode: expected one of fast, slow, found 'fats' (did you mean 'fast'?)"),
        (["--platform=x"], "platform: expected one of openshift, kubernetes, found 'x'"),
    ],
)
def test_a_mistake_is_named(words: list[str], message: str | None) -> None:
    (found,) = refused(*MANDATORY, *words)
    assert message is None or found.startswith(message)


def test_all_mistakes_are_reported_together() -> None:
    messages = refused("--scale=lots", "--taint=k", "--spott", "--mode", "quick", "--disk_gb=1", "--disk_gb=2")
    begins = ["scale: expected int, found 'lots'", "taint: ", "unknown argument --spott", "mode: expected one of"]
    begins += ["--disk_gb is given twice", "missing argument instance_type (str)"]
    assert len(messages) == len(begins)
    assert all(message.startswith(begin) for message, begin in zip(messages, begins, strict=True)), messages


def test_a_mistake_in_one_argument_does_not_hide_that_another_is_missing() -> None:
    def function(a: str, data: int) -> None: ...

    parameters = parameters_of(function)
    with pytest.raises(UsageError) as line:
        bind_line(parameters, ["--data=x"])
    with pytest.raises(UsageError) as values:
        bind_values(parameters, {"data": "x"})
    assert "missing argument a (str)" in line.value.message
    assert "missing argument a (str)" in values.value.message


@pytest.mark.parametrize("words", [["--scale"], ["--instance-type"], ["--scale=x"]])
def test_an_argument_that_is_there_but_wrong_is_not_missing_as_well(words: list[str]) -> None:
    messages = refused(*words)
    name = words[0].removeprefix("--").partition("=")[0].replace("-", "_")
    assert not [message for message in messages if message.startswith(f"missing argument {name}")]


def test_a_line_without_its_mandatory_arguments() -> None:
    assert refused() == ["missing argument instance_type (str)", "missing argument scale (int)"]


def test_arguments_of_a_function_without_any() -> None:
    assert bind_line({}, []) == {}
    with pytest.raises(UsageError, match="surplus argument 'x'; the arguments are: none"):
        bind_line({}, ["x"])
    with pytest.raises(UsageError, match="unknown argument --x"):
        bind_line({}, ["--x"])


def test_values_from_python_are_checked_not_converted() -> None:
    values = {"instance_type": "m6i", "scale": 2, "taint": "k:E", "platform": "kubernetes", "zones": ("a",)}
    assert bind_values(PARAMETERS, values) == {
        "instance_type": "m6i",
        "scale": 2,
        "taint": Taint("k", "E"),
        "platform": Platform.KUBERNETES,
        "zones": ["a"],
    }


def test_all_mistakes_in_values_are_reported_together() -> None:
    with pytest.raises(UsageError) as caught:
        bind_values(PARAMETERS, {"instance_type": 4.1, "scael": 3, "spot": "true", "labels": {"a": 1}})
    assert caught.value.message.splitlines() == [
        "instance_type: expected str, found the float 4.1 (quote it where it is written)",
        "unknown argument scael (did you mean 'scale'?)",
        "spot: expected bool, found the str 'true'",
        "labels: expected dict[str, str] | None, found the dict {'a': 1}",
    ]


def test_positional_arguments_may_have_defaults() -> None:
    assert bind_line(parameters_of(scale_of), ["m6i", "7"]) == {"instance_type": "m6i", "scale": 7}
    assert bind_line(parameters_of(scale_of), ["m6i"]) == {"instance_type": "m6i"}


def test_a_path_is_taken_as_it_is_written() -> None:
    def function(where: Path) -> None: ...

    assert bind_line(parameters_of(function), ["--where=~/x"]) == {"where": Path("~/x")}
