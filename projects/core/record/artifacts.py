"""How what is derived from a record names, reads and writes files of the artifact directory. Used by this room and by its readers."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from projects.core.record.steps import Step
from projects.core.values.redaction import REDACTOR

ANSIBLE_LOG = "_ansible.log"
TAIL_BYTES = 64 * 1024
SHARING = ("branch", "entrypoint", "wait", "scan", "shell")
"""The kinds of steps that work in the directory of the step around them."""
ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
"""A terminal's escape sequence: CSI, OSC, or a single character's."""
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x84\x86-\x9f]")


def path_of(step: Step) -> str:
    """Return what a step is called wherever it is listed: its directory, with its name when it has none of its own."""
    if step.kind not in SHARING:
        return step.directory
    return step.name if step.directory == "." else f"{step.directory} [{step.name}]"


def clean(text: str) -> str:
    """Return text as it may stand in any artifact.

    Args:
      text: From anywhere.

    Returns:
      It without terminal escapes and without characters that XML 1.0 forbids or discourages, and then without secrets:
      an escape in the midst of one would hide it.
    """
    return REDACTOR.redact(_CONTROL.sub("", ESCAPE.sub("", text)))


def last_lines(text: str, count: int) -> str:
    """Return the last lines of a text that are not blank at its end."""
    return "\n".join(text.rstrip().splitlines()[-count:])


def read_tail(path: Path, limit: int = TAIL_BYTES) -> str:
    """Return the end of a text file, from the start of a line; nothing when there is no such file.

    Args:
      path: The file, maybe huge, maybe being written to.
      limit: How many bytes are read at most.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read(limit)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""
    if size > limit:
        data = data.partition(b"\n")[2] or data
    return data.decode(errors="replace")


def append(path: Path, text: str) -> None:
    """Append text to a file with one write, so that what others append at the same time stands before or behind it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, text.encode(errors="replace"))
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old text or the new one, never a part."""
    with _replacing(path) as descriptor, os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[int]:
    # Not tempfile, whose files are the owner's alone: here the umask says who may read them.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
