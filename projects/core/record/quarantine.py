"""The directory beside a run's artifacts that what holds a secret is moved to. Made by `scan`, with the first such file."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from pathlib import Path

SUFFIX = ".quarantine"


class Quarantine:
    """A place for files that must not be published; only this user can enter it.

    Args:
      root: The run's artifact directory. The place is beside it, or, where nothing can be made there, in a new directory
        for temporary files.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.place: Path | None = None

    def take(self, path: Path) -> str:
        """Move a file or a directory here, to the same relative path.

        Returns:
          Why it could not be moved; empty when it was.
        """
        try:
            if self.place is None:
                self.place = self._made()
            target = _free(self.place / path.relative_to(self._root))
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(path, target)  # a copy when it is another file system
            if target.is_file() and not target.is_symlink():
                target.chmod(0o600)
        except (OSError, shutil.Error) as error:
            return str(error)
        return ""

    def _made(self) -> Path:
        root = self._root.resolve()
        beside = root.with_name(root.name + SUFFIX)
        try:
            beside.mkdir(mode=0o700, exist_ok=True)
            found = beside.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                beside.chmod(0o700)
                return beside
        except OSError:  # such as a mount point's parent
            return Path(tempfile.mkdtemp(prefix="foresail-quarantine-"))
        return Path(tempfile.mkdtemp(prefix="foresail-quarantine-"))


def _free(path: Path) -> Path:
    """Return a path that nothing is at: an earlier scan of the same run may have moved a file of that name."""
    if not os.path.lexists(path):
        return path
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return next(each for each in numbered if not os.path.lexists(each))
