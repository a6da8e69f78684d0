from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import Document, Place
from projects.core.configuration.keys import find
from projects.core.configuration.layering import Overlays, layered
from projects.core.configuration.layers import Configuration, Layer, base_of
from projects.core.configuration.presets import read_presets
from tests.core.configuration.checkouts import Checkout

LAYERS = ("root", "project", "preset", "ci", "local", "pr_preset", "pr")
"""From the weakest to the strongest, wherever `local` also stands below the presets."""


def made(file: str, data: Any) -> Document:

    return Document(Path(file), data, {(key,): number for number, key in enumerate(data, 1)})


@given(st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from(LAYERS[1:])), min_size=1))
def test_the_strongest_layer_that_sets_a_key_wins(setters: Any) -> None:
    def by(layer: str) -> dict[str, str]:
        return {f"t.{key}": layer for key, layers in setters.items() if layer in layers}

    root = {"t": dict.fromkeys("abcdefg", "root")}
    project = {
        "t": {key: "project" for key, layers in setters.items() if "project" in layers},
        "ci_presets": {
            "to_apply": ["mine"],
            "variable_overrides": by("ci"),
            "mine": by("preset"),
            "theirs": by("pr_preset"),
        },
    }
    base = base_of((Layer.ROOT, made("root", root)), (Layer.PROJECT, made("project", project)))
    presets, problems = read_presets(base)
    overlays = Overlays(made("local", by("local")), made("pr", {"PR_POSITIONAL_ARG_1": "theirs", **by("pr")}), True)
    configuration, wrong = layered(Configuration(base, base.data, base.data), presets, overlays)
    assert problems == wrong == []
    for key in "abcdefg":
        expected = max({"root", *setters.get(key, ())}, key=LAYERS.index)
        assert find(configuration.data, ("t", key)) == expected
        origin = configuration.origin(("t", key))
        assert origin is None or origin.layer.name.lower() == expected


def test_local_overrides_also_stand_below_the_presets(checkout: Checkout) -> None:
    configuration = checkout.data(
        """
        ci_presets: {to_apply: [], chosen: {t.a: preset}}
        t: {a: config}
        """,
        local="ci_presets.to_apply: [chosen]\n",
    )
    assert find(configuration.data, ("t", "a")) == "preset"


def test_mappings_of_the_root_and_the_project_are_merged_and_anything_else_is_the_projects(checkout: Checkout) -> None:
    configuration = checkout.data(
        "a: {own: 1, both: 2, list: [3], gone: null}\n",
        root="a: {root: 1, both: 1, list: [1, 2], gone: {x: 1}}\nb: 1\n",
    )
    assert configuration.data == {"a": {"root": 1, "both": 2, "list": [3], "gone": None, "own": 1}, "b": 1}
    assert str(configuration.origin(("b",))).startswith("root config (")


def test_presets_of_the_pull_request_come_in_the_order_of_its_arguments(checkout: Checkout) -> None:
    configuration = checkout.data(
        """
        ci_presets: {to_apply: [], names: [], one: {t.a: one, t.b: one}, two: {t.b: two}, 3: {t.c: three}}
        t: {a: config, b: config, c: config}
        """,
        pr="""
        PR_POSITIONAL_ARGS: one two 3
        PR_POSITIONAL_ARG_0: jump-ci
        PR_POSITIONAL_ARG_1: one  two
        PR_POSITIONAL_ARG_2: 3
        PR_POSITIONAL_ARG_3: null
        """,
    )
    assert configuration.data["t"] == {"a": "one", "b": "two", "c": "three"}
    assert configuration.data["ci_presets"]["names"] == ["one", "two", "3"]
    assert configuration.data["PR_POSITIONAL_ARG_0"] == "jump-ci"


def test_a_pull_request_may_say_a_key_twice_and_the_comment_wins_over_the_description(checkout: Checkout) -> None:
    configuration = checkout.data("t: {a: 1}\n", pr="t.a: 2\nt.a: 3\n")
    assert find(configuration.data, ("t", "a")) == 3
    assert configuration.place(("t", "a")) == Place(checkout.directory / "artifacts/variable_overrides.yaml", 2)


def test_local_overrides_may_not_say_a_key_twice(checkout: Checkout) -> None:
    (told,) = checkout.problems("t: {a: 1}\n", local="t.a: 2\nt.a: 3\n")
    assert told == "'[\"t.a\"]' is written twice; first at variable_overrides.yaml:1"


def test_every_wrong_override_is_told_together_with_the_presets(checkout: Checkout) -> None:
    told = checkout.problems(
        """\
        ci_presets:
          to_apply: [absent]
          variable_overrides: {t.ci: 1}
          p: {t.preset: 1}
        t: {a: 1, b: {c: 1}}
        exec_list: {_only_: false, test_ci: null}
        """,
        local="t.local: 1\nt.b: 1\n",
        pr="t.aa: 1\nPR_POSITIONAL_ARG_1: missing\nexec_list._only_: true\nexec_list.tset_ci: true\n",
    )
    assert [line.partition(";")[0] for line in told] == [
        "the configuration cannot be used, there are 8 errors:",
        "  artifacts/variable_overrides.yaml:1: overrides of the pull request: t.aa is not a key of the configuration",
        "  artifacts/variable_overrides.yaml:2: PR_POSITIONAL_ARG_1: there is no preset 'missing'",
        "  artifacts/variable_overrides.yaml:4: overrides of the pull request: exec_list.tset_ci is not a key of the configuration",
        "  projects/one/testing/config.yaml:2: ci_presets.to_apply: there is no preset 'absent'",
        "  projects/one/testing/config.yaml:3: ci_presets.variable_overrides: t.ci is not a key of the configuration",
        "  projects/one/testing/config.yaml:4: preset 'p': t.preset is not a key of the configuration",
        "  variable_overrides.yaml:1: local overrides: t.local is not a key of the configuration",
        (
            "  variable_overrides.yaml:2: local overrides: t.b: expected a mapping or null where a mapping of 1 stands "
            "(projects/one/testing/config.yaml:5), found the number 1"
        ),
    ]
    assert told[3].endswith("; did you mean 'exec_list.test_ci'?")


def test_a_local_override_may_set_what_a_preset_brings(checkout: Checkout) -> None:
    configuration = checkout.data(
        "ci_presets: {to_apply: [p], p: {t.tree: {x: 1}}}\nt: {tree: null}\n", local="t.tree.x: 2\n"
    )
    assert find(configuration.data, ("t", "tree")) == {"x": 2}


def test_overrides_may_bring_a_name_at_the_top_level_and_presets_may_not(checkout: Checkout) -> None:
    project = checkout.project("t: 1\n", local="own: {a: 1}\n", pr="tt: 1\nPR_POSITIONAL_ARGS: x\n")
    assert project.get_config("own.a") == 1
    assert project.new_keys() == {"own": "there are: t", "tt": "did you mean 't'?"}
    (told,) = checkout.problems("t: 1\nci_presets: {variable_overrides: {own: 1}}\n")
    assert "own is not a key of the configuration" in told


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_of_overrides_sets_nothing(checkout: Checkout, text: str) -> None:
    assert checkout.data("t: 1\n", local=text, pr=text).data == {"t": 1}


def test_a_file_of_overrides_that_is_no_mapping(checkout: Checkout) -> None:
    (told,) = checkout.problems("t: 1\n", pr="- t\n")
    assert told == "expected a mapping at the top level, found a list"


def test_variable_overrides_that_are_no_mapping(checkout: Checkout) -> None:
    (told,) = checkout.problems("ci_presets: {variable_overrides: [1]}\n")
    assert told.endswith("config.yaml:1: ci_presets.variable_overrides: expected a mapping, found a list of 1")


def test_an_override_says_what_nulled_the_mapping_it_goes_into(checkout: Checkout) -> None:
    (told,) = checkout.problems("t: {lts: {on: true}}\n", local="t.lts: null\n", pr="t.lts.on: false\n")
    assert told.endswith(
        "artifacts/variable_overrides.yaml:1: overrides of the pull request: t.lts.on is not a key of the configuration: "
        "t.lts is null (variable_overrides.yaml:1)"
    )


def test_the_history_tells_the_chain_of_layers(checkout: Checkout) -> None:
    configuration = checkout.data(
        "ci_presets: {to_apply: [child], parent: {t.a: 1}, child: {extends: [parent]}}\nt: {a: 0}\n", pr="t.a: 2\n"
    )
    chain = [
        (each.value, each.origin.layer, each.origin.presets) for each in configuration.history if each.key == "t.a"
    ]
    assert chain == [(1, Layer.PRESET, ("child", "parent")), (2, Layer.PR, ())]
    assert str(configuration.origin(("t", "a"))).startswith("overrides of the pull request (")
