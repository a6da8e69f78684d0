"""The root's own `config.yaml` and `command_args.yaml.j2`, under a project that states nothing."""

from pathlib import Path
from typing import Any

import pytest

from projects.core.configuration.loading import Sources, load
from projects.core.configuration.project import Project
from projects.core.configuration.sections import read_sections, template_file
from projects.core.toolbox.binding import bind_values
from projects.core.toolbox.specification import specify
from projects.core.values.checkout import ROOT

SECTIONS = read_sections(template_file(ROOT) or ROOT)
SET_BY_CALLERS: dict[str, dict[str, Any]] = {
    "cluster set_scale": {"scale": 2},
    "cluster preload_image": {"image": "registry.k8s.io/pause:3.10"},
}


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    (tmp_path / "config.yaml").write_text("# a new project states nothing\n")
    sources = Sources(tmp_path / "config.yaml", root=ROOT)
    return Project(load(sources), read_secret=lambda _key, _file, _variable: "", template=tmp_path)


def test_every_reference_of_the_root_leads_somewhere(bare: Project) -> None:
    whole = bare.get_config("$", handled_secretly=True)
    assert {"ci_presets", "secrets", "clusters", "tests", "matbench", "export_artifacts", "exec_list"} <= set(whole)
    assert bare.skip_reason("test_ci") is None


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_of_the_root_holds_arguments_that_its_command_takes(bare: Project, name: str) -> None:
    prefix, group_and_command, suffix = _parts(name)
    group, command = group_and_command.split()
    specification = specify(group, command)
    extra = SET_BY_CALLERS.get(group_and_command, {})
    arguments = bare.command_args(group, command, prefix=prefix, suffix=suffix, extra=extra)
    bound = bind_values(specification.parameters, arguments)
    specification.validate(specification.complete(bound))


def _parts(name: str) -> tuple[str | None, str, str | None]:
    parts = name.split("/")
    middle = next(index for index, part in enumerate(parts) if " " in part)
    return "/".join(parts[:middle]) or None, parts[middle], "/".join(parts[middle + 1 :]) or None
