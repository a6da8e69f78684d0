from __future__ import annotations

import os
from pathlib import Path

import pytest

from projects.core.record import compensations
from projects.core.values.redaction import MASK, Redactor


def test_what_is_pending_is_what_was_not_done_the_last_first(tmp_path: Path) -> None:
    first = compensations.register(tmp_path, "s1", "cluster", "delete_object", {"name": "a"})
    second = compensations.register(tmp_path, None, "cluster", "delete_object", {"name": "b"})
    assert compensations.pending(tmp_path) == [second, first]
    compensations.done(tmp_path, second)
    assert compensations.pending(tmp_path) == [first]


def test_what_was_done_is_done_for_those_that_noted_the_same_before(tmp_path: Path) -> None:
    compensations.register(tmp_path, None, "cluster", "delete_object", {"name": "a"})
    other = compensations.register(tmp_path, None, "cluster", "delete_object", {"name": "b"})
    again = compensations.register(tmp_path, None, "cluster", "delete_object", {"name": "a"})
    later = compensations.register(tmp_path, None, "cluster", "delete_object", {"name": "a"})
    compensations.done(tmp_path, again)
    assert compensations.pending(tmp_path) == [later, other]


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    first = compensations.register(tmp_path, None, "g", "c", {})
    with (tmp_path / compensations.FILE_NAME).open("a") as file:
        file.write('{"id": "half')
    second = compensations.register(tmp_path, None, "g", "c", {})
    assert compensations.pending(tmp_path) == [second, first]


def test_there_is_nothing_to_do_without_a_file(tmp_path: Path) -> None:
    assert compensations.pending(tmp_path) == []


def test_no_secret_is_written(tmp_path: Path, redactor: Redactor) -> None:
    redactor.register("the-secret-4711")
    compensations.register(tmp_path, None, "g", "c", {"token": "the-secret-4711"})
    assert compensations.pending(tmp_path)[0].arguments == {"token": MASK}


def test_what_a_full_disk_does_not_take_is_an_error_before_the_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
    with pytest.raises(OSError, match="No space left"):
        compensations.register(tmp_path, None, "g", "c", {})
    monkeypatch.undo()
    second = compensations.register(tmp_path, None, "g", "c", {})
    assert compensations.pending(tmp_path) == [second]
