"""The scenarios that the guide shows are read, and the complete one is gone through; the reference is what reads them."""

import subprocess
from pathlib import Path

import pytest

from projects.core.values.checkout import ROOT
from projects.sim_cluster.scenarios.names import SHIPPED
from projects.sim_cluster.scenarios.reading import load_scenario
from projects.sim_cluster.scenarios.reference import PAGE
from projects.sim_cluster.scenarios.reference import page as reference
from tests.docs.pages import Block, page

GUIDE = page("docs/how-to/write-a-scenario.md")
SCENARIOS = [block for block in GUIDE.blocks if block.language == "yaml" and block.file]


def written(block: Block, directory: Path) -> Path:
    path = directory / Path(block.file).name
    path.write_text(block.text, encoding="utf-8")
    return path


@pytest.mark.parametrize("block", SCENARIOS, ids=lambda block: block.file)
def test_the_scenarios_of_the_guide_are_right(block: Block, tmp_path: Path) -> None:
    assert load_scenario(written(block, tmp_path)).expect.says


def test_the_complete_one_ends_as_it_states(tmp_path: Path) -> None:
    line = [
        str(ROOT / "testing/rehearse"),
        "skeleton",
        "--scenario",
        str(written(SCENARIOS[0], tmp_path)),
        "--seed",
        "7",
    ]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "as stated" in done.stdout


def test_the_guide_names_what_ships() -> None:
    for name in SHIPPED:
        assert f"`{name}`" in GUIDE.text


def test_the_reference_is_what_reads_scenarios() -> None:
    how = "write it anew: .venv/bin/python -m projects.sim_cluster.scenarios.reference"
    assert PAGE.read_text(encoding="utf-8") == reference(), how
