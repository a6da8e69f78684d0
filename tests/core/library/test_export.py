"""`export`: what is copied where, with a played `aws`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from projects.core.values.checkout import ROOT

EXPORTS = """
import sys
from pathlib import Path
from projects.core.library import config, env, export
env.init()
config.init(Path(sys.argv[1]))
print(export.export_artifacts(Path(sys.argv[2])))
"""
AWS = '#!/bin/sh\necho "$@" "$AWS_SHARED_CREDENTIALS_FILE" > "$PLAYED_AWS"\nexit ${PLAYED_STATUS:-0}\n'
CONFIG = """
secrets: {dir: {name: probe, env_key: PROBE_SECRET_PATH}}
export_artifacts: {enabled: true, bucket: kept, path_prefix: perf}
"""


def exports(tmp_path: Path, config: str, **environment: str) -> subprocess.CompletedProcess[str]:
    testing = tmp_path / "projects" / "probe" / "testing"
    for directory in (testing, tmp_path / "bin", tmp_path / "secrets", tmp_path / "results"):
        directory.mkdir(parents=True, exist_ok=True)
    (testing / "config.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "bin" / "aws").write_text(AWS, encoding="utf-8")
    (tmp_path / "bin" / "aws").chmod(0o755)
    own = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ARTIFACT_DIR": str(tmp_path / "run"),
        "PLAYED_AWS": str(tmp_path / "called"),
        "PROBE_SECRET_PATH": str(tmp_path / "secrets"),
    }
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("OPENSHIFT_CI", "BUILD_ID", "JOB_SPEC", "PERFLAB_CI")
    }
    argv = [sys.executable, "-c", EXPORTS, str(testing), str(tmp_path / "results")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env={**kept, **own, **environment})


def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / ".awscred"
    path.parent.mkdir(exist_ok=True)
    path.write_text("[default]\n", encoding="utf-8")
    return path


def test_a_disabled_export_copies_nothing(tmp_path: Path) -> None:
    done = exports(tmp_path, CONFIG.replace("enabled: true", "enabled: false"))
    assert done.stdout.strip() == "None", done.stderr
    assert not (tmp_path / "called").exists()


def test_a_pull_request_is_copied_below_its_number_and_build(tmp_path: Path) -> None:
    path = credentials(tmp_path)
    spec = '{"refs": {"pulls": [{"number": 42}]}}'
    done = exports(tmp_path, CONFIG, OPENSHIFT_CI="true", BUILD_ID="77", JOB_SPEC=spec)
    url = "https://kept.s3.amazonaws.com/index.html#perf/prow/42/77/"
    assert done.stdout.strip() == url, done.stderr
    assert (tmp_path / "run" / "export.url").read_text() == f"{url}\n"
    called = (tmp_path / "called").read_text().split()
    assert called[-3:] == [str(tmp_path / "results"), "s3://kept/perf/prow/42/77", str(path)]


def test_a_periodic_job_is_copied_below_its_name(tmp_path: Path) -> None:
    credentials(tmp_path)
    done = exports(tmp_path, CONFIG, OPENSHIFT_CI="true", BUILD_ID="77", JOB_SPEC='{"job": "nightly"}')
    assert "#perf/prow/nightly/77/" in done.stdout, done.stderr


def test_outside_of_a_known_ci_it_says_what_it_expected(tmp_path: Path) -> None:
    credentials(tmp_path)
    done = exports(tmp_path, CONFIG)
    assert "expected OpenShift CI (OPENSHIFT_CI, BUILD_ID) or Perflab" in done.stderr


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    done = exports(tmp_path, CONFIG, OPENSHIFT_CI="true", BUILD_ID="77")
    assert "SecretMissing" in done.stderr
    assert ".awscred" in done.stderr
    assert not (tmp_path / "called").exists()


def test_a_copy_that_fails_is_the_infrastructure(tmp_path: Path) -> None:
    credentials(tmp_path)
    done = exports(tmp_path, CONFIG, OPENSHIFT_CI="true", BUILD_ID="77", PLAYED_STATUS="3")
    assert "InfrastructureError" in done.stderr
    assert "exited with 3" in done.stderr
    assert (tmp_path / "run" / "aws_s3_cp.log").exists()
