"""Copying the artifacts of a run to where they are kept. Imported by orchestrations as `export`."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

from projects.core import planning
from projects.core.execution.cancellation import current_token
from projects.core.execution.processes import run_process
from projects.core.library import config, env
from projects.core.values.errors import InfrastructureError, SecretMissing, UsageError
from projects.core.values.redaction import REDACTOR

logger = logging.getLogger(__name__)
LOG = "aws_s3_cp.log"
URL = "export.url"


def export_artifacts(artifacts_dirname: Path | str, test_step: str | None = None) -> str | None:
    """Copy an artifact directory into the bucket that `export_artifacts` in the configuration names.

    Args:
      artifacts_dirname: The directory.
      test_step: The CI step that it is of; it ends the path in the bucket.

    Returns:
      The URL to browse the copy at, also written to `export.url`; None when the export is disabled.

    Raises:
      UsageError: the directory does not exist, or the CI engine is not one whose runs can be told apart.
      InfrastructureError: the copy failed.
    """
    directory = Path(artifacts_dirname)
    if not (directory.is_dir() or planning.is_planning()):
        raise UsageError("expected a directory to export, found none", place=directory)
    settings: dict[str, Any] = config.project.get_config("export_artifacts", print=False)
    if not settings["enabled"]:
        logger.info("export_artifacts.enabled is false: %s stays where it is", directory)
        return None
    path = "/".join(filter(None, (settings["path_prefix"], run_id(), test_step)))
    destination = f"s3://{settings['bucket']}/{path}"
    if planning.is_planning():
        planning.note("effect", f"copy {directory} to {destination}")
    else:
        _copy(directory, destination)
    url = f"https://{settings['bucket']}.s3.amazonaws.com/index.html#{path}/"
    (env.ARTIFACT_DIR / URL).write_text(f"{url}\n", encoding="utf-8")
    return url


def run_id() -> str:
    """Return what tells this run from all others in the bucket: the pull request or the job, and the build.

    Raises:
      UsageError: the environment is of no CI engine that is known.
    """
    build = os.environ.get("BUILD_ID")
    if os.environ.get("OPENSHIFT_CI") and build:
        spec = json.loads(os.environ.get("JOB_SPEC") or "{}")
        pulls = (spec.get("refs") or {}).get("pulls") or []
        subject = str(pulls[0]["number"]) if pulls else str(spec.get("job") or os.environ.get("JOB_NAME", "periodic"))
        return f"prow/{subject}/{build}"
    if os.environ.get("PERFLAB_CI") and (job := os.environ.get("JENKINS_JOB")):
        return (
            f"middleware_jenkins/{job.strip('/').replace('/job/', '_')}/{os.environ.get('JENKINS_BUILD_NUMBER', '0')}"
        )
    raise UsageError(
        "the artifacts cannot be exported: expected OpenShift CI (OPENSHIFT_CI, BUILD_ID) or Perflab (PERFLAB_CI,"
        " JENKINS_JOB), found neither"
    )


def _copy(directory: Path, destination: str) -> None:
    if shutil.which("aws") is None:
        raise InfrastructureError("the artifacts cannot be exported: there is no `aws` command on the PATH")
    ended = run_process(
        ["aws", "s3", "cp", "--recursive", "--only-show-errors", str(directory), destination],
        token=current_token(),
        environment={**os.environ, "AWS_SHARED_CREDENTIALS_FILE": str(_credentials())},
    )
    log = REDACTOR.redact((ended.stdout + ended.stderr).decode(errors="replace"))
    (env.ARTIFACT_DIR / LOG).write_text(log, encoding="utf-8")
    if ended.status != 0:
        raise InfrastructureError(
            f"`aws s3 cp` to {destination} exited with {ended.status}; see {LOG}", place=env.ARTIFACT_DIR
        )


def _credentials() -> Path:
    """Return the credentials file; its path is handed on, its content is never read here."""
    variable: str = config.project.get_config("secrets.dir.env_key", print=False)
    name: str = config.project.get_config("secrets.aws_credentials", ".awscred", warn=False, print=False)
    path = Path(os.environ.get(variable, "")) / name
    if not os.environ.get(variable) or not path.is_file():
        raise SecretMissing(f"the credentials file '{name}' is missing from the directory that ${variable} names")
    return path
