"""The console on a real terminal: a pty, a process of its own, what arrives on the other side."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import sys, threading
from pathlib import Path
from projects.core import console
from projects.core.console import live
from projects.core.record.steps import Cause, Record, Step
from projects.core.values.outcomes import Status
from projects.core.values.redaction import REDACTOR

live.MOMENT = live.TICK = 0.02
shown = threading.Event()

def look(board):
    'Wait until the board was drawn as it stands now.'
    if board is not None:
        drawn, tick = threading.Event(), board.tick
        board.tick = lambda: (tick(), drawn.set())
        drawn.wait()

REDACTOR.register("hunter2-on-a-tty")
record = Record(Path(sys.argv[1]))
with console.install(hold=0.02) as streams:
    print("before the board ", end="", flush=True)
    with console.show_progress(record):
        outer = Step("1", None, "parallel", "prepare", "000__prepare")
        inner = Step("2", "1", "branch", "hunter2-on-a-tty", "000__prepare")
        record.start(outer)
        record.start(inner)
        console.waiting_for("1", "the pods of redis")
        while streams.outlet.screen is None and "rich" in sys.argv[2]:
            shown.wait(0.01)
        look(streams.outlet.screen)
        print("printed", "above", "hunter2-on-a-tty")
        sys.stdout.write("\\x1b[32mgreen\\x1b[0m\\n")
        record.end(inner, Status.FAILED, Cause("ValueError", "broken", "2"))
        look(streams.outlet.screen)
        record.end(outer, Status.PASSED)
    assert ("rich" in sys.modules) == ("rich" in sys.argv[2])
    print("after the board")
"""


def on_terminal(tmp_path: Path, expected: str, **environment: str) -> str:
    """Run the probe with a terminal as its standard streams, and return what the terminal got."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "TERM", "COLUMNS")}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE, str(tmp_path), expected],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    received = b""
    while chunk := _read(ours):
        received += chunk
    os.close(ours)
    assert process.wait() == 0, received.decode()
    return received.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other side was closed
        return b""


def test_board(tmp_path: Path) -> None:
    text = on_terminal(tmp_path, "rich")
    assert "hunter2-on-a-tty" not in text
    assert re.search(r"000__prepare.*waiting for the pods of redis", text)
    assert "\x1b[32mgreen" in text, "colours of children reach a terminal"
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")
    assert words.startswith("before the board \n"), "the board begins on a line of its own"
    assert "printed above ********\n" in words
    assert "1 failed" in words
    assert re.search(r"000__prepare \[\*+\] failed \d+\.\ds ValueError: broken\n", words)
    assert text.rstrip().endswith("after the board")


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_plain_lines_although_it_is_a_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    text = on_terminal(tmp_path, "plain", **environment)
    assert "\x1b" not in text
    assert "\r" not in text.replace("\r\n", "\n")
    assert len(re.findall(r"^\d\d:\d\d:\d\d 000__prepare", text, re.MULTILINE)) == 4
