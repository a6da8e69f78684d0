from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.core.configuration.document import Document, read_document
from projects.core.configuration.layering import lay
from projects.core.configuration.layers import Assignment, Configuration, Layer, Origin, base_of
from projects.core.configuration.resolved_files import MARK, ResolvedFiles, is_resolved, yaml_text
from projects.core.values import redaction
from projects.core.values.errors import ConfigError
from tests.core.configuration.checkouts import Checkout

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]))
DATA = st.dictionaries(
    TEXTS | st.integers() | st.booleans() | st.none(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.integers(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


@pytest.fixture
def redactor(monkeypatch: pytest.MonkeyPatch) -> redaction.Redactor:
    fresh = redaction.Redactor()
    monkeypatch.setattr("projects.core.configuration.resolved_files.REDACTOR", fresh)
    return fresh


def configured(data: Any) -> Configuration:
    base = base_of((Layer.PROJECT, Document(Path("config.yaml"), data)))
    return Configuration(base, data, data)


@settings(max_examples=50)
@given(DATA)
def test_the_resolved_file_says_what_the_configuration_is(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    directory = tmp_path_factory.mktemp("run")
    ResolvedFiles(directory).write(configured(data))
    assert yaml.safe_load((directory / "config.yaml").read_text()) == (data or None)
    assert read_document(directory / "config.yaml").data == data
    provenance = yaml.safe_load((directory / "config.provenance.yaml").read_text())
    assert provenance is None or isinstance(provenance, dict)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.x", "a.y", "a.z.u", "b[0]", "b", "c", "d"]),
            st.integers() | TEXTS | st.lists(st.integers()),
        )
    )
)
def test_after_any_changes_it_is_what_a_new_one_would_be(
    tmp_path_factory: pytest.TempPathFactory, changes: Any
) -> None:
    data = {"a": {"x": 1, "y": [2], "z": {"u": 3}}, "b": [1], "c": None, "d": {}}
    directory, other = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("other")
    files = ResolvedFiles(directory)
    configuration = configured(data)
    for key, value in changes:
        configuration, _ = lay(configuration, [Assignment(key, value, Origin(Layer.CODE))])
        files.write(configuration)
    files.write(configuration)
    ResolvedFiles(other).write(configuration)
    for name in ("config.yaml", "config.provenance.yaml"):
        assert (directory / name).read_text() == (other / name).read_text()
    assert read_document(directory / "config.yaml").data == configuration.data


def test_the_files_of_a_run(checkout: Checkout, tmp_path: Path) -> None:
    project = checkout.load(
        """\
        ci_presets:
          names: []
          to_apply: [child]
          parent: {t.a: "4.10", t.list: [1, 2]}
          child: {extends: [parent], t.b: {x: 1}}
        t: {a: 1, b: null, list: 0, ref: "@t.a", token: "*$@t.file", file: f, "dot.ted": 1}
        own: text
        """,
        root="t: {root: 1}\n",
        pr="t.list[1]: 5\nnew: 1\n",
    )
    directory = tmp_path / "run"
    directory.mkdir()
    ResolvedFiles(directory).write(project.configuration)
    text = (directory / "config.yaml").read_text()
    assert text.startswith(MARK)
    assert yaml.safe_load(text)["t"] == {
        "root": 1,
        "a": "4.10",
        "b": {"x": 1},
        "list": [1, 5],
        "ref": "@t.a",
        "token": "*$@t.file",
        "file": "f",
        "dot.ted": 1,
    }
    assert list(yaml.safe_load(text)) == ["t", "ci_presets", "own", "new"]
    assert (directory / "presets_applied").read_text() == (
        'preset[parent] t.a --> 4.10\npreset[parent] t.list --> [1, 2]\npreset[child] t.b --> {"x": 1}\n'
    )
    told = yaml.safe_load((directory / "config.provenance.yaml").read_text().replace(f"{tmp_path}/", ""))
    config = "projects/one/testing/config.yaml"
    assert told == {
        "t.root": {"layer": "root config", "place": "config.yaml:1"},
        "t.a": {"layer": "preset", "place": f"{config}:4", "presets": ["child", "parent"]},
        "t.b.x": {"layer": "preset", "place": f"{config}:5", "presets": ["child"]},
        "t.list": {"layer": "preset", "place": f"{config}:4", "presets": ["child", "parent"]},
        "t.list[1]": {"layer": "overrides of the pull request", "place": "artifacts/variable_overrides.yaml:1"},
        "t.ref": {"layer": "project config", "place": f"{config}:6"},
        "t.token": {"layer": "project config", "place": f"{config}:6"},
        "t.file": {"layer": "project config", "place": f"{config}:6"},
        't["dot.ted"]': {"layer": "project config", "place": f"{config}:6"},
        "ci_presets.names": {"layer": "preset", "place": f"{config}:3"},
        "ci_presets.to_apply": {"layer": "project config", "place": f"{config}:3"},
        "own": {"layer": "project config", "place": f"{config}:7"},
        "new": {"layer": "overrides of the pull request", "place": "artifacts/variable_overrides.yaml:2"},
    }


def test_no_file_of_presets_when_none_was_applied(tmp_path: Path) -> None:
    ResolvedFiles(tmp_path).write(configured({"a": 1}))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.provenance.yaml", "config.yaml"]
    (tmp_path / "presets_applied").write_text("those of an earlier entrypoint\n")
    ResolvedFiles(tmp_path).write(configured({"a": 1}))
    assert (tmp_path / "presets_applied").read_text() == ""


def test_the_file_is_mirrored(tmp_path: Path) -> None:
    run, shared = tmp_path / "run", tmp_path / "shared"
    run.mkdir()
    shared.mkdir()
    ResolvedFiles(run, shared).write(configured({"a": 1}))
    assert (shared / "config.yaml").read_text() == (run / "config.yaml").read_text() == f"{MARK}a: 1\n"
    assert [file.name for file in shared.iterdir()] == ["config.yaml"]


def test_a_secret_that_got_into_a_value_is_masked_also_in_what_was_written_before(
    tmp_path: Path, redactor: redaction.Redactor
) -> None:
    files = ResolvedFiles(tmp_path)
    configuration = configured({"a": {"b": {"c": "hunter2-in-clear"}}, "ci_presets": {}})
    files.write(configuration)
    assert "hunter2-in-clear" in (tmp_path / "config.yaml").read_text()
    redactor.register("hunter2-in-clear")
    assignment = Assignment("a.b.c", "x hunter2-in-clear", Origin(Layer.PRESET, None, ("p",)))
    files.write(lay(configuration, [assignment])[0])
    for file in tmp_path.iterdir():
        assert "hunter2" not in file.read_text()
    assert (tmp_path / "presets_applied").read_text() == "preset[p] a.b.c --> x ********\n"


def test_only_what_a_run_wrote_is_overwritten(tmp_path: Path) -> None:
    files = ResolvedFiles(tmp_path)
    files.check()
    files.write(configured({"a": 1}))
    files.check()
    (tmp_path / "config.yaml").write_text("a: 1\n")
    with pytest.raises(ConfigError, match=r"holds a config\.yaml that no run has written"):
        files.check()


def test_which_file_is_resolved(tmp_path: Path) -> None:
    assert not is_resolved(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_bytes(b"\xff\n")
    assert not is_resolved(tmp_path / "config.yaml")


def test_a_resolved_file_is_taken_as_it_is(checkout: Checkout) -> None:
    text = f"{MARK}ci_presets: {{to_apply: [none_of_these], p: {{t.a: 2}}}}\nt: {{a: 1, tree: {{x: 1}}}}\n"
    project = checkout.project(text, root="t: {tree: {y: 1}}\n", local="t.a: 3\n", pr="unknown.key: 1\n")
    assert project.get_config("t") == {"a": 1, "tree": {"x": 1}}
    assert str(project.origin("t.a")).startswith("resolved config (")
    project.apply_preset("p")
    assert project.get_config("t.a") == 2


def test_yaml_text_is_one_line_a_scalar() -> None:
    assert yaml_text({"a": "x " * 200, "b": [1, 1]}).count("\n") == 4
    same = [1]
    assert "&" not in yaml_text({"a": same, "b": same})
