import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from projects.core.configuration.errors import (
    BrokenReference,
    ConfigInBranch,
    SecretUnhandled,
    UnknownKey,
    WrongKind,
)
from projects.core.configuration.loading import load
from projects.core.configuration.project import Project
from projects.core.values.errors import ConfigError
from tests.core.configuration.checkouts import Checkout

CONFIG = """\
ci_presets:
  name: null
  names: []
  to_apply: []
  named: {t.value: from preset}
  wrong_now: {"t.tree.list[1].two": 3}
  "3min": {t.value: three}
secrets: {dir: {env_key: PROBE_SECRET_PATH}}
t:
  value: first
  ref: "@t.target"
  target: here
  tree: {list: [1, {two: 2}]}
  token: "*$@t.file"
  file: acc.token
  broken: "@t.no_such_key"
  secretive: {inside: "@t.token"}
  nothing: null
"""


@pytest.fixture
def project(checkout: Checkout) -> Project:
    return checkout.project(CONFIG)


def test_values_are_copies(project: Project) -> None:
    project.get_config("t.tree")["list"].append("leaked")
    project.get_config("t.tree.list")[1].clear()
    project.config["t"]["value"] = "leaked"
    value: list[dict[str, object]] = [{"mine": 1}]
    project.set_config("t.nothing", value)
    value[0]["mine"] = "leaked"
    assert project.get_config("t.tree") == {"list": [1, {"two": 2}]}
    assert project.get_config("t.value") == "first"
    assert project.get_config("t.nothing") == [{"mine": 1}]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("t.value", "first"),
        ("t.ref", "here"),
        ("t.tree.list[1].two", 2),
        ("t.tree.list[-1].two", 2),
        ('ci_presets["3min"]', {"t.value": "three"}),
        ("t.nothing", None),
        ("t.tree.list[?two==2].two", 2),
    ],
)
def test_keys(project: Project, key: str, value: Any) -> None:
    assert project.get_config(key) == value


def test_the_whole_configuration(project: Project) -> None:
    with pytest.raises(BrokenReference):
        project.get_config("$", handled_secretly=True)
    project.set_config("t.broken", None)
    assert project.get_config("$", handled_secretly=True)["t"]["ref"] == "here"


def test_a_missing_key(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnknownKey, match=r"t\.vlaue is not a key of the configuration") as raised:
        project.get_config("t.vlaue")
    assert raised.value.hint == "did you mean 't.value'?"
    assert str(raised.value.place).endswith("projects/one/testing/config.yaml")
    assert isinstance(raised.value, KeyError)
    assert isinstance(raised.value, ConfigError)
    assert project.get_config("t.vlaue", None, warn=False) is None
    assert not caplog.records
    assert project.get_config("t.vlaue", 3) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "get_config: t.vlaue is not a key of the configuration, using 3 instead"
    ]


def test_a_default_does_not_cover_a_broken_reference(project: Project) -> None:
    for key in ("t.broken", "t.broken.deeper"):
        with pytest.raises(BrokenReference, match=r"t\.broken: the reference '@t\.no_such_key' leads nowhere"):
            project.get_config(key, "default", warn=False)


def test_a_key_that_names_several_values(project: Project) -> None:
    with pytest.raises(UnknownKey, match=r"t\.tree\.list\[\*\] names 2 values, expected one"):
        project.get_config("t.tree.list[*]", "default")


def test_a_secret(project: Project) -> None:
    assert project.get_config("t.token", handled_secretly=True) == "<t.token acc.token PROBE_SECRET_PATH>"
    assert project.get_config("t.secretive", handled_secretly=True) == {
        "inside": "<t.token acc.token PROBE_SECRET_PATH>"
    }
    for key in ("t.token", "t.secretive", "t"):
        with pytest.raises((SecretUnhandled, BrokenReference)) as raised:
            project.get_config(key)
        assert "acc.token" not in str(raised.value)


def test_what_is_logged(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        project.get_config("t.ref")
        project.get_config("t.value", print=False)
        project.get_config("t.token", handled_secretly=True)
        project.set_config("t.value", "second")
        project.set_config("t.value", "third", print=False)
    assert [record.getMessage() for record in caplog.records] == [
        "get_config: t.ref --> here",
        "set_config: t.value --> second",
    ]


def test_setting(project: Project) -> None:
    project.set_config("t.value", [1, 2])
    project.set_config("t.tree.list[-1].two", "@t.target")
    project.set_config("t.tree.list[?two=='@t.target'].two", "@t.value")
    assert project.get_config("t.tree") == {"list": [1, {"two": [1, 2]}]}
    assert project.config["t"]["tree"]["list"][1] == {"two": "@t.value"}
    origin = project.origin("t.value")
    assert origin is not None
    assert origin.layer == "set_config"
    assert origin.place is not None
    assert origin.place.file == Path(__file__)


@pytest.mark.parametrize(
    ("key", "value", "error", "message"),
    [
        ("t.brand_new", 1, UnknownKey, "set_config: t.brand_new is not a key of the configuration"),
        ("new", 1, UnknownKey, "set_config: new is not a key of the configuration"),
        ("t.nothing.deep", 1, UnknownKey, "t.nothing is null"),
        ("t.ref.deep", 1, UnknownKey, "set_config: t.ref.deep is not a key"),
        ("t.tree.list[2]", 1, UnknownKey, "set_config: t.tree.list[2] is not a key"),
        ("t.tree.nowhere[*]", 1, UnknownKey, "t.tree.nowhere[*] is not a key"),
        ("t.tree.list[*]", 1, UnknownKey, "names 2 values"),
        ("$", {}, UnknownKey, "the whole configuration cannot be set"),
        ("", 1, UnknownKey, "is not a key"),
        (
            "t.value",
            {"a": 1},
            WrongKind,
            "set_config: t.value: expected a scalar or a list where the text 'first' stands",
        ),
        ("t.tree", [1], WrongKind, "set_config: t.tree: expected a mapping or null where a mapping of 1 stands"),
        (
            "t.value",
            Path("/x"),
            WrongKind,
            "set_config: t.value: expected text, a number, true, false, null, a list or a mapping",
        ),
        ("t.value", [object()], WrongKind, "set_config: t.value: expected text"),
        ("t.value", {("a",): 1}, WrongKind, "expected a name as the key of a mapping, found tuple"),
        pytest.param("t.value", "\udc80", WrongKind, "expected text, found what is no Unicode", id="a stray byte"),
    ],
)
def test_what_cannot_be_set(project: Project, key: str, value: Any, error: type[Exception], message: str) -> None:
    before = project.config
    with pytest.raises(error) as raised:
        project.set_config(key, value)
    assert message in str(raised.value)
    assert project.config == before


def test_values_of_classes_derived_from_text_and_numbers_are_plain(project: Project) -> None:

    project.set_config("t.value", (HTTPMethod.GET, HTTPStatus.OK, True))
    assert [type(each) for each in project.get_config("t.value")] == [str, int, bool]


def test_a_branch_may_read_and_not_change(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.core.configuration.project.is_initialised", lambda: True)
    monkeypatch.setattr("projects.core.configuration.project.here", lambda: SimpleNamespace(branch=True))
    assert project.get_config("t.value") == "first"
    changes: list[Callable[[], None]] = [
        lambda: project.set_config("t.value", 1),
        lambda: project.apply_preset("named"),
        project.apply_preset_from_pr_args,
    ]
    for change in changes:
        with pytest.raises(ConfigInBranch, match="from a branch of a Parallel") as raised:
            change()
        assert "hand the value to the branch as an argument" in str(raised.value.hint)
    assert project.get_config("t.value") == "first"


def test_applying_presets(project: Project) -> None:
    project.apply_preset("named")
    project.apply_preset("3min")
    assert project.get_config("t.value") == "three"
    assert project.get_config("ci_presets.names") == ["named", "3min"]


def test_a_preset_that_cannot_be_applied_leaves_everything_as_it_was(project: Project) -> None:
    with pytest.raises(
        ConfigError, match=r"the preset 'nmed' cannot be applied: .*there is no preset 'nmed'; did you mean 'named'\?"
    ):
        project.apply_preset("nmed")
    project.set_config("t.tree", {"other": 1})
    before = project.configuration
    with pytest.raises(ConfigError, match=r"config\.yaml:6: preset 'wrong_now': t\.tree\.list\[1\]\.two is not a key"):
        project.apply_preset("wrong_now")
    assert project.configuration is before


def test_presets_of_the_pull_request_applied_later(checkout: Checkout) -> None:

    sources = checkout.files(CONFIG, pr="PR_POSITIONAL_ARG_1: named 3min\nt.value: mine\n")
    project = Project(load(replace(sources, presets_of_pull_request=False)), read_secret=lambda *_: "")
    assert project.get_config("ci_presets.names") == []
    project.apply_preset_from_pr_args()
    assert project.get_config("ci_presets.names") == ["named", "3min"]
    assert project.get_config("t.value") == "mine"


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ("{test_ci: null}", None),
        ("{test_ci: true}", None),
        ("{test_ci: yes, _only_: true}", None),
        ("{other: true, _only_: true}", None),
        ("{_only_: true}", None),
        ("null", None),
        ("{test_ci: false}", "exec_list.test_ci (project config ("),
        ("{test_ci: false, _only_: true}", "exec_list.test_ci (project config ("),
        ("{test_ci: null, _only_: true}", "exec_list._only_ (project config ("),
        ("{test_ci: 1, _only_: true}", "exec_list._only_ (project config ("),
        ("{test_ci: null, _only_: 1}", None),
    ],
)
def test_which_entrypoints_are_skipped(checkout: Checkout, listed: str, reason: str | None) -> None:
    found = checkout.project(f"exec_list: {listed}\n").skip_reason("test_ci")
    assert found is reason is None or str(found).startswith(str(reason))


def test_without_a_list_everything_runs(checkout: Checkout) -> None:
    assert checkout.project("t: 1\n").skip_reason("test_ci") is None


def test_a_sweep_does_not_grow_the_history(project: Project) -> None:
    for number in range(50):
        project.set_config("t.value", number, print=False)
        project.set_config("t.target", number, print=False)
    assert len(project.configuration.history) == 2


def test_declared_secrets(checkout: Checkout) -> None:
    config = CONFIG.replace("named: {t.value: from preset}", 'named: {t.value: "*$@t.file"}')
    config += '  listed: ["*$@t.file"]\n  nowhere: "*$@t.no_such_key"\n'
    assert checkout.project(config).declared_secrets() == [("t.token", "acc.token"), ("t.listed[0]", "acc.token")]


def test_settings_over_a_configuration_leave_it_as_it_is(project: Project) -> None:
    over = project.over(["t.value=set"])
    assert (over.get_config("t.value"), project.get_config("t.value")) == ("set", "first")
    assert over.config_file is None
    with pytest.raises(ConfigError, match=r"--set: t\.vlaue is not a key"):
        project.over(["t.vlaue=1"])
