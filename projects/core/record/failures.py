"""`FAILURE` in each failed directory and `FAILURES` at the root. The first is written by a step as it ends, the second by `finish`.

Both are for people: what happened, where it began, the last lines before it. A directory's file holds one block
per distinct cause, since the branches of a `Parallel` share its directory; a step that failed because of an inner
one repeats the cause and says where to look.
"""

from __future__ import annotations

import os
import textwrap
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from projects.core.record.artifacts import ANSIBLE_LOG, append, clean, last_lines, path_of, read_tail, write_atomically
from projects.core.record.bundles import bundle_of
from projects.core.record.steps import Cause, Step, read_steps
from projects.core.record.verdict import MEANINGS, Trouble, troubles, verdict
from projects.core.values.outcomes import ExitCode

FAILURE = "FAILURE"
FAILURES = "FAILURES"
_LINES = 40
_TAIL_TITLE = "\n  last lines:\n"
_lock = threading.Lock()


def write_failure(root: Path, step: Step, cause: Cause, output_tail: str = "") -> None:
    """Add a cause to the `FAILURE` file of a step's directory, unless it stands there already.

    Args:
      root: The run's root.
      step: The step that ends.
      cause: Why it did not pass.
      output_tail: The last that it printed; a toolbox command's log is found by itself.
    """
    directory = root / step.directory
    origin = step.directory if cause.step == step.id else _directory_of(root, cause.step) or step.directory
    title = clean(f"{cause.type}: {cause.message}\n  began in: {origin}\n")
    details = clean(_details(directory, step, cause, origin, output_tail))
    with _lock:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / FAILURE
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if title not in present:
            append(path, ("\n" if present else "") + title + details)


def put_failure_aside(directory: Path, attempt: int) -> None:
    """Rename the `FAILURE` that an earlier attempt has left in a directory, before the next one begins there."""
    path = directory / FAILURE
    if path.exists():
        path.rename(directory / f"{FAILURE}.attempt_{attempt}")


def write_failures_index(root: Path, steps: Sequence[Step], *, exit_code: ExitCode = ExitCode.PASSED) -> Path | None:
    """Write `FAILURES`: a block per distinct cause, in the order in which they happened; take a stale one away after a pass.

    Args:
      root: The run's root.
      steps: All steps of its record.
      exit_code: What the process ends with: a run that failed without a failed step has a `FAILURES` too.

    Returns:
      The file, None after a pass.
    """
    path = root / FAILURES
    blocks = [_index_block(number, trouble, root) for number, trouble in enumerate(troubles(steps), 1)]
    if not blocks and exit_code != ExitCode.PASSED:
        running = _listed("the process died while these ran:", verdict(steps).running)
        told = "\n".join(running) or "   no step of the record failed"
        blocks = [f"exit code {int(exit_code)}: {MEANINGS[exit_code]}\n{told}\n"]
    if not blocks:
        path.unlink(missing_ok=True)
        return None
    write_atomically(path, clean("\n".join(blocks)))
    return path


def origin_lines(root: Path, step: Step, count: int = _LINES) -> str:
    """Return the last lines of the step where a failure began: of its Ansible log, else those that its `FAILURE` file holds."""
    directory = root / step.directory
    if log := read_tail(directory / ANSIBLE_LOG):
        return last_lines(log, count)
    return last_lines(textwrap.dedent(read_tail(directory / FAILURE).partition(_TAIL_TITLE)[2]), count)


def _details(directory: Path, step: Step, cause: Cause, origin: str, output_tail: str) -> str:
    lines = [f"  step: {step.kind} '{step.name}', exit code {cause.exit_code}"]
    lines += [f"  hint: {cause.hint}"] if cause.hint else []
    if bundle := bundle_of(directory):
        lines.append(f"  bundle: {os.path.relpath(bundle.path, directory)}")
    if origin != step.directory:
        lines.append(f"  see: {os.path.relpath(origin, step.directory)}/{FAILURE}")
    elif tail := last_lines(output_tail or read_tail(directory / ANSIBLE_LOG), _LINES):
        lines += [_TAIL_TITLE.strip("\n"), _indented(tail, 4)]
    return "\n".join(lines) + "\n"


def _index_block(number: int, trouble: Trouble, root: Path) -> str:
    cause, origin = trouble.cause, trouble.origin
    lines = [
        f"{number}. {cause.type}: {_indented(cause.message, 3).lstrip()}",
        f"   began in: {path_of(origin)}  ({origin.kind} '{origin.name}')",
        f"   ended: {origin.end or 'not recorded'}, exit code {cause.exit_code}",
        *([f"   hint: {cause.hint}"] if cause.hint else []),
        *_evidence_lines(root, origin),
    ]
    lines += _listed("also failed by it:", (step for step in trouble.failed if path_of(step) != path_of(origin)))
    lines += _listed("cancelled because of it:", trouble.cancelled)
    if tail := last_lines(read_tail(root / origin.directory / ANSIBLE_LOG), _LINES):
        lines += ["   last lines:", _indented(tail, 5)]
    return "\n".join(lines) + "\n"


def _evidence_lines(root: Path, origin: Step) -> Iterable[str]:
    if bundle := bundle_of(root / origin.directory):
        yield from ([f"   last condition: {bundle.telling}"] if bundle.telling else [])
        yield f"   bundle: {os.path.relpath(bundle.path, root)}"


def _listed(title: str, steps: Iterable[Step]) -> list[str]:
    places = list(dict.fromkeys(path_of(step) for step in steps))
    return [f"   {title}", *(f"     {place}" for place in places)] if places else []


def _indented(text: str, by: int) -> str:
    return "\n".join((" " * by + line).rstrip() for line in text.splitlines())


def _directory_of(root: Path, step_id: str) -> str | None:
    """Return the directory of another step, as the record says it."""
    return next((step.directory for step in read_steps(root) if step.id == step_id), None)
