"""The search for secrets at the end of a run: what holds one is moved out of the artifacts. Called by the run's session.

Every writer of the core redacts; this finds what others have written: a tool that a role has called, a file of the test.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from projects.core.record.archives import CHUNK, HEAD, Look, is_archive
from projects.core.record.quarantine import Quarantine
from projects.core.record.steps import FILE_NAME, Step, parse_time, read_steps, redacted
from projects.core.values.errors import SecretFound
from projects.core.values.redaction import REDACTOR

SHORTEST = 6
"""Bytes of the shortest text that is looked for: a shorter one stands in files that hold no secret, by chance."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A file of the artifacts that held a secret.

    Attributes:
      file: Its path below the run's root, without secrets.
      inside: Where in it when it is an archive, as names with slashes; empty for the file itself.
      step_id: The innermost step whose directory holds it, empty when there is none.
      step_name: Its name.
      done: ``moved`` out of the tree, ``rewritten`` without the secret (the step record), or ``left``: it could be neither.
    """

    file: str
    inside: str
    step_id: str
    step_name: str
    done: str = "moved"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan has found.

    Attributes:
      leaks: The files that held a secret.
      quarantine: Where they were moved, None when nothing was.
      unread: What was not looked into, and why.
    """

    leaks: Sequence[Leak] = ()
    quarantine: Path | None = None
    unread: Sequence[str] = ()

    def error(self) -> SecretFound | None:
        """Return what there is to tell of the leaks, None when there is none."""
        if not self.leaks:
            return None
        kept = f"see what has written them, in {self.quarantine}; " if self.quarantine else ""
        return SecretFound(
            f"secrets were found in the artifacts:{''.join(f'{chr(10)}  {_told(leak)}' for leak in self.leaks)}",
            hint=f"{kept}change the secrets if others could read the artifacts meanwhile",
            place=self.quarantine,
        )


def scan(root: Path, *, seconds: float) -> Scan:
    """Look for every known secret, in each of its encodings, in the files of a run and in the archives among them.

    Args:
      root: The run's artifact directory. Symbolic links in it are not followed.
      seconds: What the scan may take. What it leaves out is told.

    Returns:
      What was found, and moved to a directory beside the root which only this user can enter.
    """
    patterns = [data for form in REDACTOR.forms if len(data := form.encode("utf-8", "surrogatepass")) >= SHORTEST]
    if not patterns:
        return Scan()
    return _Scanner(root, patterns, seconds).run()


class _Scanner:
    def __init__(self, root: Path, patterns: Sequence[bytes], seconds: float) -> None:
        from ahocorasick_rs import BytesAhoCorasick  # noqa: PLC0415 - wanted in a run that knows secrets

        self._root = root
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._automaton = BytesAhoCorasick(patterns)
        self._overlap = max(map(len, patterns)) - 1
        self._quarantine = Quarantine(root)
        self._steps = read_steps(root)
        self._leaks: list[Leak] = []
        self._unread: list[str] = []
        self._late: list[Path] = []

    def run(self) -> Scan:
        files = sorted(self._files(), key=lambda path: (_size(path), path))
        # What an archive costs is not known before: all other files come first.
        for path in [path for path in files if not self._look_at(path)]:
            self._look_inside(path)
        if self._late:
            first, others = self._shown(self._late[0]), len(self._late) - 1
            self._tell(
                f"{first}{f' and {others} more files' if others else ''}: the scan's {self._seconds:g} s were over"
            )
        return Scan(tuple(self._leaks), self._quarantine.place, tuple(self._unread))

    def _files(self) -> Iterator[Path]:
        """Yield the regular files, and deal with all whose names hold a secret."""
        directories = [self._root]
        while directories:
            try:
                entries = sorted(os.scandir(directories.pop()), key=lambda entry: entry.name)
            except OSError as error:
                self._tell(f"{self._shown(Path(error.filename))}: {error.strerror}")
                continue
            for entry in entries:
                path = Path(entry.path)
                if self._is_named_so(entry):
                    self._move(path, [""])
                elif entry.is_dir(follow_symlinks=False):
                    directories.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path

    def _is_named_so(self, entry: os.DirEntry[str]) -> bool:
        names = [entry.name, str(Path(entry.path).readlink())] if entry.is_symlink() else [entry.name]
        return self._holds(iter([os.fsencode("\n".join(names))]))

    def _look_at(self, path: Path) -> bool:
        """Look at a file's own bytes; return whether that is all there is to look at."""
        if path.name == FILE_NAME and path.parent == self._root:
            self._rewrite(path)
            return True
        archive = False

        def look(file: IO[bytes]) -> Iterator[str]:
            nonlocal archive
            archive = is_archive(file.read(HEAD))
            file.seek(0)
            if not archive and self._holds(self._chunks(file)):
                yield ""

        self._attempt(path, look)
        return not archive

    def _look_inside(self, path: Path) -> None:
        inside = Look(_size(path), self._holds, self._check)

        def look(file: IO[bytes]) -> Iterator[str]:
            found = False
            for name in inside.into(file):
                found = True
                yield name
            file.seek(0)
            if not found and self._holds(self._chunks(file)):  # between its members, or it could not be read
                yield ""

        self._attempt(path, look)
        for each in inside.unread:
            self._tell(REDACTOR.redact(f"{self._shown(path)}: {each}"))

    def _attempt(self, path: Path, look: Callable[[IO[bytes]], Iterator[str]]) -> None:
        """Look at a file in some way; move it when it holds a secret, tell when it could not be read."""
        found: list[str] = []
        try:
            self._check()
            with path.open("rb") as file:
                for inside in look(file):
                    found.append(inside)  # noqa: PERF402 - what was found before an error counts
        except _Late:
            self._late.append(path)
        except OSError as error:
            self._tell(f"{self._shown(path)}: {error.strerror or error}")
        if found:
            self._move(path, found)

    def _chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        while data := file.read(CHUNK):
            self._check()
            yield data

    def _holds(self, chunks: Iterator[bytes]) -> bool:
        before = b""
        for chunk in chunks:
            data = before + chunk
            if self._automaton.find_matches_as_indexes(data):
                return True
            before = data[-self._overlap :]
        return False

    def _check(self) -> None:
        if time.monotonic() > self._deadline:
            raise _Late

    def _move(self, path: Path, found: Sequence[str]) -> None:
        step = self._step_of(path)
        failed = self._quarantine.take(path)
        if failed:
            self._tell(f"{self._shown(path)}: it holds a secret, and could not be moved: {failed}")
        self._leaks += [self._leak(path, inside, step, "left" if failed else "moved") for inside in found]

    def _rewrite(self, path: Path) -> None:
        """Take secrets out of the record, which the run is told by: in place, since other processes have it open."""
        with path.open("r+b") as file:
            before = file.read()
            after = b"\n".join(_without_secrets(line) for line in before.split(b"\n"))
            if after == before:
                return
            file.seek(0)
            file.write(after)
            file.truncate()
        self._leaks.append(self._leak(path, "", self._step_of(path), "rewritten"))

    def _leak(self, path: Path, inside: str, step: Step | None, done: str) -> Leak:
        return Leak(
            self._shown(path), REDACTOR.redact(inside), step.id if step else "", step.name if step else "", done
        )

    def _step_of(self, path: Path) -> Step | None:
        """Return the innermost step whose directory holds a file; of those that share it, the one that went on meanwhile."""
        place = path.relative_to(self._root)
        around = [step for step in self._steps if place.is_relative_to(step.directory) or step.directory == "."]
        deepest = max((len(Path(step.directory).parts) for step in around), default=0)
        sharing = [step for step in around if len(Path(step.directory).parts) == deepest]
        written = _written(path)
        return next((step for step in sharing if _began(step) <= written <= _ended(step)), next(iter(sharing), None))

    def _shown(self, path: Path) -> str:
        return REDACTOR.redact(str(path.relative_to(self._root)))

    def _tell(self, what: str) -> None:
        self._unread.append(what)


class _Late(Exception):
    """The time of the scan is over."""


def _without_secrets(line: bytes) -> bytes:
    try:
        said = json.loads(line)
    except ValueError:  # half a line, of a process that was killed
        return REDACTOR.redact(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    # What its texts do not hold, its bytes only seem to hold: `\nabc` is no `nabc`.
    shown = redacted(said)
    return line if shown == said else json.dumps(shown, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _told(leak: Leak) -> str:
    inside = f" ({leak.inside})" if leak.inside else ""
    step = f", of the step {leak.step_name}" if leak.step_name else ""
    done = {"rewritten": "; it was taken out of it", "left": "; IT IS STILL THERE"}.get(leak.done, "")
    return f"{leak.file}{inside}{step}{done}"


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _began(step: Step) -> float:
    return parse_time(step.start).timestamp()


def _ended(step: Step) -> float:
    return parse_time(step.end).timestamp() if step.end else float("inf")
