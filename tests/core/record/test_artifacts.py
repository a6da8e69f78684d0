"""Files that are replaced whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projects.core.record.artifacts import write_atomically


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_umask_says_who_may_read_them(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_the_old_text_and_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", "old")
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "file", None)  # type: ignore[arg-type] # on purpose
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file": "old"}
