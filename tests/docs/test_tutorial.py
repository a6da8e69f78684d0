"""The files of the tutorial are the ones that its reader writes; here they are written and used as the project would be."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from projects.core.cli.declared import declared_entrypoints
from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import Loaded, Sources, load
from projects.core.configuration.project import Project
from projects.core.configuration.templates import read_templates
from projects.core.library import commands
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError
from tests.docs.pages import page

GUIDE = page("docs/tutorial/write-a-project.md")
TESTING = "projects/scaleout/testing"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with the root files of this checkout and the project of the tutorial."""
    for name in ("config.yaml", "command_args.yaml.j2"):
        shutil.copy(ROOT / name, tmp_path / name)
    GUIDE.write_files(tmp_path)
    return tmp_path


def loaded(checkout: Path) -> Loaded:
    return load(Sources(project=checkout / TESTING / "config.yaml", root=checkout))


def value(configuration: Configuration, name: str) -> object:
    return configuration.data["scaleout"][name]


def no_secret(key: str, file: str, variable: object) -> str:
    raise AssertionError((key, file, variable))


def module_of(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("tutorial_of_foresail", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tutorial_holds_the_three_files_of_an_orchestration() -> None:
    assert sorted(block.file for block in GUIDE.blocks if block.file) == [
        f"{TESTING}/{name}" for name in ("command_args.yaml.j2", "config.yaml", "test.py")
    ]


def test_its_configuration_is_accepted_and_its_preset_applied(checkout: Path) -> None:
    assert value(loaded(checkout).configuration, "replicas") == 10
    (checkout / "variable_overrides.yaml").write_text("ci_presets.to_apply: [light]\n", encoding="utf-8")
    configuration = loaded(checkout).configuration
    assert (value(configuration, "replicas"), value(configuration, "rounds")) == (3, 2)


def test_the_mistake_that_it_shows_is_found_with_the_message_that_it_shows(checkout: Path) -> None:
    path = checkout / TESTING / "config.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("scaleout.replicas:", "scaleout.replica:"), encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        loaded(checkout)
    message = "preset 'light': scaleout.replica is not a key of the configuration; did you mean 'scaleout.replicas'?"
    assert f"config.yaml:4: {message}" in caught.value.message
    assert f"config.yaml:4: {message}" in GUIDE.text


def test_its_template_renders_to_what_the_command_takes(checkout: Path) -> None:
    project = Project(loaded(checkout), read_secret=no_secret, template=checkout / TESTING)
    arguments = project.command_args("server", "deploy_redis_server")
    assert arguments == {"namespace": "scaleout"}
    commands.bind("server", "deploy_redis_server", arguments)
    own = read_templates(checkout / TESTING, root=checkout)
    assert own.sections["server deploy_redis_server"].place.file.parent == checkout / TESTING


def test_its_orchestration_imports_and_declares_its_entrypoints(checkout: Path) -> None:
    script = checkout / TESTING / "test.py"
    assert declared_entrypoints(script) == ["prepare_ci", "test_ci"]
    module = module_of(script)
    assert module.prepare_ci.__doc__ in GUIDE.text
    assert script.read_text(encoding="utf-8").startswith(
        (ROOT / "projects/skeleton/testing/test.py").read_text(encoding="utf-8").splitlines()[0]
    )


def test_it_reads_only_keys_that_its_configuration_has(checkout: Path) -> None:
    settings = loaded(checkout).configuration.data["scaleout"]
    text = GUIDE.file(f"{TESTING}/test.py")
    for name in ("namespace", "replicas", "rounds", "timeout"):
        assert f'settings["{name}"]' in text
        assert name in settings
