"""`testing/run PROJECT FILE ENTRYPOINT [ARGS]`: what a CI step calls. It wraps one orchestration with what CI needs.

The orchestration writes the record and everything that is made from it; this adds `STARTED`, `run.log`, the version of
the checkout, and, should the orchestration be killed before its end, what it could not write any more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.processes import Child, Collector
from projects.core.execution.pump import Pump
from projects.core.library import env
from projects.core.record.finish import FINISHED, finish
from projects.core.record.steps import timestamp
from projects.core.toolbox import completion
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ForesailError, UsageError, explain
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode
from projects.core.values.redaction import REDACTOR

OVERRIDES = "variable_overrides.yaml"
_SUFFIXES = (".py", ".sh", "")
_USAGE = "usage: testing/run PROJECT FILE ENTRYPOINT [ARGUMENTS]"


def main(argv: Sequence[str]) -> int:
    """Run one line.

    Args:
      argv: The script and its words.

    Returns:
      The exit code of the orchestration; 2 when there is none to run.
    """
    words = list(argv[1:])
    if {"--help", "-h"} & set(words[:2]):
        print(_listing())
        return 0
    try:
        if words[:1] == [completion.WORD]:
            return completion.print_completion(argv[0], words[1:])
        return _run(find_orchestration(words), words[2:])
    except ForesailError as error:
        print(f"{_USAGE}\n{explain(error)}" if isinstance(error, UsageError) else explain(error), file=sys.stderr)
        return int(error.exit_code)


def find_orchestration(words: Sequence[str]) -> Path:
    """Return the file of an orchestration.

    Args:
      words: Project and file; the suffix of the file may be left out.

    Raises:
      UsageError: there is no such project or file, with the nearest match.
    """
    projects = orchestrations()
    if len(words) < 2:  # noqa: PLR2004 - the project and the file
        raise UsageError(f"expected a project and a file, found {' '.join(words) or 'nothing'}\n\n{_listing()}")
    project, name = words[0], words[1]
    if project not in projects:
        raise UsageError(f"unknown project '{project}'", hint=did_you_mean(project, projects))
    testing = ROOT / "projects" / project / "testing"
    for suffix in _SUFFIXES:
        if (path := testing / f"{name}{suffix}").is_file():
            return path
    known = [path.stem for path in projects[project]]
    raise UsageError(f"unknown file '{name}' in {testing}", hint=did_you_mean(name, known))


def orchestrations() -> dict[str, list[Path]]:
    """Return the scripts of each project that has a `testing` directory."""
    found: dict[str, list[Path]] = {}
    for testing in sorted(ROOT.glob("projects/*/testing")):
        scripts = sorted(
            path for path in testing.iterdir() if path.suffix in (".py", ".sh") and os.access(path, os.X_OK)
        )
        if scripts:
            found[testing.parent.name] = scripts
    return found


def _listing() -> str:
    rows = [f"  {project} {path.stem}" for project, paths in orchestrations().items() for path in paths]
    return "\n".join([_USAGE, "", "what can be run:", *rows])


def _run(script: Path, words: Sequence[str]) -> int:
    argv = [sys.executable, str(script)] if script.suffix == ".py" else [str(script)]
    if os.environ.get(env.RECORD_VARIABLE):
        # Called from a step of a run: that run has its log and its markers already.
        return _code_of(subprocess.run([*argv, *words], check=False).returncode)
    earlier = _resumed(words)
    directory = earlier or _artifact_directory()
    with (directory / "run.log").open("a", encoding="utf-8") as log:
        _begin(directory, script, words, log)
        code = _child([*argv, *words], {**os.environ, "ARTIFACT_DIR": str(directory)}, log)
    if not (directory / FINISHED).exists() and code != ExitCode.USAGE:
        code = int(
            finish(directory, properties={"project": script.parents[1].name}, exit_code=code or ExitCode.TEST_FAILED)
        )
    return code


def _resumed(words: Sequence[str]) -> Path | None:
    """Return the artifact directory of the run that the line goes on with; what is wrong with it is told by the orchestration."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        flag, equals, value = word.partition("=")
        if flag == "--resume" and (value if equals else following):
            found = Path(value if equals else following).absolute()
            return found if found.is_dir() else None
    return None


def _artifact_directory() -> Path:
    if not os.environ.get("ARTIFACT_DIR") and (os.environ.get("OPENSHIFT_CI") or os.environ.get("PERFLAB_CI")):
        raise UsageError("ARTIFACT_DIR is not set", hint="in CI it says where the artifacts are collected from")
    directory = env.init()
    if (directory / "FAILURES").exists():
        raise UsageError(
            "the artifact directory holds the FAILURES of an earlier run",
            hint="take another directory",
            place=directory,
        )
    if _is_pull_request() and not (directory / OVERRIDES).exists():
        # Running without the presets that the comment asks for would be a wrong run that looks like a right one.
        raise UsageError(
            "the directives of the pull request's comment (/test, /var, /only, …) cannot be fetched yet",
            hint=f"write them to {OVERRIDES} in the artifact directory before this step",
            place=directory,
        )
    return directory


def _is_pull_request() -> bool:
    return bool(os.environ.get("OPENSHIFT_CI")) and os.environ.get("JOB_TYPE") == "presubmit"


def _begin(directory: Path, script: Path, words: Sequence[str], log: TextIO) -> None:
    (directory / FINISHED).unlink(missing_ok=True)
    (directory / "STARTED").write_text(f"{timestamp()}\n", encoding="utf-8")
    version = _version()
    (directory / "foresail.git_version").write_text(f"{version}\n", encoding="utf-8")
    log.write(f"===> {script.relative_to(ROOT)} {' '.join(words)}\n===> Foresail {version}, {timestamp()}\n")
    log.flush()


def _version() -> str:
    argv = ["git", "describe", "--always", "--dirty", "--long"]
    try:
        described = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown: there is no git"
    return described.stdout.strip() or "unknown: not a git checkout"


def _child(argv: Sequence[str], environment: dict[str, str], log: TextIO) -> int:
    """Run the orchestration, its output on ours and in the log; signals are handed on and its own end is waited for."""
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def hand_on(signum: int, frame: FrameType | None) -> None:
        del frame
        for each in children:
            each.send_signal(signum)
        if not children:
            early.append(signum)

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, hand_on)
    # In a group of its own: else Ctrl-C would reach it twice, from the terminal and from here, and a second signal shortens.
    with subprocess.Popen(
        argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
    ) as child:
        children.append(child)
        for each in early:
            child.send_signal(each)
        assert child.stdout is not None
        lines = _Lines(sys.stdout, log)
        output, waited = Collector(lines.write), Child(child)
        try:
            # Until its end, not that of its output: what it leaves in the background may hold that for ever.
            status = Pump(waited, {child.stdout.fileno(): output.feed}, CancelToken(), None, argv[0]).run()
        finally:
            os.close(waited.exit_descriptor)
            output.close()
            lines.close()
    return _code_of(status)


def _code_of(status: int) -> int:
    """Return what a process exits with for a child's status, as a shell does: 128 and the signal."""
    return status if status >= 0 else 128 - status


class _Lines:
    """Hands text on in whole lines, redacted: a secret may come in two pieces."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line + "\n")

    def close(self) -> None:
        self._say(self._rest)

    def _say(self, text: str) -> None:
        for stream in self._streams:
            stream.write(REDACTOR.redact(text))
            stream.flush()
