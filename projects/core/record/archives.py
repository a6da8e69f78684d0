"""Looks into compressed files and archives, as streams and within bounds. Called by `scan`.

Nothing is unpacked to a disk, and nothing is held in memory but the zip file that lies inside of another archive.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol, cast

DEPTH = 5
"""How many archives may lie in each other."""
LEAST_EXPANDED = 64 << 20
MOST_TIMES = 200
"""What a file may expand to: so many bytes, or so many times its size. A bomb is larger."""
MOST_IN_MEMORY = 64 << 20
CHUNK = 1 << 20
HEAD = 512
"""How many bytes of a file tell what it is."""


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


_Opener = Callable[[Any], _Readable]
_OPENERS: dict[bytes, tuple[str, _Opener]] = {
    b"\x1f\x8b": ("gz", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bz2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
}
_NOT_OPENED = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x04\x22\x4d\x18": "lz4",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

Search = Callable[[Iterator[bytes]], bool]
"""Tells whether the chunks of a stream hold what is looked for; it need not read on once they do."""


class Unread(Exception):
    """Something could not be looked into; the message says why."""


class _TooMuch(Unread):
    """So large that no more of the file is looked at."""


class Look:
    """A look into one file.

    Args:
      size: The size of the file.
      search: What is looked for.
      check: Is called all the time; what it raises ends the look.

    Attributes:
      unread: What could not be looked into, and why.
    """

    def __init__(self, size: int, search: Search, check: Callable[[], None]) -> None:
        self.unread: list[str] = []
        self._search = search
        self._check = check
        self._left = max(LEAST_EXPANDED, MOST_TIMES * size)

    def into(self, file: IO[bytes]) -> Iterator[str]:
        """Yield where in the file it is, as names with slashes; an empty text for the file itself."""
        try:
            yield from self._into(file, "", 0)
        except Unread as error:
            self.unread.append(str(error))

    def spend(self, count: int) -> None:
        """Count bytes that were read.

        Raises:
          Unread: they are too many.
        """
        self._check()
        self._left -= count
        if self._left < 0:
            raise _TooMuch("it expands to more than is looked at")

    def _into(self, file: Any, name: str, depth: int) -> Iterator[str]:
        try:
            yield from self._opened(file, name, depth)
        except (EOFError, lzma.LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise Unread(f"it is damaged, or was not written to its end ({error})") from error
        except (NotImplementedError, RuntimeError, ValueError) as error:  # zipfile: an unknown compression, a password
            raise Unread(str(error)) from error

    def _opened(self, file: Any, name: str, depth: int) -> Iterator[str]:
        stream = _Stream(file, self)
        head = stream.peek(HEAD)
        if is_archive(head) and depth >= DEPTH:
            raise Unread(f"it lies in {DEPTH} others")
        if opener := _opener(head):
            kind, opened = opener
            yield from self._member(opened(stream), _joined(name, kind), depth)
        elif head.startswith(_ZIP):
            yield from self._zip(_in_memory(stream) if depth else file, name, depth)
        elif head[257:262] == b"ustar":
            yield from self._tar(stream, name, depth)
        elif self._search(stream.chunks()):
            yield name
        if kind := next((kind for magic, kind in _NOT_OPENED.items() if head.startswith(magic)), ""):
            raise Unread(f"{kind} archives are not opened")

    def _member(self, file: _Readable, name: str, depth: int) -> Iterator[str]:
        try:
            yield from self._into(file, name, depth + 1)
        except _TooMuch:
            raise
        except (Unread, OSError) as error:
            self.unread.append(f"{name}: {error}")

    def _tar(self, file: _Stream, name: str, depth: int) -> Iterator[str]:
        with tarfile.open(fileobj=cast("IO[bytes]", file), mode="r|") as archive:
            for member in archive:
                inside = _joined(name, member.name)
                if self._search(iter([_bytes(member.name, member.linkname)])):
                    yield inside
                if member.isfile() and (content := archive.extractfile(member)):
                    yield from self._member(content, inside, depth)

    def _zip(self, file: IO[bytes], name: str, depth: int) -> Iterator[str]:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                inside = _joined(name, member.filename)
                if self._search(iter([_bytes(member.filename) + b"\n" + member.comment])):
                    yield inside
                with archive.open(member) as content:
                    yield from self._member(content, inside, depth)


def is_archive(head: bytes) -> bool:
    """Return whether a file that begins so has something inside that its own bytes may not show."""
    return bool(_opener(head)) or head.startswith((*_ZIP, *_NOT_OPENED)) or head[257:262] == b"ustar"


def _opener(head: bytes) -> tuple[str, _Opener] | None:
    return next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)


def _joined(name: str, member: str) -> str:
    return f"{name}/{member}" if name else member


def _bytes(*names: str) -> bytes:
    return "\n".join(names).encode("utf-8", "surrogateescape")


def _in_memory(stream: _Stream) -> IO[bytes]:
    """Return what is read from its end on, and so cannot be read as a stream."""
    content = io.BytesIO()
    for chunk in stream.chunks():
        content.write(chunk)
        if content.tell() > MOST_IN_MEMORY:
            raise Unread("a zip file inside of another archive is larger than is looked at")
    return content


class _Stream:
    """A file that is read once, from its beginning, and counted; its beginning can be looked at before."""

    def __init__(self, file: _Readable, look: Look) -> None:
        self._file = file
        self._look = look
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._file.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead

    def read(self, size: int = -1, /) -> bytes:
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        data = self._file.read(CHUNK if size < 0 else size)
        self._look.spend(len(data))
        return data

    def chunks(self) -> Iterator[bytes]:
        while data := self.read(CHUNK):
            yield data
