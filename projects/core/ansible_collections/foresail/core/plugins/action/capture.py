"""`foresail.core.capture`: read much of the cluster at once, into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    ForesailAction,
    Result,
    failure,
    target_of,
)
from projects.core.cluster import documents
from projects.core.cluster.capturing import Captured, Read, capture, check_files
from projects.core.values.errors import ForesailError, UsageError

_NOTE = "_capture.yaml"


class ActionModule(ForesailAction):
    """Capture the state of the cluster."""

    NAME = "capture"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Read all there is, list what was skipped or failed, then fail if something did."""
        directory = self.artifact(arguments["directory"])
        reads = [_read(each) for each in arguments["reads"]]
        try:
            captured = capture(self.cluster, reads, directory)
        except ForesailError as error:
            if arguments["strict"]:
                raise
            captured = Captured(failed={"everything": error.message})
        _note(captured, directory / _NOTE)
        result: Result = {
            "changed": False,
            "files": captured.written,
            "skipped_reads": captured.skipped,
            "errors": captured.failed,
        }
        if captured.errors and arguments["strict"]:
            listed = "".join(f"\n  {subject}: {reason}" for subject, reason in captured.failed.items())
            failed = f"{len(captured.failed)} of {len(reads)} reads failed:{listed}"
            result |= failure(captured.errors[0]) | {"msg": failed}
        return result


def _read(each: dict[str, Any]) -> Read:
    check_files(each["files"])
    if not each["files"] and not each["fields"]:
        raise UsageError(f"the read of {each['kind'] or 'the version'} writes no file: give files or fields")
    return Read(tuple(each["files"]), target_of(each) if each["kind"] else None, each["fields"])


def _note(captured: Captured, path: Path) -> None:
    """Add what was skipped or failed to the note beside the files; there is none when all went well."""
    said = {"skipped": captured.skipped, "failed": captured.failed}
    if not any(said.values()):
        return
    before = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if path.exists() else {}
    merged = {key: {**(before.get(key) or {}), **value} for key, value in said.items()}
    documents.write(path, documents.to_yaml({key: value for key, value in merged.items() if value}))
