from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import os
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from projects.core.record import archives
from projects.core.record.scan import Scan, scan
from projects.core.record.steps import Record, Step, read_steps
from projects.core.values.errors import SecretFound
from projects.core.values.outcomes import ExitCode, Status
from projects.core.values.redaction import Redactor

SECRET = "AKIA-5d41402abc4b2a76b9719d911017c592"


@pytest.fixture(autouse=True)
def known(redactor: Redactor) -> Redactor:
    redactor.register(SECRET)
    return redactor


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


def planted(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tar_of(name: str, data: bytes, mode: str = "w") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def zip_of(name: str, data: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr(name, data)
    return content.getvalue()


FORMS = {
    "plain": SECRET.encode(),
    "base64": base64.b64encode(SECRET.encode()),
    "base64 inside": base64.b64encode(b"ab" + SECRET.encode() + b"c"),
    "json": json.dumps({"key": f"a {SECRET}"}).encode(),
    "html": html.escape(f"<{SECRET}>").encode(),
    "binary": b"\x00\xff\x01" + SECRET.encode() + b"\x00\x80",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_holds_a_secret_is_moved_beside_the_tree(root: Path, form: str) -> None:
    planted(root, "deep/er/file.bin", FORMS[form])
    harmless = planted(root, "deep/er/harmless.txt", b"nothing")
    found = scan(root, seconds=10)
    assert [leak.file for leak in found.leaks] == ["deep/er/file.bin"]
    assert not found.unread
    assert not (root / "deep/er/file.bin").exists()
    assert harmless.read_bytes() == b"nothing"
    assert found.quarantine == root.with_name("run.quarantine")
    kept = found.quarantine / "deep/er/file.bin"
    assert kept.read_bytes() == FORMS[form]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert found.quarantine.stat().st_mode & 0o777 == 0o700


def test_a_tree_without_a_secret_stays_as_it_is(root: Path) -> None:
    planted(root, "log.txt", b"an ordinary line\n" * 100)
    planted(root, "log.gz", gzip.compress(b"an ordinary line\n" * 100))
    found = scan(root, seconds=10)
    assert found == Scan()
    assert found.error() is None
    assert not root.with_name("run.quarantine").exists()


def test_nothing_is_read_when_no_secret_is_known(root: Path, known: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_values", {})
    monkeypatch.setattr(os, "scandir", lambda _path: pytest.fail("it looked"))
    assert not scan(root, seconds=10).leaks


ARCHIVES: dict[str, tuple[bytes, str]] = {
    "a.gz": (gzip.compress(SECRET.encode()), "gz"),
    "a.bz2": (bz2.compress(SECRET.encode()), "bz2"),
    "a.xz": (lzma.compress(SECRET.encode()), "xz"),
    "a.tar": (tar_of("in/notes.txt", SECRET.encode()), "in/notes.txt"),
    "a.tar.gz": (tar_of("in/notes.txt", SECRET.encode(), "w:gz"), "gz/in/notes.txt"),
    "a.tar.bz2": (tar_of("in/notes.txt", SECRET.encode(), "w:bz2"), "bz2/in/notes.txt"),
    "a.tar.xz": (tar_of("in/notes.txt", SECRET.encode(), "w:xz"), "xz/in/notes.txt"),
    "a.zip": (zip_of("in/notes.txt", SECRET.encode()), "in/notes.txt"),
    "a-stored.zip": (zip_of("in/notes.txt", SECRET.encode(), zipfile.ZIP_STORED), "in/notes.txt"),
    "a-lzma.zip": (zip_of("in/notes.txt", SECRET.encode(), zipfile.ZIP_LZMA), "in/notes.txt"),
    "zip-in-tar.tgz": (
        tar_of("inner.zip", zip_of("notes.txt", base64.b64encode(SECRET.encode())), "w:gz"),
        "gz/inner.zip/notes.txt",
    ),
    "gz-in-zip.zip": (zip_of("inner.gz", gzip.compress(FORMS["base64 inside"])), "inner.gz/gz"),
    "named-otherwise.bin": (gzip.compress(gzip.compress(SECRET.encode())), "gz/gz"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_are_opened(root: Path, name: str) -> None:
    data, inside = ARCHIVES[name]
    planted(root, name, data)
    found = scan(root, seconds=10)
    assert [(leak.file, leak.inside) for leak in found.leaks] == [(name, inside)]
    assert not found.unread
    assert not (root / name).exists()


def test_the_names_of_members_are_looked_at(root: Path) -> None:
    planted(root, "a.tar.gz", tar_of(f"of-{SECRET}.txt", b"", "w:gz"))
    found = scan(root, seconds=10)
    assert [(leak.file, leak.inside) for leak in found.leaks] == [("a.tar.gz", "gz/of-********.txt")]


def test_names_of_files_are_looked_at_and_not_shown(root: Path) -> None:
    planted(root, f"of-{SECRET}/harmless.txt", b"nothing")
    (root / "link").symlink_to(f"/nowhere/{SECRET}")
    found = scan(root, seconds=10)
    assert sorted(leak.file for leak in found.leaks) == ["link", "of-********"]
    assert list(root.iterdir()) == []


def test_a_secret_that_lies_across_two_chunks(root: Path) -> None:
    for before in range(archives.CHUNK - len(SECRET) - 1, archives.CHUNK + 2, 7):
        planted(root, f"big-{before}", b"\0" * before + SECRET.encode())
        planted(root, f"big-{before}.gz", gzip.compress(b"\0" * before + SECRET.encode(), 1))
    assert len(scan(root, seconds=60).leaks) == len(list(root.with_name("run.quarantine").iterdir())) == 12


def test_symbolic_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = planted(tmp_path / "outside", "secret.txt", SECRET.encode())
    (root / "file").symlink_to(outside)
    (root / "directory").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    assert not scan(root, seconds=10).leaks
    assert outside.exists()


def test_what_is_no_file_is_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert not scan(root, seconds=10).leaks


def steps_of(root: Path) -> dict[str, Step]:
    record = Record(root)
    made = {
        "entry": Step("e", None, "entrypoint", "test_ci", "."),
        "dir": Step("d", "e", "directory", "measure", "000__measure"),
        "command": Step("c", "d", "command", "accsec plant", "000__measure/000__accsec__plant"),
    }
    for step in made.values():
        record.start(step)
    for step in reversed(made.values()):
        record.end(step, Status.PASSED)
    record.close()
    return made


def test_the_step_is_the_innermost_whose_directory_holds_the_file(root: Path) -> None:
    steps_of(root)
    for name in ("root.txt", "000__measure/of.txt", "000__measure/000__accsec__plant/deep/x.bin", "000__other/y"):
        planted(root, name, SECRET.encode())
    found = {leak.file: (leak.step_id, leak.step_name) for leak in scan(root, seconds=10).leaks}
    assert found == {
        "root.txt": ("e", "test_ci"),
        "000__measure/of.txt": ("d", "measure"),
        "000__measure/000__accsec__plant/deep/x.bin": ("c", "accsec plant"),
        "000__other/y": ("e", "test_ci"),
    }


def test_of_steps_that_share_a_directory_it_is_the_one_that_went_on_meanwhile(root: Path) -> None:
    record = Record(root)
    path = None
    for name in ("prepare_ci", "test_ci"):
        step = Step(name, None, "entrypoint", name, ".")
        record.start(step)
        path = planted(root, f"{name}.txt", SECRET.encode())
        written = time.time_ns()
        os.utime(path, ns=(written, written))  # the clock of the file system is a coarse one
        record.end(step, Status.PASSED)
    record.close()
    found = {leak.file: leak.step_name for leak in scan(root, seconds=10).leaks}
    assert found == {"prepare_ci.txt": "prepare_ci", "test_ci.txt": "test_ci"}


def test_the_record_is_rewritten_and_stays_open(root: Path) -> None:
    steps = steps_of(root)
    record = Record(root)
    late = Step("l", "e", "command", "late one", "001__late")
    record.start(late)
    with (root / "_steps.jsonl").open("a") as file:
        file.write(json.dumps({"id": "l", "end": late.start, "status": "failed", "details": {"said": SECRET}}) + "\n")
        file.write(f'{{"id": "torn {SECRET}')
    found = scan(root, seconds=10)
    assert [(leak.file, leak.done, leak.step_name) for leak in found.leaks] == [
        ("_steps.jsonl", "rewritten", "test_ci")
    ]
    assert found.quarantine is None
    assert SECRET not in (root / "_steps.jsonl").read_text()
    record.end(late, Status.FAILED)  # as a process that has the file open
    record.close()
    again = {step.id: step for step in read_steps(root)}
    assert set(again) == {"e", "d", "c", "l"}
    assert len(steps) == 3
    assert again["l"].details == {"said": "********"}


def test_a_record_whose_bytes_only_look_like_a_secret_is_left(root: Path, known: Redactor) -> None:
    known.register("nabcdefgh")
    record = Record(root)
    record.start(Step("e", None, "entrypoint", "x\nabcdefgh", "."))
    record.close()
    before = (root / "_steps.jsonl").read_bytes()
    assert b"nabcdefgh" in before
    assert not scan(root, seconds=10).leaks
    assert (root / "_steps.jsonl").read_bytes() == before


def test_the_time_is_bounded_and_what_it_left_out_is_told(root: Path) -> None:
    for number in range(5):
        planted(root, f"file-{number}", SECRET.encode())
    found = scan(root, seconds=-1)
    assert not found.leaks
    assert found.unread == ("file-0 and 4 more files: the scan's -1 s were over",)


def test_a_bomb_is_bounded_and_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LEAST_EXPANDED", 1 << 20)
    planted(root, "bomb.gz", gzip.compress(b"\0" * (8 << 20)))
    planted(root, "bomb.zip", zip_of("inner.gz", gzip.compress(b"\0" * (8 << 20))))
    planted(root, "leak.gz", gzip.compress(SECRET.encode()))
    found = scan(root, seconds=30)
    assert [leak.file for leak in found.leaks] == ["leak.gz"]
    assert sorted(found.unread) == [
        "bomb.gz: it expands to more than is looked at",
        "bomb.zip: it expands to more than is looked at",
    ]


def test_archives_in_each_other_are_opened_to_a_depth(root: Path) -> None:
    data = SECRET.encode()
    for _ in range(archives.DEPTH + 1):
        data = gzip.compress(data)
    planted(root, "deep.gz", data)
    found = scan(root, seconds=10)
    assert found.unread == ("deep.gz: gz/gz/gz/gz/gz: it lies in 5 others",)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("cut.gz", gzip.compress(os.urandom(5000))[:2000], "cut.gz: gz: it is damaged"),
        ("cut.zip", zip_of("a", os.urandom(5000))[:2000], "cut.zip: it is damaged"),
        ("no.gz", b"\x1f\x8b but no archive", "no.gz: gz: it is damaged"),
        ("x.zst", b"\x28\xb5\x2f\xfd....", "x.zst: zstd archives are not opened"),
        ("x.7z", b"7z\xbc\xaf\x27\x1c....", "x.7z: 7z archives are not opened"),
    ],
)
def test_what_cannot_be_read_is_told(root: Path, name: str, data: bytes, said: str) -> None:
    planted(root, name, data)
    found = scan(root, seconds=10)
    assert len(found.unread) == 1
    assert found.unread[0].startswith(said)
    assert not found.leaks


def test_a_damaged_member_does_not_hide_the_others(root: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in (("a.gz", b"\x1f\x8b but no archive"), ("b.txt", SECRET.encode())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    planted(root, "both.tgz", content.getvalue())
    found = scan(root, seconds=10)
    assert [leak.inside for leak in found.leaks] == ["gz/b.txt"]
    assert "both.tgz: gz/a.gz" in found.unread[0]


def test_a_damaged_archive_is_looked_at_as_bytes(root: Path) -> None:
    planted(root, "cut.gz", b"\x1f\x8b" + SECRET.encode())
    assert [leak.file for leak in scan(root, seconds=10).leaks] == ["cut.gz"]


def test_a_second_scan_keeps_what_the_first_has_moved(root: Path) -> None:
    for text in (SECRET, f"again {SECRET}"):
        planted(root, "same.txt", text.encode())
        scan(root, seconds=10)
    kept = sorted(path.name for path in root.with_name("run.quarantine").iterdir())
    assert kept == ["same.txt", "same.txt.1"]


def test_where_nothing_can_be_made_beside_the_tree(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.quarantine").write_text("in the way")
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    planted(root, "a.txt", SECRET.encode())
    found = scan(root, seconds=10)
    assert found.quarantine is not None
    assert found.quarantine.parent == private
    assert (found.quarantine / "a.txt").exists()
    assert not (root / "a.txt").exists()


def test_the_error_names_files_and_steps_but_no_secret(root: Path) -> None:
    steps_of(root)
    planted(root, "000__measure/a.tgz", ARCHIVES["a.tar.gz"][0])
    error = scan(root, seconds=10).error()
    assert isinstance(error, SecretFound)
    assert error.exit_code == ExitCode.SECRET_FOUND
    assert error.message == (
        "secrets were found in the artifacts:\n  000__measure/a.tgz (gz/in/notes.txt), of the step measure"
    )
    assert error.place == str(root.with_name("run.quarantine"))


def test_a_secret_of_many_lines_is_found_by_one_and_not_by_what_is_ordinary(root: Path, known: Redactor) -> None:
    known.register("apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    token: sha256~Yx8-Qf2kd9Ls\n")
    planted(root, "ordinary.yaml", b"apiVersion: v1\nkind: Config\nusers:\n- name: admin\n")
    planted(root, "leak.yaml", b"  token: sha256~Yx8-Qf2kd9Ls")
    assert [leak.file for leak in scan(root, seconds=10).leaks] == ["leak.yaml"]


def test_short_values_do_not_flag_files(root: Path, known: Redactor) -> None:
    known.register("true")
    planted(root, "a.txt", b"true")
    assert not scan(root, seconds=10).leaks


def test_many_files_within_seconds(root: Path) -> None:
    for number in range(2000):
        planted(root, f"{number % 20:03d}/{number}.log", b"an ordinary line\n" * 50)
    found = scan(root, seconds=30)
    assert not found.leaks
    assert not found.unread, "the seconds were over"
