"""A stream that nobody reads any more does not end who writes to it."""

import errno
import io
import os
import subprocess
import sys
from typing import NoReturn

import pytest

from projects.core.console.outlet import Outlet

_CHATTY = """
import sys
from projects.core.console import install

with install():
    print("first", flush=True)
    sys.stdin.readline()
    for number in range(1000):
        print("nobody reads this", number, flush=True)
    print("done", file=sys.stderr, flush=True)
"""


class Refusing(io.StringIO):
    """A stream whose device answers with an error."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str, /) -> NoReturn:
        raise OSError(self.number, os.strerror(self.number))


def test_the_run_goes_on_when_the_reader_of_its_output_has_gone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _CHATTY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "first\n"
        process.stdout.close()
        process.stdin.write("go\n")
        process.stdin.close()
        assert process.stderr.read() == "done\n"
        assert process.wait(timeout=30) == 0


def test_another_error_of_the_device_is_told() -> None:
    outlet = Outlet(Refusing(errno.ENOSPC), io.StringIO())
    with pytest.raises(OSError, match="No space left"):
        outlet.accept([("stdout", "text\n")], owner=None)
