import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from projects.core.configuration.errors import ConfigInBranch, UnknownKey
from projects.core.library import config as library
from projects.core.record import context
from projects.core.record.steps import Record
from projects.core.values.errors import ConfigError, NotInitialised, TemplateError, UsageError

ROOT_CONFIG = """\
ci_presets: {name: null, names: [], to_apply: [], variable_overrides: {}}
secrets: {dir: {name: probe, env_key: PROBE_SECRET_PATH}}
shared: {root: 1, project: 1}
"""
CONFIG = """\
ci_presets: {named: {t.value: from preset}, asked: {t.value: asked for}}
shared: {project: 2}
t: {value: first, ref: "@t.value", list: [1], token: "*$@t.file", file: probe.token, nothing: null}
"""
TEMPLATE = """\
pre/g c/post:
  _scratch: {{ t.list }}
  value: {{ t.ref }}
  list: {{ t.list }}
  number: 4
g secret:
  token: {{ t.token }}
"""


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


@contextlib.contextmanager
def standing_in(root: Path, *, branch: bool = False) -> Iterator[None]:
    token = context.enter(context.Place(Record(root), root, branch=branch))
    try:
        yield
    finally:
        context.leave(token)


@pytest.fixture
def testing(tmp_path: Path) -> Path:
    directory = tmp_path / "checkout" / "projects" / "one" / "testing"
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(CONFIG)
    (directory / "command_args.yaml.j2").write_text(TEMPLATE)
    (tmp_path / "checkout" / "config.yaml").write_text(ROOT_CONFIG)
    (tmp_path / "checkout" / "command_args.yaml.j2").write_text("g root:\n  value: {{ shared.root }}\n")
    return directory


@pytest.fixture
def run_root(tmp_path: Path) -> Path:
    root = tmp_path / "run"
    root.mkdir()
    return root


@pytest.fixture
def config(tmp_path: Path, run_root: Path, testing: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The library as in a new process whose checkout is `testing`'s, inside of a run."""
    monkeypatch.setattr(library, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(library, "_process", [])
    monkeypatch.setattr(library, "_here", ContextVar("configuration", default=None))
    for name in ("SHARED_DIR", "FORESAIL_FROM_CONFIG_FILE", "TOPSAIL_FROM_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("FORESAIL_FROM_COMMAND_ARGS_FILE", "TOPSAIL_FROM_COMMAND_ARGS_FILE", "PROBE_SECRET_PATH"):
        monkeypatch.delenv(name, raising=False)
    before = environment()
    with standing_in(run_root):
        yield library
    assert environment() == before


def test_before_init_there_is_no_configuration(config: ModuleType) -> None:
    assert not hasattr(config, "project")
    assert not hasattr(config, "no_such_name")
    with pytest.raises(NotInitialised, match="there is no configuration yet"):
        config.command_args("g", "c")
    with pytest.raises(NotInitialised):
        _ = config.project


def test_init_lays_the_project_over_the_root_and_writes_what_it_found(
    config: ModuleType, testing: Path, run_root: Path
) -> None:
    config.init(testing)
    assert hasattr(config, "project")
    assert config.project.get_config("shared") == {"root": 1, "project": 2}
    assert yaml.safe_load((run_root / "config.yaml").read_text()) == config.project.config
    assert "@t.value" in (run_root / "config.yaml").read_text()
    assert sorted(file.name for file in run_root.iterdir()) == ["config.provenance.yaml", "config.yaml"]


def test_a_second_init_does_nothing(config: ModuleType, testing: Path, tmp_path: Path) -> None:
    config.init(str(testing))
    before = config.project
    config.init(tmp_path / "nowhere")
    assert config.project is before


def test_a_thread_without_a_context_sees_the_configuration_of_the_process(config: ModuleType, testing: Path) -> None:
    config.init(testing)
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(config.project.get_config("t.value")))
    thread.start()
    thread.join()
    assert seen == ["first"]


def test_another_configuration_may_be_used_in_a_block(config: ModuleType, testing: Path) -> None:
    config.init(testing)
    own = config.project
    other = config.read(project_name="one")
    with config.use(other):
        assert config.project is other
    assert config.project is own


def test_a_wrong_configuration_leaves_nothing_behind(config: ModuleType, testing: Path, run_root: Path) -> None:
    (testing / "config.yaml").write_text("ci_presets: {p: {shared.roots: 1}}\n")
    with pytest.raises(ConfigError, match=r"config\.yaml:1: preset 'p': shared\.roots is not a key .*'shared\.root'"):
        config.init(testing)
    assert not hasattr(config, "project")
    assert list(run_root.iterdir()) == []
    (testing / "config.yaml").unlink()
    with pytest.raises(ConfigError, match="expected a YAML file, found none") as raised:
        config.init(testing)
    assert raised.value.place == str(testing / "config.yaml")


def test_an_artifact_directory_that_is_a_projects_is_refused(config: ModuleType, testing: Path) -> None:
    with (
        standing_in(testing),
        pytest.raises(ConfigError, match="holds a config.yaml that no run has written"),  # noqa: RUF043
    ):
        config.init(testing)
    assert (testing / "config.yaml").read_text() == CONFIG


def test_the_pull_requests_presets_and_overrides(config: ModuleType, testing: Path, run_root: Path) -> None:
    (run_root / "variable_overrides.yaml").write_text(
        "PR_POSITIONAL_ARG_0: t\nPR_POSITIONAL_ARG_1: asked\nt.list: [7]\n"
    )
    config.init(testing, apply_preset_from_pr_args=True)
    assert config.project.get_config("t.value") == "asked for"
    assert config.project.get_config("t.list") == [7]
    assert (run_root / "presets_applied").read_text() == "preset[asked] t.value --> asked for\n"


def test_presets_of_the_pull_request_are_applied_only_when_asked_for(
    config: ModuleType, testing: Path, run_root: Path
) -> None:
    (run_root / "variable_overrides.yaml").write_text("PR_POSITIONAL_ARG_1: asked\nt.list: [7]\n")
    config.init(testing)
    assert config.project.get_config("t.value") == "first"
    config.project.apply_preset_from_pr_args()
    assert config.project.get_config("t.value") == "asked for"


def test_overrides_may_be_kept_instead_of_applied(config: ModuleType, testing: Path, run_root: Path) -> None:
    (run_root / "variable_overrides.yaml").write_text("t.value: other\nnot.a.key: 1\n")
    config.init(testing, apply_config_overrides=False)
    assert config.project.get_config("t.value") == "first"
    assert config.project.get_config("overrides") == {"t.value": "other", "not.a.key": 1}


def test_a_new_key_of_an_override_is_told(
    config: ModuleType, testing: Path, run_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (run_root / "variable_overrides.yaml").write_text("PR_POSITIONAL_ARGS: a\nshard: 1\n")
    config.init(testing)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["an override brings a new key: shard (did you mean 'shared'?)"]


def test_changes_are_in_the_file_that_children_start_from(
    config: ModuleType, testing: Path, run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.init(testing)
    config.project.set_config("t.value", "4.10")
    environment = config.child_environment()
    assert environment == {
        "FORESAIL_FROM_CONFIG_FILE": str(run_root / "config.yaml"),
        "FORESAIL_FROM_COMMAND_ARGS_FILE": str(testing / "command_args.yaml.j2"),
        "TOPSAIL_FROM_CONFIG_FILE": str(run_root / "config.yaml"),
        "TOPSAIL_FROM_COMMAND_ARGS_FILE": str(testing / "command_args.yaml.j2"),
    }
    with monkeypatch.context() as child:
        child.setattr(library, "_process", [])
        child.setattr(library, "_here", ContextVar("child", default=None))
        for name, value in environment.items():
            child.setenv(name, value)
        assert config.read().command_args("g", "c", prefix="pre", suffix="post")["value"] == "4.10"
        before = (run_root / "config.provenance.yaml").read_text()
        config.init(testing.parent)
        assert config.project.get_config("t.value") == "4.10"
        assert (run_root / "config.provenance.yaml").read_text() == before


def test_a_resolved_file_may_be_given_and_is_taken_as_it_is(
    config: ModuleType, testing: Path, run_root: Path, tmp_path: Path
) -> None:
    config.init(testing)
    config.project.set_config("t.value", "later")
    assert config.read(config_file=run_root / "config.yaml").get_config("t.value") == "later"
    assert config.read(config_file=testing / "config.yaml").get_config("t.value") == "first"
    (tmp_path / "other.j2").write_text("g c:\n  x: {{ shared.root }}\n")
    read = config.read(config_file=testing / "config.yaml", command_args_file=tmp_path / "other.j2")
    assert read.command_args("g", "c") == {"x": 1}
    assert config.read() is config.project


def test_reading_without_saying_what(config: ModuleType) -> None:
    with pytest.raises(UsageError, match="expected a configuration, found none") as raised:
        config.read()
    assert "--project NAME" in str(raised.value.hint)
    with pytest.raises(UsageError, match="there is no project 'onee'") as raised:
        config.read(project_name="onee")
    assert raised.value.hint == "did you mean 'one'?"


def test_a_later_step_of_a_ci_starts_from_what_the_earlier_one_left(
    config: ModuleType, testing: Path, run_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("SHARED_DIR", str(shared))
    (testing / "config.yaml").write_text(
        CONFIG.replace("named: {t.value: from preset}", "named: {t.nothing: {x: 1}}, other: {t.nothing: 5}")
    )
    config.init(testing)
    config.project.set_config("t.value", "from the first step")
    config.project.apply_preset("named")
    assert (shared / "config.yaml").read_text() == (run_root / "config.yaml").read_text()
    second = tmp_path / "second"
    second.mkdir()
    (second / "variable_overrides.yaml").write_text("t.list: []\n")
    with monkeypatch.context() as step, standing_in(second):
        step.setattr(library, "_process", [])
        step.setattr(library, "_here", ContextVar("step", default=None))
        config.init(testing)
        assert config.project.get_config("t.value") == "from the first step"
        assert config.project.get_config("t.nothing") == {"x": 1}
        assert config.project.get_config("t.list") == []
        assert config.project.get_config("ci_presets.names") == ["named"]
    monkeypatch.delenv("SHARED_DIR")


def test_temporary_values_give_back_what_was_written(config: ModuleType, testing: Path) -> None:
    config.init(testing)
    project = config.project
    before = project.configuration
    with config.TempValue(project, "t.ref", "temporary"):
        assert project.get_config("t.ref") == "temporary"
    assert project.configuration is before
    with config.TempValue(project, "t.ref", "temporary"):
        project.set_config("t.value", "moved")
    assert project.get_config("t.ref") == "moved"
    assert str(project.origin("t.ref")).startswith("project config (")
    with pytest.raises(ZeroDivisionError), config.TempValue(project, "t.list[?@==1]", 0):
        _ = 1 / project.get_config("t.list[0]")
    assert project.get_config("t.list") == [1]
    with pytest.raises(UnknownKey), config.TempValue(project, "t.no_such", 2):
        pass
    with config.TempValue(project, "t.list[0]", 2):
        project.set_config("t.list", [])
    assert project.get_config("t.list") == []


def test_a_temporary_value_in_a_branch_is_refused(config: ModuleType, testing: Path, run_root: Path) -> None:
    config.init(testing)
    with (
        standing_in(run_root, branch=True),
        pytest.raises(ConfigInBranch),
        config.TempValue(config.project, "t.value", 1),
    ):
        pytest.fail("the block was entered")
    assert config.project.get_config("t.value") == "first"


def test_arguments_of_commands(config: ModuleType, testing: Path, caplog: pytest.LogCaptureFixture) -> None:
    config.init(testing)
    assert config.command_args("g", "c", prefix="pre", suffix="post", extra={"number": 9, "_mine": 1}) == {
        "value": "first",
        "list": [1],
        "number": 9,
    }
    assert config.command_args("g", "c", prefix="pre", suffix="post", private=True)["_scratch"] == [1]
    assert config.command_args("g", "root") == {"value": 1}
    with caplog.at_level(logging.INFO):
        assert config.get_command_arg("g", "c", "number", prefix="pre", suffix="post") == 4
        assert config.get_command_arg("g", "c", "_scratch", "pre", "post", mute=True) == [1]
    assert [record.getMessage() for record in caplog.records] == ["get_command_arg: pre/g c/post: number --> 4"]
    with pytest.raises(TemplateError, match="the section 'pre/g c/post' has no argument 'nmber'") as raised:
        config.get_command_arg("g", "c", "nmber", prefix="pre", suffix="post")
    assert raised.value.hint == "did you mean 'number'?"


def test_a_template_reads_secrets_through_the_one_call(
    config: ModuleType, testing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.init(testing)
    (tmp_path / "probe.token").write_text(" hush-77aa41 \n")
    with monkeypatch.context() as inside:
        inside.setenv("PROBE_SECRET_PATH", str(tmp_path))
        assert config.command_args("g", "secret") == {"token": "hush-77aa41"}
        assert config.project.get_config("t.token", handled_secretly=True) == "hush-77aa41"


def test_jsonpath_on_any_mapping(config: ModuleType) -> None:
    document = {"a": {"list": [1, {"x": 2}]}, 8: "eight"}
    assert config.get_jsonpath(document, "a.list[1].x") == 2
    assert config.get_jsonpath(document, "8") == "eight"
    assert config.get_jsonpath(document, "a.list[?x==2].x") == 2
    config.set_jsonpath(document, "a.list[0]", [5])
    config.set_jsonpath(document, "8", "acht")
    assert document == {"a": {"list": [[5], {"x": 2}]}, 8: "acht"}
    for key in ("a.lst", "a.list[5]", "a.nothing[*]"):
        with pytest.raises(UnknownKey, match="is not a key of the mapping"):
            config.get_jsonpath(document, key)
    with pytest.raises(UnknownKey, match="names 2 values"):
        config.set_jsonpath(document, "a.list[*]", 1)


def test_settings_of_the_command_line(config: ModuleType, testing: Path, run_root: Path) -> None:
    (run_root / "variable_overrides.yaml").write_text("shared.root: 5\n")
    config.init(testing, settings=["t.value=4.20", "t.list=[a, 2]", "shared.root=3", "shared.project=7"])
    assert config.project.get_config("t.value") == "4.20"
    assert config.project.get_config("t.list") == ["a", 2]
    assert config.project.get_config("shared") == {"root": 5, "project": 7}
    assert yaml.safe_load((run_root / "config.yaml").read_text())["t"]["value"] == "4.20"
    assert '"t.value": {layer: "--set"}' in (run_root / "config.provenance.yaml").read_text()


def test_wrong_settings_are_told_with_everything_else_and_nothing_is_written(
    config: ModuleType, testing: Path, run_root: Path
) -> None:
    (testing / "config.yaml").write_text(CONFIG.replace("named: {t.value", "named: {t.vlaue"))
    with pytest.raises(ConfigError, match="there are 3 errors") as raised:
        config.init(testing, settings=["t.list=1", "t.valeu=2"])
    assert "did you mean 't.value'?" in str(raised.value)
    assert list(run_root.iterdir()) == []


def test_a_run_that_begins_with_its_own_resolved_file_keeps_what_is_known_of_it(
    config: ModuleType, testing: Path, run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.init(testing, settings=["t.nothing=1"])
    config.project.apply_preset("named")
    monkeypatch.setattr(library, "_process", [])
    monkeypatch.setattr(library, "_here", ContextVar("configuration", default=None))
    with monkeypatch.context() as child:
        child.setenv("FORESAIL_FROM_CONFIG_FILE", str(run_root / "config.yaml"))
        config.init(testing)
    config.project.set_config("t.list", [2])
    written = (run_root / "config.provenance.yaml").read_text()
    assert '"t.nothing": {layer: "--set"}' in written
    assert 'presets: ["named"]' in written
    assert (run_root / "presets_applied").read_text() == "preset[named] t.value --> from preset\n"


def test_settings_over_a_resolved_file_are_written(
    config: ModuleType, testing: Path, tmp_path: Path, run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.init(testing)
    monkeypatch.setattr(library, "_process", [])
    monkeypatch.setattr(library, "_here", ContextVar("configuration", default=None))
    with monkeypatch.context() as child:
        child.setenv("FORESAIL_FROM_CONFIG_FILE", str(run_root / "config.yaml"))
        config.init(testing, settings=["t.value=set"])
    assert yaml.safe_load((run_root / "config.yaml").read_text())["t"]["value"] == "set"
    assert config.read(settings=["t.value=other"]).get_config("t.value") == "other"
    assert config.read(config_file=testing / "config.yaml", settings=["t.value=x"]).get_config("t.value") == "x"
