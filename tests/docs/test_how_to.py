"""The code of the how-to pages, given to the code that it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import checked
from projects.core.configuration.loading import Sources, load
from projects.core.toolbox.specification import specify
from projects.core.values.checkout import ROOT
from tests.docs.pages import all_pages, page

COLLECTION = "foresail.core."
HEAD = (
    "from projects.core.toolbox import command\nfrom projects.core.values.errors import UsageError\n\nclass Server:\n"
)


def tasks_in(document: object) -> list[dict[str, object]]:
    if not isinstance(document, list):
        return []
    found = []
    for task in document:
        if isinstance(task, dict):
            found.append(task)
            for section in ("block", "rescue", "always"):
                found += tasks_in(task.get(section))
    return found


def actions() -> list[tuple[str, str, object]]:
    found = []
    for each in all_pages():
        for block in each.blocks:
            if block.language == "yaml" and COLLECTION in block.text:
                for task in tasks_in(yaml.safe_load(block.text)):
                    found += [(each.name, key, value) for key, value in task.items() if key.startswith(COLLECTION)]
    return found


def test_there_are_examples_of_actions() -> None:
    assert {action.removeprefix(COLLECTION) for _, action, _ in actions()} >= {
        "apply",
        "capture",
        "delete",
        "get",
        "render",
        "shell",
        "wait",
    }


@pytest.mark.parametrize(("where", "action", "arguments"), actions())
def test_actions_take_the_arguments_of_the_examples(where: str, action: str, arguments: dict[str, object]) -> None:
    # A template would be filled in before; a number stands for those of numbers.
    filled = {key: 1.0 if key == "timeout" and isinstance(value, str) else value for key, value in arguments.items()}
    assert checked(action.removeprefix(COLLECTION), filled), where


def test_the_command_of_the_guide_is_a_command(tmp_path: Path) -> None:
    guide = page("docs/how-to/add-a-toolbox-command.md")
    (declaration,) = [block.text for block in guide.blocks if block.language == "python"]
    (tasks,) = [block.text for block in guide.blocks if block.language == "yaml"]
    group = tmp_path / "toolbox" / "server"
    role = group / "roles" / "server_delete_redis_server" / "tasks"
    role.mkdir(parents=True)
    (group / "server.py").write_text(HEAD + declaration, encoding="utf-8")
    (role / "main.yml").write_text(tasks, encoding="utf-8")
    found = specify("server", "delete_redis_server", root=tmp_path)
    assert list(found.parameters) == ["namespace", "timeout"]
    for name in found.parameters:
        assert found.variable(name) in tasks
    assert set(found.documentation.arguments) == set(found.parameters)
    with pytest.raises(ValueError, match="expected a number of seconds, found 0"):
        found.validate({"namespace": "redis", "timeout": 0})


def test_python_examples_parse() -> None:
    for each in all_pages():
        for block in each.blocks:
            if block.language == "python":
                text = block.text
                ast.parse(f"class Around:\n{text}" if text.startswith("    ") else text)


def test_yaml_examples_parse() -> None:
    for each in all_pages():
        for block in each.blocks:
            if block.language == "yaml" and "{{" not in block.text and "{%" not in block.text:
                assert None not in list(yaml.safe_load_all(block.text)), each.name


def test_the_secret_of_the_guide_is_accepted(tmp_path: Path) -> None:
    block = next(block for block in page("docs/how-to/use-secrets.md").blocks if block.language == "yaml")
    (tmp_path / "testing").mkdir()
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    project = tmp_path / "testing" / "config.yaml"
    project.write_text(block.text, encoding="utf-8")
    assert load(Sources(project=project, root=tmp_path)).configuration.data["registry"]["token"].startswith("*$@")


def test_the_overrides_of_the_guide_name_keys_of_the_skeleton(tmp_path: Path) -> None:
    for name in ("docs/how-to/run-in-ci.md", "docs/reference/configuration.md", "docs/how-to/run-on-a-real-cluster.md"):
        block = next(block for block in page(name).blocks if block.language == "yaml" and "tests.pods." in block.text)
        (tmp_path / "variable_overrides.yaml").write_text(block.text, encoding="utf-8")
        sources = Sources(
            project=ROOT / "projects/skeleton/testing/config.yaml", artifacts=tmp_path, presets_of_pull_request=True
        )
        assert load(sources), name
