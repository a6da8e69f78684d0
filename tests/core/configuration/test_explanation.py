import pytest

from projects.core.configuration.errors import UnknownKey
from projects.core.configuration.explanation import Explanation, explained
from projects.core.configuration.keys import MISSING
from projects.core.values.redaction import MASK
from tests.core.configuration.checkouts import Checkout

ROOT = "t: {size: 1, kept: 1}\n"
CONFIG = """\
ci_presets:
  to_apply: []
  parent: {t.size: 5, t.tree.a: 2}
  child: {extends: [parent], t.colour: green}
  nulled: {t.tree: null}
t:
  size: 3
  colour: red
  tree: {a: 1, b: 1}
  link: "@t.far"
  far: "@t.size"
  joined: "{@t.size} of {@t.colour}"
  list: ["@t.size", "*$@t.file"]
  token: "*$@t.file"
  file: probe.token
  broken: "@t.sise"
  circle: "@t.round"
  round: "@t.circle"
"""


def told(explanation: Explanation) -> list[str]:
    return [
        f"{each.origin.layer} {'>'.join(each.origin.presets)} {each.key}={each.value}" for each in explanation.settings
    ]


def steps(explanation: Explanation) -> list[str]:
    return [f"{each.depth} {each.written} {each.key}={each.problem or each.value}" for each in explanation.steps]


def test_the_chain_of_what_sets_a_key(checkout: Checkout) -> None:
    configuration = checkout.data(CONFIG, root=ROOT, local="t.size: 4\n", presets=("child",), settings=("t.size=9",))
    found = explained(configuration, "t.size")
    assert (found.value, found.secret) == (9, False)
    assert told(found) == [
        "root config  t.size=1",
        "project config  t.size=3",
        "local overrides  t.size=4",
        "preset child>parent t.size=5",
        "--set  t.size=9",
    ]
    places = [str(each.origin.place).replace(f"{checkout.directory}/", "") for each in found.settings]
    own = "projects/one/testing/config.yaml"
    assert places == ["config.yaml:1", f"{own}:7", "variable_overrides.yaml:1", f"{own}:3", "None"]


def test_what_is_set_around_and_below(checkout: Checkout) -> None:
    configuration = checkout.data(CONFIG, presets=("child", "nulled"))
    assert told(explained(configuration, "t.tree")) == [
        "project config  t.tree={'a': 1, 'b': 1}",
        "preset child>parent t.tree.a=2",
        "preset nulled t.tree=None",
    ]
    with pytest.raises(UnknownKey):
        explained(configuration, "t.tree.a")
    whole = checkout.data(CONFIG, settings=("t.tree={a: 7}",))
    assert told(explained(whole, "t.tree.a")) == ["project config  t.tree.a=1", "--set  t.tree.a=7"]


def test_references_step_by_step(checkout: Checkout) -> None:
    configuration = checkout.data(CONFIG)
    found = explained(configuration, "t.link")
    assert (found.value, found.written) == (3, "@t.far")
    assert steps(found) == ["0 @t.far t.far=@t.size", "1 @t.size t.size=3"]
    joined = explained(configuration, "t.joined")
    assert joined.value == "3 of red"
    assert steps(joined) == ["0 {@t.size} t.size=3", "0 {@t.colour} t.colour=red"]


def test_secrets_are_references(checkout: Checkout) -> None:
    configuration = checkout.data(CONFIG)
    found = explained(configuration, "t.token")
    assert (found.secret, found.value) == (True, "*$@probe.token")
    assert steps(found) == ["0 *$@t.file t.file=probe.token"]
    assert explained(configuration, "t.list").value == [3, "*$@probe.token"]
    schema = "properties: {t: {properties: {colour: {secret: true}}}}\n"
    configuration = checkout.data(CONFIG, schema=schema, presets=("child",))
    hidden = explained(configuration, "t.colour")
    assert (hidden.secret, hidden.value, {each.value for each in hidden.settings}) == (True, MASK, {MASK})
    assert explained(configuration, "t.joined").value == f"5 of {MASK}"


@pytest.mark.parametrize(
    ("key", "problem"),
    [("t.broken", "it leads nowhere; did you mean 't.size'?"), ("t.circle", "it goes round in a circle")],
)
def test_a_reference_that_cannot_be_followed(checkout: Checkout, key: str, problem: str) -> None:
    found = explained(checkout.data(CONFIG), key)
    assert found.value is MISSING
    assert found.steps[-1].problem == problem


def test_an_unknown_key(checkout: Checkout) -> None:
    with pytest.raises(UnknownKey) as raised:
        explained(checkout.data(CONFIG), "t.sise")
    assert raised.value.hint == "did you mean 't.size'?"
