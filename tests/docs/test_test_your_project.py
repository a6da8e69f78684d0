"""The tests that the guide shows are run, as its reader would run them."""

from pathlib import Path

from projects.sim_cluster.scenarios.names import SHIPPED, ScenarioError
from tests.docs.guided import output_of_tests
from tests.docs.pages import page

GUIDE = page("docs/how-to/test-your-project.md")
PLUGIN = "projects.sim_cluster.pytest_plugin"


def test_the_tests_of_the_guide_pass(tmp_path: Path) -> None:
    GUIDE.write_files(tmp_path)
    assert "2 passed" in output_of_tests(tmp_path, "projects")


def test_the_guide_names_the_plugin_the_error_and_every_scenario() -> None:
    for name in (f"-p {PLUGIN}", f"-p no:{PLUGIN}", f"{ScenarioError.__name__}: ", *SHIPPED):
        assert name in GUIDE.text
