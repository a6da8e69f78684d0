"""`run_toolbox.py` through its lines: listings, help, wrong lines."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from projects.core.values.checkout import ROOT

SCRIPT = str(ROOT / "run_toolbox.py")


def line(*words: str, cwd: Path, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, *python, SCRIPT, *words],
        cwd=cwd,
        env={**inherited, "ARTIFACT_DIR": str(cwd / "artifacts"), "CI": "true", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--help"], ["cluster", "server", "from_config"]),
        (["-h"], ["cluster"]),
        (["cluster", "--help"], ["set_scale", "capture_environment", "Act on the cluster under test."]),
        (["cluster", "set_scale", "--help"], ["--instance_type", "--taint", "Scale"[1:], "required"]),
        (["from_config", "--help"], ["--project", "--show_args"]),
    ],
)
def test_help_at_each_level(tmp_path: Path, words: list[str], said: list[str]) -> None:
    done = line(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage:" in done.stdout
    assert not [text for text in said if text not in done.stdout]
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("words", [["--help"], ["cluster", "--help"], ["cluster", "set_scale", "--help"]])
def test_help_imports_neither_ansible_nor_kubernetes(tmp_path: Path, words: list[str]) -> None:
    done = line(*words, cwd=tmp_path, python=("-X", "importtime"))
    imported = {found[1].split(".")[0] for found in re.finditer(r"\|\s+\d+ \|\s+([\w.]+)$", done.stderr, re.MULTILINE)}
    assert "ast" in imported
    assert not imported & {"ansible", "ansible_runner", "kubernetes", "yaml", "jinja2", "rich", "pydantic", "fire"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage:"),
        (["cluster"], "usage:"),
        (["clustr", "capture_environment"], "did you mean 'cluster'?"),
        (["clustr"], "did you mean 'cluster'?"),
        (["--chek", "cluster"], "unknown toolbox group '--chek'"),
        (["cluster", "capture_enviroment"], "did you mean 'capture_environment'?"),
        (["server", "deploy_redis_server"], "missing argument namespace"),
        (["server", "deploy_redis_server", "--namespac=x"], "unknown argument --namespac"),
        (["cluster", "set_scale", "--instance_type=m6i", "--scale=lots"], "scale: expected int, found 'lots'"),
        (["cluster", "set_scale", "--instance_type=m6i", "--scale=-1"], "scale: expected a number of nodes"),
        (["cluster", "set_scale", "m6i", "1", "--taint=x"], "a taint is key=value:Effect"),
        (["from_config"], "missing argument"),
        (["from_config", "cluster", "set_scale", "--project=no_such_project"], "no_such_project"),
    ],
)
def test_a_wrong_line_starts_nothing(tmp_path: Path, words: list[str], said: str) -> None:
    done = line(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "artifacts").exists()


def test_an_unreachable_cluster_is_infrastructure_and_leaves_its_marks(tmp_path: Path) -> None:
    done = line("server", "deploy_redis_server", "--namespace=x", cwd=tmp_path, KUBECONFIG=str(tmp_path / "none"))
    assert done.returncode == 3, done.stderr
    root = tmp_path / "artifacts"
    assert "KUBECONFIG" in done.stderr or "kubeconfig" in done.stderr or "none" in done.stderr
    names = {path.name for path in (root / "000__server__deploy_redis_server").iterdir()}
    assert {"_ansible.log", "_ansible.play.yaml", "_ansible.env", "_python.cmd", "FAILURE"} <= names
    assert (root / "FINISHED").exists()
    assert (root / "FAILURES").exists()
