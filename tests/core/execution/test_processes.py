from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.execution.cancellation import CancelToken, interrupt
from projects.core.execution.processes import PLAIN_BASH, PROTECTED_BASH, Collector, Ended, run_process
from projects.core.values.errors import Cancelled, TimedOut
from tests.core.execution.waiting import running, wait_for, wait_for_file

slowly = threading.Event()

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def bash(script: str, **options: object) -> Ended:
    options = {"token": CancelToken(), "environment": ENVIRONMENT, **options}
    return run_process([*PLAIN_BASH, script], **options)  # type: ignore[arg-type]


@pytest.fixture
def marker() -> str:
    """A name that stands in the command line of the processes of this test only."""
    return f"probe-{uuid.uuid4().hex}"


def sleeper(marker: str, seconds: int = 300) -> str:
    """A command that sleeps and can be told from others by its command line."""
    return f"bash -c 'sleep {seconds}; : {marker}'"


def stubborn(marker: str) -> str:
    """A command that does not end at TERM."""
    return f"bash -c 'trap \"\" TERM; while true; do sleep 1; done; : {marker}'"


def test_output_and_status_come_back_as_bytes() -> None:
    ended = bash("printf 'out\\xff'; printf err >&2; exit 7")
    assert ended == Ended(7, b"out\xff", b"err")


def test_a_process_that_a_signal_ended_has_its_negative_number() -> None:
    assert bash("kill -SEGV $$").status == -signal.SIGSEGV


def test_the_environment_is_exactly_what_is_given_and_the_directory_too(tmp_path: Path) -> None:
    ended = run_process(["/usr/bin/env", "-0"], token=CancelToken(), environment={"ONLY": "this\nž"}, cwd=tmp_path)
    assert ended.stdout.decode() == "ONLY=this\nž\0"
    assert bash("pwd", cwd=tmp_path).stdout.decode().strip() == str(tmp_path)


def test_standard_input_is_empty_unless_it_is_given(tmp_path: Path) -> None:
    assert bash("cat; echo end").stdout == b"end\n"
    (tmp_path / "input").write_text("given")
    with (tmp_path / "input").open("rb") as file:
        assert bash("cat", stdin=file).stdout == b"given"


def test_protected_bash_fails_where_plain_bash_goes_on() -> None:
    for script in ("false; true", "false | true", 'echo "$NOT_SET"', "f() { false; true; }; f"):
        ended = run_process([*PROTECTED_BASH, script], token=CancelToken(), environment=ENVIRONMENT)
        assert ended.status != 0, script
        assert bash(script).status == 0, script


def test_a_program_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        run_process(["/no/such/program"], token=CancelToken(), environment={})


def test_output_arrives_while_the_process_runs(tmp_path: Path) -> None:
    heard, fifo = threading.Event(), tmp_path / "fifo"
    os.mkfifo(fifo)

    def listen(text: str) -> None:
        if "first" in text:
            fifo.write_text("go on\n")
            heard.set()

    ended = bash(f"echo first; read line < {fifo}; echo $line", on_stdout=listen, timeout=30)
    assert heard.is_set()
    assert ended.stdout == b"first\ngo on\n"


def test_big_output_on_both_streams_is_whole() -> None:
    script = "import sys; sys.stdout.write('o' * 3_000_000); sys.stderr.write('e' * 3_000_000)"
    ended = run_process([sys.executable, "-c", script], token=CancelToken(), environment=ENVIRONMENT, timeout=60)
    assert (ended.stdout, ended.stderr) == (b"o" * 3_000_000, b"e" * 3_000_000)


def test_what_was_written_last_is_not_lost() -> None:
    for _ in range(20):
        assert bash("printf 'x%.0s' {1..5000}; exit 3").stdout == b"x" * 5000


@given(st.text(max_size=20), st.lists(st.integers(1, 5), max_size=20))
def test_text_is_handed_on_whole_wherever_its_bytes_are_cut(text: str, sizes: list[int]) -> None:
    heard: list[str] = []
    collector, data = Collector(heard.append), text.encode()
    for size in sizes:
        collector.feed(data[:size])
        data = data[size:]
    collector.feed(data)
    collector.close()
    assert "".join(heard) == text
    assert collector.content == text.encode()


@given(st.binary(max_size=30))
def test_bytes_that_are_no_text_do_no_harm(data: bytes) -> None:
    heard: list[str] = []
    collector = Collector(heard.append)
    for number in range(len(data)):
        collector.feed(data[number : number + 1])
    collector.close()
    assert "".join(heard) == data.decode(errors="replace")
    assert collector.content == data


def test_a_daemon_left_in_the_background_is_not_waited_for(marker: str) -> None:
    ended = bash(f"{sleeper(marker)} & echo left it")
    assert (ended.status, ended.stdout) == (0, b"left it\n")
    left, *_ = running(marker)  # it lives, so nobody has waited; it is two while it has forked and not executed yet
    os.killpg(os.getpgid(int(left.split()[0])), signal.SIGKILL)


def test_a_daemon_that_goes_on_writing_is_not_waited_for(tmp_path: Path) -> None:
    script = f"(exec yes) & echo $! > {tmp_path}/pid; sleep 0.1"
    assert bash(script, on_stdout=lambda text: slowly.wait(0.001), timeout=30).status == 0
    wait_for(lambda: not Path(f"/proc/{wait_for_file(tmp_path / 'pid')}").exists(), "the end of what nobody reads")


def test_a_process_that_writes_without_end_is_timed_out_nonetheless() -> None:
    with pytest.raises(TimedOut):
        bash("yes & yes & yes & yes", timeout=0.5, on_stdout=lambda text: slowly.wait(0.001))


def test_a_process_that_writes_without_end_is_cancelled_nonetheless() -> None:
    token, heard = CancelToken(), threading.Event()

    def cancel() -> None:
        heard.wait(30)
        token.cancel("enough")

    threading.Thread(target=cancel).start()
    with pytest.raises(Cancelled, match="enough"):
        bash("yes & yes & yes & yes", token=token, on_stdout=lambda text: heard.set(), timeout=60)


@pytest.mark.parametrize("how", ["time-out", "cancellation"])
@pytest.mark.parametrize(
    "script",
    [
        "{sleeper} | cat; true",
        "{sleeper} & {sleeper} & wait",
        "{stubborn} | cat",
        "setsid {sleeper} & setsid {stubborn} & wait",
        "({stubborn} &); exec sleep 300",
        "trap '{sleeper} & wait' TERM; {sleeper} & wait",
        "trap '' TERM INT HUP; {sleeper}; true",
    ],
    ids=[
        "pipeline",
        "children",
        "ignores TERM",
        "own sessions",
        "orphan",
        "starts more at TERM",
        "all ignore",
    ],
)
def test_nothing_that_it_started_is_left(script: str, how: str, marker: str, tmp_path: Path) -> None:
    ready, token = tmp_path / "ready", CancelToken()
    text = f"(sleep 0.2; echo ready > {ready}) & " + script.replace("{sleeper}", sleeper(marker)).replace(
        "{stubborn}", stubborn(marker)
    )
    if how == "cancellation":

        def cancel() -> None:
            wait_for_file(ready)
            token.cancel("a sibling failed")

        threading.Thread(target=cancel).start()
        with pytest.raises(Cancelled, match="a sibling failed"):
            bash(text, token=token, grace=0.2)
    else:
        with pytest.raises(TimedOut, match=r"did not end within 0.5 s"):
            bash(text, timeout=0.5, grace=0.2)
    assert running(marker) == []


def test_a_process_gets_its_grace_to_clean_up(tmp_path: Path) -> None:
    script = f"trap 'sleep 0.3; echo cleaned > {tmp_path}/trace; exit 0' TERM; echo ready; sleep 300 & wait"
    token = CancelToken()
    with pytest.raises(Cancelled):
        bash(script, token=token, grace=60, on_stdout=lambda text: token.cancel("now that it is ready"))
    assert (tmp_path / "trace").read_text() == "cleaned\n"


def test_what_was_written_before_the_end_is_handed_on() -> None:
    heard: list[str] = []
    token = CancelToken()

    def listen(text: str) -> None:
        heard.append(text)
        token.cancel("it has begun")

    with pytest.raises(Cancelled):
        bash("trap 'echo during; exit' TERM; echo before; sleep 300 & wait", token=token, on_stdout=listen, grace=60)
    assert "".join(heard) == "before\nduring\n"


def test_nothing_starts_under_a_cancelled_token(tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel("over")
    with pytest.raises(Cancelled, match="over"):
        bash(f"touch {tmp_path}/started", token=token)
    assert not (tmp_path / "started").exists()


def test_a_process_that_ends_in_time_is_not_timed_out() -> None:
    assert bash("echo quick", timeout=30).stdout == b"quick\n"


def test_the_listener_of_a_token_is_taken_off_with_the_process() -> None:
    token = CancelToken()
    for _ in range(5):
        bash("true", token=token)
    assert token._callbacks == []


def test_an_error_of_the_listener_ends_the_process_and_is_raised(marker: str) -> None:
    def fails(text: str) -> None:
        raise BrokenPipeError("nobody listens")

    with pytest.raises(BrokenPipeError, match="nobody listens"):
        bash(f"echo x; {sleeper(marker)}; true", on_stdout=fails)
    wait_for(lambda: running(marker) == [], "its end")


def test_an_exception_of_a_signal_handler_ends_the_process(marker: str, tmp_path: Path) -> None:
    class Alarm(BaseException): ...

    def ring(signum: int, frame: object) -> None:
        raise Alarm

    def ring_when_ready() -> None:
        wait_for_file(tmp_path / "ready")
        signal.pthread_kill(main, signal.SIGALRM)

    main = threading.get_ident()
    ringing = threading.Thread(target=ring_when_ready)
    old = signal.signal(signal.SIGALRM, ring)
    try:
        ringing.start()
        trap = f"trap 'echo told > {tmp_path}/trace; exit' TERM; echo up > {tmp_path}/ready"
        with pytest.raises(Alarm):
            bash(f"{trap}; {sleeper(marker)} & wait", grace=60)
    finally:
        ringing.join()
        signal.signal(signal.SIGALRM, old)
    assert running(marker) == []
    assert (tmp_path / "trace").read_text() == "told\n"


def test_an_interruption_at_any_moment_of_the_start_leaves_no_process(marker: str) -> None:
    class Alarm(BaseException): ...

    token = CancelToken()

    def ring(signum: int, frame: object) -> None:
        # As the session's handler does.
        threading.Thread(target=token.cancel, args=("rung",)).start()
        interrupt(Alarm())

    def begin(alarm: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, alarm)
        bash(f"{sleeper(marker)}; true", token=token, timeout=30)

    old = signal.signal(signal.SIGALRM, ring)
    try:
        for number in range(40):
            token = CancelToken()
            with pytest.raises(Alarm):
                begin(0.0001 + number * 0.0001)
            assert running(marker) == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_no_descriptor_is_left_open() -> None:
    bash("true")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(10):
        bash("echo x")
        with pytest.raises(TimedOut):
            bash("sleep 300", timeout=0.01)
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_fifty_processes_of_as_many_threads_end_together(marker: str, tmp_path: Path) -> None:
    token, ended = CancelToken(), list[str]()

    def work(number: int) -> None:
        try:
            bash(f"echo up > {tmp_path}/{number}; {sleeper(marker)}; true", token=token)
        except Cancelled:
            ended.append("cancelled")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for number in range(50):
        wait_for_file(tmp_path / str(number))
    token.cancel("now")
    for thread in threads:
        thread.join()
    assert ended == ["cancelled"] * 50
    assert running(marker) == []


def test_the_memory_that_a_shown_output_takes_is_bounded() -> None:
    # Hours of a load test's output are shown as they come, and only their end is wanted afterwards.
    heard = 0

    def listen(text: str) -> None:
        nonlocal heard
        heard += len(text)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ended = bash("head -c 300000000 /dev/zero", on_stdout=listen, timeout=100)
    assert (ended.status, heard) == (0, 300_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert ended.stdout.endswith(b"\0" * 10_000)
