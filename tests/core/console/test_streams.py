import contextlib
import contextvars
import io
import itertools
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.console import branch_output, configure_logging, install, installed, remember_output, say
from projects.core.console.streams import Streams
from projects.core.values.redaction import REDACTOR

SECRET = "hunter2-d41d8cd98f00b204"
SOON = 60.0


@pytest.fixture(autouse=True)
def _secret() -> None:
    REDACTOR.register(SECRET)


class Real(io.StringIO):
    """A stream that says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Condition()

    def write(self, text: str, /) -> int:
        with self.written:
            self.written.notify_all()
            return super().write(text)

    def until(self, wanted: str) -> bool:
        with self.written:
            return self.written.wait_for(lambda: wanted in self.getvalue(), SOON)


class Pair:
    def __init__(self, streams: Streams, out: Real, err: Real) -> None:
        self.streams, self.out, self.err = streams, out, err


@contextlib.contextmanager
def replaced() -> Iterator[tuple[Real, Real]]:
    """Put streams of our own in place of pytest's, which come back with each phase of a test: so no fixture."""
    out, err = Real(), Real()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err


def on_streams(test: Callable[[Pair], None]) -> Callable[[], None]:
    """Give a test installed streams before two real ones."""

    def run() -> None:
        with replaced() as (out, err), install(hold=0.02) as streams:
            test(Pair(streams, out, err))

    return run


@on_streams
def test_print_is_redacted(pair: Pair) -> None:
    print("the token is", SECRET, sep=" ")
    print(SECRET, file=sys.stderr)
    assert pair.out.getvalue() == "the token is ********\n"
    assert pair.err.getvalue() == "********\n"


@on_streams
def test_binary_side_is_redacted(pair: Pair) -> None:
    sys.stdout.buffer.write(f"příliš {SECRET[:5]}".encode()[:4])
    sys.stdout.buffer.write(f"příliš {SECRET[:5]}".encode()[4:])
    sys.stdout.buffer.write(f"{SECRET[5:]}\n".encode())
    sys.stdout.buffer.flush()
    assert pair.out.getvalue() == "příliš ********\n"


@on_streams
def test_a_flush_alone_does_not_cut_a_secret(pair: Pair) -> None:
    print(SECRET[:8], end="", flush=True)
    print(SECRET[8:], flush=True)
    assert SECRET[:8] not in pair.out.getvalue()


@on_streams
def test_late_beginning_is_shown_but_not_that_of_a_secret(pair: Pair) -> None:
    print(f"dots ... {SECRET[:8]}", end="", flush=True)
    assert pair.out.until("dots ...")
    print(f"{SECRET[8:]} end")
    assert pair.out.getvalue() == "dots ... ******** end\n"


@on_streams
def test_late_beginning_of_a_value_that_is_learnt_meanwhile_is_masked_with_its_rest(pair: Pair) -> None:
    print("dots ... learnt-", end="", flush=True)
    assert pair.out.until("learnt-")
    REDACTOR.register("learnt-meanwhile")
    print("meanwhile end")
    assert pair.out.getvalue() == "dots ... learnt-\ndots ... ******** end\n"


@on_streams
def test_late_beginning_goes_on_where_it_stopped(pair: Pair) -> None:
    for part in ("one ", "two ", "three"):
        print(part, end="", flush=True)
        assert pair.out.until(part)
    print(" end")
    assert pair.out.getvalue() == "one two three end\n"


@on_streams
def test_others_do_not_write_into_a_line_that_was_begun(pair: Pair) -> None:
    print("Password: ", end="", flush=True)
    assert pair.out.until("Password: ")
    thread = threading.Thread(target=print, args=("of another thread",))
    thread.start()
    thread.join()
    print("given")
    assert pair.out.getvalue() == "Password: \nof another thread\ngiven\n"


@given(
    words=st.lists(st.sampled_from([SECRET, "word", "\n", " ", "háček 🐴", "{}"]), min_size=1, max_size=12),
    cuts=st.lists(st.integers(0, 200), max_size=12),
    flush=st.booleans(),
)
def test_no_split_shows_the_secret(words: list[str], cuts: list[int], flush: bool) -> None:
    text = "".join(words)
    with replaced() as (out, _), install(hold=60):
        for begin, end in itertools.pairwise(sorted({0, *cuts, len(text)})):
            print(text[begin:end], end="", flush=flush)
    assert out.getvalue() == REDACTOR.redact(text)


@given(cuts=st.sets(st.integers(1, len(SECRET) - 1), max_size=4))
def test_no_pause_shows_the_secret_whole(cuts: set[int]) -> None:
    """With each part shown before the next one comes: the mechanism of the time-out, without its clock."""
    out = Real()
    streams = Streams(out, Real(), hold=0.0)
    streams.lines._watch = lambda: None  # type: ignore[method-assign] # this test is the watcher
    for begin, end in itertools.pairwise([0, *sorted(cuts), len(SECRET)]):
        streams.write("stdout", SECRET[begin:end])
        streams.stdout.flush()
        for held in streams.lines._unfinished.values():
            streams.lines._show(held)
    streams.write("stdout", "\n")
    assert SECRET not in out.getvalue()
    assert out.getvalue().endswith("********\n")


@on_streams
def test_threads_do_not_tear_lines(pair: Pair) -> None:
    def chatter(number: int) -> None:
        for line in range(100):
            print("thread", number, "line", line, "." * 50, sep="-")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(chatter, range(16)))
    lines = pair.out.getvalue().splitlines()
    assert sorted(lines) == sorted(
        f"thread-{number}-line-{line}-{'.' * 50}" for number in range(16) for line in range(100)
    )


def test_handlers_of_before_go_through_and_come_back() -> None:
    logger = logging.getLogger("foresail.test.before")
    logger.propagate = False
    with replaced() as real:
        handler = logging.StreamHandler()
        logger.addHandler(handler)
        with install():
            logger.error("logged %s", SECRET)
    assert handler.stream is real[1]
    assert real[1].getvalue() == "logged ********\n"


def test_logging_format_and_idempotence(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    with replaced() as (_, err), install():
        configure_logging()
        configure_logging()
        logging.getLogger("any").info("said %s", SECRET)
    found = err.getvalue()
    assert len(root.handlers) == 1
    assert found.count("\n") == 1
    assert found[8:].startswith(" INFO [test_streams.py:")
    assert found.endswith("] said ********\n")


def test_everything_is_put_back() -> None:
    with replaced() as real:
        with install() as outer, install() as inner:
            assert outer is inner is installed()
            assert not sys.stdout.isatty()
            assert sys.stdout.writable()
            assert not sys.stdout.closed
            print("no newline", end="")
        assert installed() is None
        assert (sys.stdout, sys.stderr) == real
    assert real[0].getvalue() == "no newline"


def test_fileno_and_encoding_are_the_real_ones() -> None:
    script = (
        "import sys; from projects.core.console import install\n"
        "real = sys.stdout\n"
        "with install():\n"
        "    assert sys.stdout.fileno() == 1 and sys.stdout.encoding == real.encoding and sys.stdout.errors == real.errors\n"
        "    sys.stdout.reconfigure(line_buffering=True)\n"
        "    print('caf\\u00e9 \\u2713')\n"
        "    sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1:strict"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, b"caf\xe9 \\u2713\n", b"")


@on_streams
def test_wrong_type_is_a_type_error(pair: Pair) -> None:
    with pytest.raises(TypeError, match="must be str, not bytes"):
        sys.stdout.write(cast("str", b"bytes"))


@on_streams
def test_a_log_gets_neither_escapes_nor_carriage_returns(pair: Pair) -> None:
    sys.stdout.write("10 %\r20 %\r")
    sys.stdout.write("\x1b[32mdone\x1b[0m\r")
    sys.stdout.write("\nnext\r\n")
    assert pair.out.getvalue() == "10 %\n20 %\ndone\nnext\n"


@on_streams
def test_branches_come_in_one_piece_and_in_order_of_their_end(pair: Pair) -> None:
    turn = threading.Barrier(2)

    def branch(name: str) -> None:
        with branch_output(name):
            for number in range(3):
                turn.wait(SOON)
                print(name, number)
                print(name, "on stderr", file=sys.stderr)

    contexts = [contextvars.copy_context() for _ in range(2)]
    threads = [
        threading.Thread(target=context.run, args=(branch, name)) for context, name in zip(contexts, "ab", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocks = pair.out.getvalue()
    for name in "ab":
        assert f"--- {name}\n{name} 0\n{name} 1\n{name} 2\n" in blocks
        assert f"{name} on stderr\n" * 3 + f"--- end of {name}\n" in pair.err.getvalue()


@on_streams
def test_nested_branches_are_part_of_their_parent(pair: Pair) -> None:
    with branch_output("outer"):
        print("before")
        with branch_output("inner"):
            print("inside", end="")
        print("after")
        say("a change of state")
        assert pair.out.getvalue() == ""
        assert pair.err.getvalue() == "a change of state\n"
    assert pair.out.getvalue() == ("--- outer\nbefore\n--- inner\ninside\n--- end of inner\nafter\n--- end of outer\n")


@on_streams
def test_silent_branch_says_nothing(pair: Pair) -> None:
    with branch_output("silent"):
        pass
    assert pair.out.getvalue() == pair.err.getvalue() == ""


@on_streams
def test_a_thread_that_outlives_its_branch_still_prints(pair: Pair) -> None:
    go = threading.Event()
    with branch_output("short"):
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(lambda: go.wait(SOON) and print("late"),)
        )
        thread.start()
    go.set()
    thread.join()
    assert pair.out.getvalue() == "late\n"


def test_without_install_nothing_changes() -> None:
    with replaced() as real, branch_output("x"), remember_output() as tail:
        print("seen at once")
        say(f"told {SECRET}")
        assert real[0].getvalue() == "seen at once\n"
    assert real[1].getvalue() == "told ********\n"
    assert tail.text() == ""


@on_streams
def test_tail_of_a_step_and_of_those_inside(pair: Pair) -> None:
    with remember_output() as outer:
        print("outer", SECRET)
        with remember_output() as inner:
            print("inner")
            print("unfinished", end="")
            assert inner.text() == "inner\nunfinished"
        with branch_output("b"), remember_output() as branch:
            print("branch")
        assert branch.text() == "branch"
        assert outer.text() == "outer ********\ninner\nunfinished\nbranch"


@on_streams
def test_tail_is_bounded(pair: Pair) -> None:
    with remember_output() as tail:
        for number in range(1000):
            print(number)
        assert tail.text().splitlines() == [str(number) for number in range(800, 1000)]
        print("\n".join("x" * 1000 for _ in range(100)))
        assert len(tail.text()) <= 16 * 1024
        print("y" * 100_000)
        assert len(tail.text()) <= 16 * 1024


FORK = """
import os, sys, threading
from projects.core.console import install
with install() as streams:
    ready, release = threading.Event(), threading.Event()
    def hold():
        with streams.outlet.lock, streams.lines._lock:
            ready.set()
            release.wait(5)
    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait(5)
    if os.fork() == 0:
        print("child")
        os._exit(0)
    _, status = os.wait()
    release.set()
    thread.join()
    print("parent", status)
"""


def test_a_forked_child_can_print_while_a_thread_of_its_parent_does() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout == "child\nparent 0\n"
