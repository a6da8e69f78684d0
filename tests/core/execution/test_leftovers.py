from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from projects.core.execution import leftovers

DAEMON = """
import os, subprocess, sys
subprocess.Popen(["sleep", "300"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("up", flush=True)
"""


def test_a_daemon_is_found_by_what_it_was_given_and_ended() -> None:
    marker = uuid.uuid4().hex
    environment = {**os.environ, "PROBE_MARK": marker}
    done = subprocess.run([sys.executable, "-c", DAEMON], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "up\n"
    assert leftovers.end_all("PROBE_MARK", marker) == 1
    assert leftovers.end_all("PROBE_MARK", marker) == 0


def test_one_that_is_deaf_to_term_is_killed() -> None:
    marker = uuid.uuid4().hex
    argv = ["bash", "-c", "trap '' TERM; echo up; while :; do read -t 1 < <(:) || :; done"]
    with subprocess.Popen(argv, env={**os.environ, "PROBE_MARK": marker}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert leftovers.end_all("PROBE_MARK", marker) >= 1
        assert process.wait() != 0


def test_who_ends_them_and_those_around_are_spared() -> None:
    script = (
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from projects.core.execution import leftovers\n"
        "print(leftovers.end_all('PROBE_MARK', sys.argv[1]))"
    )
    marker = uuid.uuid4().hex
    environment = {**os.environ, "PROBE_MARK": marker}
    line = f'{sys.executable} -c "$SCRIPT" {marker}; echo "and its shell lives"'
    done = subprocess.run(
        ["bash", "-c", line], env={**environment, "SCRIPT": script}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\nand its shell lives\n"


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    pid, _, started = leftovers.owner().partition("-")
    assert int(pid) == os.getpid()
    assert int(started) > 0


def test_a_path_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    run, link = tmp_path / "run", tmp_path / "link"
    run.mkdir()
    link.symlink_to(run)
    with subprocess.Popen(["sleep", "300"], env={"PROBE_MARK": str(link)}) as process:
        assert leftovers.end_all("PROBE_MARK", tmp_path / "other") == 0
        assert leftovers.end_all("PROBE_MARK", run) == 1
        assert process.wait() != 0
