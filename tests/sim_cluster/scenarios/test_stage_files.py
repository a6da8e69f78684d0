"""Stage documents that the command line names."""

from pathlib import Path

import pytest

from projects.sim_cluster.cli import main


def test_the_command_line_refuses_what_cannot_be_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("kind: Pod\napiVersion: v1\n", encoding="utf-8")
    assert main(["run", "--stages", str(file), "--", "true"]) == 2
    assert capsys.readouterr().err == f"sim_cluster: {file}: v1 Pod is no kwok.x-k8s.io/v1alpha1 Stage\n"
    assert main(["run", "--stages", "none.yaml", "--", "true"]) == 2
    assert "none.yaml: No such file" in capsys.readouterr().err
