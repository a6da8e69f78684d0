from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import Document
from projects.core.configuration.errors import WrongKind
from projects.core.configuration.keys import parse_key
from projects.core.configuration.layers import Configuration, Layer, base_of
from projects.core.configuration.settings import typed
from tests.core.configuration.checkouts import Checkout

CONFIG = """\
ci_presets:
  to_apply: []
  child: {t.number: 5, t.text: from preset}
  bringing: {"t.empty": {brought: 1}}
t:
  text: "4.10"
  number: 3
  float: 1.5
  flag: false
  list: [one]
  numbers: [1, 2]
  mapping: {inside: 1}
  empty: {}
  nothing: null
  alias: "@t.number"
  joined: "v{@t.number}"
  token: "*$@t.file"
  file: probe.token
  "a=b": 1
"""


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("t.text=4.20", "4.20"),
        ("t.text=null", "null"),
        ("t.text=[a, b]", "[a, b]"),
        ("t.text=", ""),
        ("t.text=a=b", "a=b"),
        ("t.number=11", 11),
        ("t.number=0.50", 0.5),
        ("t.number=null", None),
        ("t.number=[1, 2.0]", [1, 2.0]),
        ("t.number=@t.float", "@t.float"),
        ("t.float=2", 2),
        ("t.flag=true", True),
        ("t.flag=[true, false]", [True, False]),
        ("t.list=[a, 2]", ["a", 2]),
        ("t.list=[4.20, 5]", ["4.20", 5]),
        ("t.numbers=[4.20]", [4.2]),
        ("t.list[0]=7", "7"),
        ("t.mapping={inside: 2}", {"inside": 2}),
        ("t.mapping=null", None),
        ("t.empty={a: {b: 1}}", {"a": {"b": 1}}),
        ("t.nothing=true", True),
        ("t.nothing=4.20", "4.20"),
        ("t.nothing=4.2", 4.2),
        ("t.nothing=007", "007"),
        ("t.nothing='4.2'", "4.2"),
        ("t.alias=9", 9),
        ("t.joined=9", "9"),
        ("t.token=*$@t.other", "*$@t.other"),
        ('t["a=b"]=4', 4),
    ],
)
def test_a_value_is_of_the_kind_that_is_declared(checkout: Checkout, word: str, value: Any) -> None:
    project = checkout.project(CONFIG, settings=(word,))
    key = word.rpartition("]=")[0] + "]" if word.startswith(("t[", "t.list[")) else word.partition("=")[0]
    path = parse_key(key)
    assert path
    found: Any = project.config
    for step in path:
        found = found[step]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("t.number=many", "t.number: expected a number where the number 3 stands, found the text 'many'"),
        ("t.number=true", "t.number: expected a number where the number 3 stands, found true"),
        ("t.number=[1, x]", "t.number: expected a number where the number 3 stands, found a list of 2"),
        ("t.flag=1", "t.flag: expected true or false where false stands, found the number 1"),
        ("t.list=a", "t.list: expected a list such as [a, b] where a list of 1 stands, found the text 'a'"),
        ("t.mapping=a", "t.mapping: expected a mapping where a mapping of 1 stands, found the text 'a'"),
        ("t.alias=x", "t.alias: expected a number where the number 3 stands, found the text 'x'"),
        ("t.number=[1", "t.number: expected YAML"),
        ("t.nubmer=1", "t.nubmer is not a key of the configuration; did you mean 't.number'?"),
        ("t.number", "expected KEY=VALUE, 't.number' has no ="),
        ("t..number=1", "expected KEY=VALUE, 't..number' is not a key"),
    ],
)
def test_what_is_refused(checkout: Checkout, word: str, said: str) -> None:
    (line,) = checkout.problems(CONFIG, settings=(word,))
    assert line.startswith(f"the configuration cannot be used: --set: {said}")


def test_all_that_is_wrong_is_told_at_once(checkout: Checkout) -> None:
    config = CONFIG.replace("child:", "wrong: {t.tetx: 1}\n  child:")
    lines = checkout.problems(config, presets=("chidl",), settings=("t.number=x", "t.txet=1", "t.text=fine"))
    assert lines == [
        "the configuration cannot be used, there are 4 errors:",
        "  --preset: there is no preset 'chidl'; did you mean 'child'?",
        "  --set: t.number: expected a number where the number 3 stands, found the text 'x'",
        "  --set: t.txet is not a key of the configuration; did you mean 't.text'?",
        (
            "  projects/one/testing/config.yaml:3: preset 'wrong': t.tetx is not a key of the configuration; "
            "did you mean 't.text'?"
        ),
    ]


def test_its_place_among_the_layers(checkout: Checkout) -> None:
    said = "PR_POSITIONAL_ARG_1: child\n"
    settings = ("t.number=11",)
    loaded = checkout.load(CONFIG, local="t.number: 4\n", pr=said, settings=settings)
    assert loaded.configuration.data["t"]["number"] == 11
    assert loaded.configuration.data["t"]["text"] == "from preset"
    origin = loaded.configuration.origin(("t", "number"))
    assert origin
    assert (origin.layer, origin.place) == (Layer.SET, None)
    above = checkout.load(CONFIG, pr=f"{said}t.number: 21\n", presets=("child",), settings=settings)
    assert above.configuration.data["t"]["number"] == 21


def test_it_decides_which_presets_are_applied(checkout: Checkout) -> None:
    data = checkout.data(CONFIG, settings=("ci_presets.to_apply=[child]",)).data
    assert (data["t"]["number"], data["ci_presets"]["names"]) == (5, ["child"])


def test_a_key_that_a_preset_brings_can_be_set(checkout: Checkout) -> None:
    data = checkout.data(CONFIG, presets=("bringing",), settings=("t.empty.brought=2",)).data
    assert data["t"]["empty"] == {"brought": 2}


def test_the_last_of_several_wins(checkout: Checkout) -> None:
    assert checkout.data(CONFIG, settings=("t.number=1", "t.number=2")).data["t"]["number"] == 2


def configuration(value: Any) -> Configuration:
    data = {"t": value}
    return Configuration(base_of((Layer.PROJECT, Document(Path("config.yaml"), data))), data, data)


@given(st.text(alphabet=st.characters(codec="utf-8")).filter(lambda text: not text.startswith(("@", "*$@"))))
def test_any_text_stays_as_it_is_where_text_stands(text: str) -> None:
    if "{@" in text:
        return
    assert typed(text, ("t",), configuration("text")) == text


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text()))
def test_where_a_number_stands_there_is_a_number_or_an_error(value: Any) -> None:
    try:
        found = typed(str(value), ("t",), configuration(3))
    except WrongKind:
        return
    except ValueError:  # no YAML at all
        return
    among = found if isinstance(found, list) else [found]
    assert all(each is None or type(each) in {int, float} for each in among) or str(value).startswith(("@", "*$@"))
