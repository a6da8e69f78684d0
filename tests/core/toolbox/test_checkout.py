"""Every command of this checkout: its role, its variables, its generated files, its arguments."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from projects.core.execution.request import ansible_settings
from projects.core.library.commands import command_line
from projects.core.toolbox.binding import bind_line, bind_values
from projects.core.toolbox.discovery import all_groups, group_modules
from projects.core.toolbox.generation import generated_files
from projects.core.toolbox.specification import Specification, specify
from projects.core.values.checkout import ROOT

COMMANDS = [
    (group.name, command)
    for group in all_groups()
    if group.module.is_relative_to(ROOT / "toolbox")
    for command in group.commands
]
each_command = pytest.mark.parametrize(("group", "command"), COMMANDS, ids=[" ".join(each) for each in COMMANDS])

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "cluster capture_environment": [{}],
    "cluster set_scale": [
        {"instance_type": "m6i.2xlarge", "scale": 2},
        {"instance_type": "m6i", "scale": 0, "taint": "a=b:NoSchedule", "spot": True, "disk_size": 100, "ibm": False},
    ],
    "cluster deploy_operator": [
        {"catalog": "certified-operators", "manifest_name": "gpu-operator-certified", "namespace": "all"},
        {
            "catalog": "certified-operators",
            "manifest_name": "gpu-operator-certified",
            "namespace": "nvidia",
            "version": "4.10",
            "channel": "v4",
            "deploy_cr": 0,
            "config_env_names": ["A", "B"],
        },
    ],
    "cluster set_project_annotation": [{"key": "a/b", "value": "{{ c }}", "project": "p"}, {"key": "a/b", "all": True}],
    "cluster preload_image": [
        {"name": "an-image", "image": "quay.io/x/y:1", "namespace": "default"},
        {"name": "an-image", "image": "quay.io/x/y:1", "namespace": "default", "node_selector_key": "a/b"},
    ],
    "cluster delete_object": [
        {"kind": "Namespace", "name": "x"},
        {"kind": "DaemonSet", "name": "x", "namespace": "default", "api_version": "apps/v1"},
    ],
    "server deploy_redis_server": [{"namespace": "redis"}],
}
"""Arguments of each command as an orchestration would give them: a new command has to be given its own."""


def complete(specification: Specification, sample: dict[str, Any]) -> dict[str, Any]:
    arguments = specification.complete(bind_values(specification.parameters, sample))
    specification.validate(arguments)
    return arguments


def role_files(specification: Specification) -> dict[Path, str]:
    """The files of a role by path, without the generated defaults."""
    paths = [path for path in specification.role.rglob("*") if path.is_file() and "defaults" not in path.parts]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def test_each_shared_command_has_a_sample() -> None:
    assert {" ".join(each) for each in COMMANDS} == set(SAMPLES)


@pytest.mark.parametrize("path", [path for path, _ in generated_files()], ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_files_are_current(path: Path) -> None:
    wanted = dict(generated_files())[path]
    assert path.is_file(), f"{path} is missing; run `make docs`"
    assert path.read_text(encoding="utf-8") == wanted, f"{path} is stale; run `make docs`"


@pytest.mark.parametrize("group", group_modules())
def test_each_role_belongs_to_a_command(group: str) -> None:
    module = group_modules()[group]
    roles = {path.name for path in (module.parent / "roles").iterdir() if path.is_dir()}
    assert roles == {f"{group}_{command}" for name, command in COMMANDS if name == group}


@each_command
def test_each_argument_is_documented(group: str, command: str) -> None:
    specification = specify(group, command)
    assert specification.documentation.summary
    assert set(specification.documentation.arguments) == set(specification.parameters)


@each_command
def test_the_role_uses_each_variable_that_the_command_declares(group: str, command: str) -> None:
    specification = specify(group, command)
    text = "\n".join(role_files(specification).values())
    unused = [name for name in specification.parameters if not re.search(rf"\b{specification.variable(name)}\b", text)]
    assert not unused


@each_command
def test_the_role_uses_no_variable_that_nobody_declares(group: str, command: str) -> None:
    specification = specify(group, command)
    text = "\n".join(role_files(specification).values())
    prefix = specification.role.name
    made = set(re.findall(rf"\b(?:register|loop_var|index_var): *({prefix}_\w+)", text))
    made |= set(re.findall(rf"^\s*(?:- )?({prefix}_\w+):", text, re.MULTILINE))
    declared = {specification.variable(name) for name in specification.parameters}
    assert set(re.findall(rf"\b{prefix}_\w+", text)) <= made | declared | {prefix}


@each_command
def test_the_files_of_the_role_are_well_formed(group: str, command: str) -> None:
    for path, text in role_files(specify(group, command)).items():
        if path.suffix in (".yml", ".yaml") and "templates" not in path.parts:
            assert yaml.safe_load(text), path
        if "templates" in path.parts:
            jinja2.Environment(autoescape=False).parse(text)


@each_command
def test_sample_arguments_become_data_for_the_role(group: str, command: str) -> None:
    specification = specify(group, command)
    for sample in SAMPLES[specification.name]:
        variables = specification.variables(complete(specification, sample))
        assert set(variables) == {specification.variable(name) for name in specification.parameters}
        assert json.loads(json.dumps(variables)) == variables


@each_command
def test_the_line_of_a_command_binds_to_the_same_arguments_again(group: str, command: str) -> None:
    specification = specify(group, command)
    for sample in SAMPLES[specification.name]:
        arguments = complete(specification, sample)
        script, *words = shlex.split(command_line(specification, arguments))
        assert (Path(script), words[:2]) == (ROOT / "run_toolbox.py", [group, command])
        again = specification.complete(bind_line(specification.parameters, words[2:]))
        assert again == arguments
        assert {name: type(value) for name, value in again.items()} == {k: type(v) for k, v in arguments.items()}


def test_ansible_accepts_every_role(tmp_path: Path) -> None:
    roles = [str(specify(*each).role) for each in COMMANDS]
    play = [{"hosts": "localhost", "gather_facts": False, "connection": "local", "roles": roles}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    argv = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        "--syntax-check",
        "-i",
        "localhost,",
        str(tmp_path / "play.yml"),
    ]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", **ansible_settings(tmp_path)}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
