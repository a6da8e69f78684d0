"""The pytest plugin, as the tests of a project meet it: in a pytest of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from projects.sim_cluster.scenarios.names import SHIPPED

ROOT = Path(__file__).parents[2]
PLUGIN = "projects.sim_cluster.pytest_plugin"
QUIET = ("-p", "no:cacheprovider", "--strict-markers", "-W", "error")


def run_pytest(directory: Path, tests: str, *options: str, autoload: bool = False) -> subprocess.CompletedProcess[str]:
    """Run tests in a directory that knows nothing of the checkout; the plugin is named unless pytest finds it itself."""
    (directory / "test_it.py").write_text(textwrap.dedent(tests), encoding="utf-8")
    named = () if autoload else ("-p", PLUGIN)
    environment = {**os.environ, "KUBECONFIG": "/of/somebody/else", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    if not autoload:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "--rootdir",
        str(directory),
        *QUIET,
        *named,
        *options,
        str(directory),
    ]
    return subprocess.run(
        line, cwd=directory, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def passed(done: subprocess.CompletedProcess[str], count: int) -> bool:
    assert done.returncode == 0, done.stdout + done.stderr
    return f"{count} passed" in done.stdout


def test_each_test_has_a_cluster_of_its_own_and_kubeconfig_names_it(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, """
        import os
        import pytest
        from tests.sim_cluster.talk import Client, config_map

        MAPS = "/api/v1/namespaces/default/configmaps"

        @pytest.mark.scenario("healthy")
        @pytest.mark.parametrize("turn", range(2))
        def test_maps(sim_cluster, turn):
            assert os.environ["KUBECONFIG"] == str(sim_cluster.kubeconfig)
            client = Client(sim_cluster.kubeconfig)
            client.post(MAPS, config_map("mine"))
            client.close()

        def test_without():
            assert os.environ["KUBECONFIG"] == "/of/somebody/else"
    """)  # fmt: skip
    assert passed(done, 3)


def test_a_project_chooses_the_shape_of_its_cluster(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, """
        import pytest
        from projects.sim_cluster.options import ClusterOptions
        from tests.sim_cluster.talk import Client

        @pytest.fixture
        def sim_cluster_options():
            return ClusterOptions(platform="kubernetes", nodes=1)

        def test_nodes(sim_cluster):
            client = Client(sim_cluster.kubeconfig)
            assert [node["metadata"]["name"] for node in client.get("/api/v1/nodes")["items"]] == ["worker-0"]
            client.close()
    """)  # fmt: skip
    assert passed(done, 1)


def test_a_scenario_that_is_not_there_is_an_error_and_not_a_healthy_cluster(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("# nothing\nshap: {}\n", encoding="utf-8")
    done = run_pytest(tmp_path, """
        import pytest

        @pytest.mark.scenario("helthy")
        def test_misspelt(sim_cluster):
            pass

        @pytest.mark.scenario("lost-nodes")
        def test_without_the_cluster():
            pass

        @pytest.mark.scenario()
        def test_unnamed(sim_cluster):
            pass

        @pytest.mark.scenario("healthy", "lost-node")
        def test_two(sim_cluster):
            pass

        @pytest.mark.scenario("wrong.yaml")
        def test_wrong():
            pass
    """)  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "5 errors" in done.stdout
    exist = ", ".join(SHIPPED)
    for said in (
        f"expected the name of a scenario or a file, found 'helthy'; did you mean 'healthy'? (there is: {exist})",
        f"expected the name of a scenario or a file, found 'lost-nodes'; did you mean 'lost-node'? (there is: {exist})",
        f"expected one scenario, found nothing (there is: {exist})",
        f"expected one scenario, found 'healthy', 'lost-node' (there is: {exist})",
        f"{tmp_path}/wrong.yaml:2: shap: expected one of the keys",
    ):
        assert f"ScenarioError: {said}" in done.stdout


def test_a_test_goes_through_what_its_marker_names_in_the_shape_that_its_project_chose(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "shape: {nodes: 2, platform: kubernetes}\nfaults: {api: [{do: server-error, requests: {resources: [pods]}}]}\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, """
        import pytest
        from projects.sim_cluster.options import ClusterOptions
        from projects.sim_cluster.scenarios.names import SHIPPED
        from tests.sim_cluster.talk import Client

        @pytest.fixture
        def sim_cluster_options():
            return ClusterOptions(nodes=1)

        @pytest.mark.scenario("mine.yaml")
        def test_mine(sim_cluster):
            client = Client(sim_cluster.kubeconfig)
            assert [node["metadata"]["name"] for node in client.get("/api/v1/nodes")["items"]] == ["worker-0"]
            assert client.ask("GET", "/api/v1/pods").status == 500
            client.close()

        @pytest.mark.parametrize("name", [pytest.param(each, marks=pytest.mark.scenario(each)) for each in SHIPPED])
        def test_shipped(sim_cluster, name):
            client = Client(sim_cluster.kubeconfig)
            assert client.get("/sim/faults")["scenario"] == name
            client.close()
    """)  # fmt: skip
    assert passed(done, 1 + len(SHIPPED))


def test_the_nearest_marker_counts(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, """
        import pytest
        pytestmark = pytest.mark.scenario("lost-node")

        @pytest.mark.scenario(name="healthy")
        def test_it():
            pass
    """)  # fmt: skip
    assert passed(done, 1)


@pytest.mark.parametrize("options", [(), ("-p", PLUGIN)])
def test_installing_is_enough_and_naming_it_as_well_does_no_harm(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_pytest(
        tmp_path, "def test_it(sim_cluster):\n    assert sim_cluster.kubeconfig.exists()\n", *options, autoload=True
    )
    assert passed(done, 1)


def test_it_costs_nothing_until_a_test_asks_for_a_cluster(tmp_path: Path) -> None:
    heavy = ("ansible", "cryptography", "kubernetes", "starlette", "uvicorn", "yaml")
    done = run_pytest(tmp_path, f"""
        import sys

        def test_light():
            assert [name for name in {heavy!r} if name in sys.modules] == []

        def test_no_client(sim_cluster):
            assert [name for name in ("ansible", "kubernetes") if name in sys.modules] == []
    """)  # fmt: skip
    assert passed(done, 2)


def test_a_further_cluster_takes_less_than_half_a_second_of_the_processor(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, """
        import time
        import pytest

        @pytest.mark.parametrize("turn", range(3))
        def test_it(request, turn):
            before = time.process_time()  # of all threads; the clock on the wall also measures who else is there
            request.getfixturevalue("sim_cluster")
            assert turn == 0 or time.process_time() - before < 0.5
    """)  # fmt: skip
    assert passed(done, 3)
