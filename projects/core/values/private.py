"""Files that only their user may read, outside of the artifacts, gone when their block ends. Used for secrets, by `cold` and `secrets`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from projects.core.values.errors import InfrastructureError

_OTHERS = ("/dev/shm", "/tmp", "/var/tmp")  # noqa: S108 - what is made there is a directory of ours alone


@contextlib.contextmanager
def private_directory(artifacts: Path | None) -> Iterator[Path]:
    """Make a directory that only this user can enter, for the length of the block, however that ends.

    Args:
      artifacts: The root of a run, within which it is not made: what is there may be published.

    Raises:
      InfrastructureError: there is no place for it.
    """
    with tempfile.TemporaryDirectory(prefix="foresail-", dir=_outside(artifacts)) as name:
        yield Path(name)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only this user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(text)


def _outside(artifacts: Path | None) -> str:
    root = artifacts.resolve() if artifacts else None
    tried = (tempfile.gettempdir(), *_OTHERS)
    for place in tried:
        if os.access(place, os.W_OK | os.X_OK) and (root is None or not Path(place).resolve().is_relative_to(root)):
            return place
    raise InfrastructureError(
        f"expected a directory for secret files that can be written and is not in the artifacts, found none among {', '.join(tried)}",
        hint="let TMPDIR name one",
        place=artifacts,
    )
