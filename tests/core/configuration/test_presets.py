from typing import Any

import pytest

from projects.core.configuration.keys import find
from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import load
from projects.core.values.errors import ConfigError
from tests.core.configuration.checkouts import Checkout

TREE = "t: {one: config, two: config, base: config, middle: config}\n"


def values(configuration: Configuration, *keys: str) -> list[object]:
    return [find(configuration.data, ("t", key)) for key in keys]


def test_the_child_wins_wherever_extends_stands(checkout: Checkout) -> None:
    configuration = checkout.data(
        """
        ci_presets:
          to_apply: [first, last]
          base: {t.one: base, t.two: base, t.base: base}
          middle: {t.middle: middle, extends: [base], t.base: middle}
          first: {extends: [middle], t.one: child}
          last: {t.two: child, extends: [middle]}
        t: {one: config, two: config, base: config, middle: config}
        """
    )
    assert values(configuration, "two", "base", "middle") == ["child", "middle", "middle"]
    assert find(configuration.data, ("ci_presets", "names")) == ["first", "middle", "base", "last"]


def test_a_common_parent_is_applied_once_so_that_it_does_not_undo_its_child(checkout: Checkout) -> None:
    configuration = checkout.data(
        """
        ci_presets:
          to_apply: [both]
          base: {t.one: base, t.two: base}
          left: {extends: [base], t.one: left}
          right: {extends: [base], t.two: right}
          both: {extends: [left, right]}
        t: {one: config, two: config, base: config, middle: config}
        """
    )
    assert values(configuration, "one", "two") == ["left", "right"]


def test_a_text_is_one_parent_and_one_preset_to_apply(checkout: Checkout) -> None:
    configuration = checkout.data(
        """
        ci_presets:
          to_apply: child
          parent: {t.one: parent}
          child: {extends: parent, t.two: child}
        t: {one: config, two: config, base: config, middle: config}
        """
    )
    assert values(configuration, "one", "two") == ["parent", "child"]
    assert find(configuration.data, ("ci_presets", "names")) == ["child", "parent"]


def test_values_are_copied_in_so_that_a_preset_stays_as_it_is(checkout: Checkout) -> None:
    project = checkout.project("""
        ci_presets: {to_apply: [p], p: {t.tree: {x: [1]}}}
        t: {tree: null}
        """)
    project.set_config("t.tree.x[0]", 2)
    assert project.get_config("t.tree") == {"x": [2]}
    assert project.config["ci_presets"]["p"] == {"t.tree": {"x": [1]}}
    project.apply_preset("p")
    assert project.get_config("t.tree") == {"x": [1]}


def test_a_key_that_a_parent_brings_is_known_to_its_children(checkout: Checkout) -> None:
    configuration = checkout.data("""
        ci_presets:
          to_apply: [child]
          grandparent: {t.tree: {x: {y: 1}, list: [1, 2]}}
          parent: {extends: [grandparent]}
          child: {extends: [parent], t.tree.x.y: 2, "t.tree.list[1]": 3}
        t: {tree: null}
        """)
    assert find(configuration.data, ("t", "tree")) == {"x": {"y": 2}, "list": [1, 3]}


def test_a_key_that_only_a_stranger_brings_is_unknown(checkout: Checkout) -> None:
    assert checkout.problems("""
        ci_presets:
          to_apply: []
          one: {t.tree: {x: 1}}
          other: {t.tree.x: 2}
        t: {tree: null}
        """) == [
        (
            "the configuration cannot be used: projects/one/testing/config.yaml:5: preset 'other': "
            "t.tree.x is not a key of the configuration: t.tree is null (projects/one/testing/config.yaml:6)"
        )
    ]


def test_root_and_project_presets_of_one_name_are_one(checkout: Checkout) -> None:
    configuration = checkout.data(
        "ci_presets: {to_apply: [p], p: {t.one: project}}\n" + TREE,
        root="ci_presets: {p: {t.one: root, t.two: root}}\n",
    )
    assert values(configuration, "one", "two") == ["project", "root"]


def test_the_reserved_siblings_and_anchor_holders_are_no_presets(checkout: Checkout) -> None:
    loaded = checkout.load("""
        ci_presets: {name: x, names: [], to_apply: null, variable_overrides: {}, local_config: {a: 1}, __anchors: [1], p: {}}
        """)
    assert list(loaded.presets) == ["p"]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_lines(checkout: Checkout) -> None:
    told = checkout.problems("""\
        ci_presets:
          to_apply: [gpuu, p, [x]]
          p:
            t.on: 1
            t.one: {many: 3}
            t.tree: 5
            t.list[7]: 0
            "t.*": 1
            "$": 1
          null_one:
          listed: [1]
          turn: {extends: [round]}
          round: {extends: [turn]}
          narcissus: {extends: narcissus}
          orphan: {extends: [no_such_parent], t.two: [1, 2]}
          odd: {extends: {a: 1}}
        t: {one: 3, two: x, tree: {a: 1}, list: [1], empty: {}}
        """)
    here = "  projects/one/testing/config.yaml"
    assert told == [
        "the configuration cannot be used, there are 14 errors:",
        f"{here}:2: ci_presets.to_apply: expected the name of a preset, found a list of 1",
        f"{here}:2: ci_presets.to_apply: there is no preset 'gpuu'; there are: narcissus, odd, orphan, p, round, turn",
        f"{here}:4: preset 'p': t.on is not a key of the configuration; did you mean 't.one'?",
        (
            f"{here}:5: preset 'p': t.one: expected a scalar or a list where the number 3 stands"
            " (projects/one/testing/config.yaml:17), found a mapping of 1"
        ),
        (
            f"{here}:6: preset 'p': t.tree: expected a mapping or null where a mapping of 1 stands"
            " (projects/one/testing/config.yaml:17), found the number 5"
        ),
        f"{here}:7: preset 'p': t.list[7] is not a key of the configuration; did you mean 't.list'?",
        f"{here}:8: preset 'p': 't.*' is not a key; a key is written a.b.c, a.list[1] or a[\"b\"]",
        f"{here}:9: preset 'p': the whole configuration cannot be set",
        f"{here}:10: preset 'null_one': expected a mapping, found null",
        f"{here}:11: preset 'listed': expected a mapping, found a list of 1",
        f"{here}:12: preset 'turn' extends itself: turn -> round -> turn",
        f"{here}:14: preset 'narcissus' extends itself: narcissus -> narcissus",
        (
            f"{here}:15: preset 'orphan': extends: there is no preset 'no_such_parent'; "
            "there are: narcissus, odd, orphan, p, round, turn"
        ),
        f"{here}:16: preset 'odd': extends: expected the name of a preset, found a mapping of 1",
    ]


def test_a_broken_preset_is_told_once_although_it_is_applied(checkout: Checkout) -> None:
    told = checkout.problems("""
        ci_presets: {to_apply: [child], parent: {t.on: 1}, child: {extends: [parent]}}
        t: {one: 1}
        """)
    assert len(told) == 1
    assert "preset 'parent': t.on is not a key" in told[0]


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("1", "text"),
        ("1", "[1, 2]"),
        ("[1]", "1"),
        ("text", "null"),
        ("null", "{a: 1}"),
        ("null", "1"),
        ("{}", "1"),
        ("{}", "{a: 1}"),
        ("{a: 1}", "null"),
        ("{a: 1}", "{b: 2}"),
        ("{a: 1}", "{}"),
        ("true", "1"),
    ],
)
def test_what_may_replace_what(checkout: Checkout, declared: str, value: Any) -> None:
    configuration = checkout.data(f"""
        ci_presets: {{to_apply: [p], p: {{t: {value}}}}}
        t: {declared}
        """)
    assert find(configuration.data, ("t",)) == checkout.data(f"t: {value}").data["t"]


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("1", "{a: 1}"),
        ("1", "{}"),
        ("[1]", "{a: 1}"),
        ("text", "{a: 1}"),
        ("{a: 1}", "1"),
        ("{a: 1}", "[1]"),
        ("{a: 1}", "''"),
    ],
)
def test_what_may_not_replace_what(checkout: Checkout, declared: str, value: Any) -> None:
    (told,) = checkout.problems(f"""
        ci_presets: {{to_apply: [], p: {{t: {value}}}}}
        t: {declared}
        """)
    assert "projects/one/testing/config.yaml:2: preset 'p': t: expected " in told
    assert "(projects/one/testing/config.yaml:3), found " in told


def test_a_value_is_compared_with_what_is_declared_not_with_what_another_preset_put_there(checkout: Checkout) -> None:
    configuration = checkout.data("""
        ci_presets: {to_apply: [tree, text], tree: {t: {a: 1}}, text: {t: text}}
        t: null
        """)
    assert find(configuration.data, ("t",)) == "text"


def test_presets_that_are_no_mapping_are_refused(checkout: Checkout) -> None:
    (told,) = checkout.problems("ci_presets: [a]\n")
    assert told.endswith("config.yaml:1: ci_presets: expected a mapping, found a list of 1")


def test_nothing_is_left_of_a_load_that_failed(checkout: Checkout) -> None:
    sources = checkout.files("ci_presets: {p: {x: 1}}\n")
    with pytest.raises(ConfigError):
        load(sources)
    assert [file.name for file in checkout.directory.rglob("*") if file.is_file()] == ["config.yaml"]
