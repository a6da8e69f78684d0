"""The behaviours that the guide shows are played, by the tests that it shows."""

import os
from pathlib import Path
from typing import get_args

from projects.core.values.checkout import ROOT
from projects.sim_cluster.behaviours.programs import FaultKind, Program
from projects.sim_cluster.behaviours.stages.documents import load_stages
from tests.docs.guided import output_of_tests
from tests.docs.pages import page

GUIDE = page("docs/how-to/write-a-behaviour.md")


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    GUIDE.write_files(tmp_path)
    assert "2 passed" in output_of_tests(tmp_path, PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")


def test_the_stage_of_the_guide_is_understood(tmp_path: Path) -> None:
    GUIDE.write_files(tmp_path)
    assert [stage.name for stage in load_stages([tmp_path / "stages.yaml"])] == ["certificate-is-issued"]


def test_a_behaviour_takes_fifty_lines() -> None:
    lines = GUIDE.file("load_balancers.py").splitlines()
    assert len(lines) <= 50


def test_the_guide_names_every_field_and_fault() -> None:
    for name in Program.__dataclass_fields__:
        assert name in GUIDE.text, name
    for kind in get_args(FaultKind):
        assert f"`{kind}`" in GUIDE.text
