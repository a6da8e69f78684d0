from __future__ import annotations

import functools
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.request import Remote, Request
from projects.core.library import commands, env, run
from projects.core.record.steps import read_steps
from projects.core.toolbox.specification import specify
from projects.core.values.checkout import ROOT
from projects.core.values.errors import CommandFailed, UsageError
from projects.core.values.redaction import MASK, Redactor
from tests.core.library.played_host import PlayedHost
from tests.core.trees import PROLOGUE, write_group

BODY = '''
@command(directory_suffix="_{driver}")
def go(self, driver: str, speed: float = 1, load: Load | None = None, tags: list[str] | None = None, top: int | bool = False) -> None:
    """Go there."""
    if speed < 0:
        raise UsageError("speed is negative", hint="drive forwards")
'''
LOAD = (
    PROLOGUE
    + """
from dataclasses import dataclass
from projects.core.values.errors import UsageError

@dataclass
class Load:
    weight: int

    @classmethod
    def parse(cls, text):
        return cls(int(text.removesuffix("kg")))

    def __str__(self):
        return f"{self.weight}kg"
"""
)


@pytest.fixture
def host(run_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayedHost:
    """A played host in place of the warm one, and a tree with the group `car` in place of the checkout."""
    write_group(tmp_path, "car", BODY, roles={"go": "- name: Go\n  debug:\n"}, prologue=LOAD)
    played = PlayedHost()
    monkeypatch.setattr(commands, "HOST", played)
    monkeypatch.setattr(commands, "specify", functools.partial(specify, root=tmp_path))
    return played


def test_a_command_is_a_step_in_a_numbered_directory(host: PlayedHost, run_root: Path) -> None:
    with env.NextArtifactDir("outer"):
        done = run.run_toolbox("car", "go", driver="me", speed=2)
    assert done.directory == run_root / "000__outer" / "000__car__go_me"
    assert (done.returncode, done.error) == (0, None)
    outer, step = read_steps(run_root)
    assert (step.kind, step.name, step.parent, step.status) == ("command", "car go", outer.id, "passed")
    assert step.arguments == {"driver": "me", "speed": 2.0, "load": None, "tags": None, "top": False}
    (request,) = host.requests
    assert request.variables["car_go_driver"] == "me"
    assert (request.directory, request.artifact_dir) == (done.directory, run_root / "000__outer")
    assert request.environment["ARTIFACT_DIR"] == str(done.directory)
    assert request.environment["FORESAIL_STEP"] == step.id


def test_the_suffix_of_the_caller_ends_the_name_of_the_directory(host: PlayedHost) -> None:
    assert run.run_toolbox("car", "go", "_before", driver="me").directory.name == "000__car__go_me_before"


@pytest.mark.parametrize(
    ("group", "command", "arguments", "message", "hint"),
    [
        ("carr", "go", {}, "unknown toolbox group 'carr'", "did you mean 'car'?"),
        ("car", "goo", {}, "unknown command 'car goo'", "did you mean 'go'?"),
        ("car", "go", {}, "car go: missing argument driver (str)", "./run_toolbox.py car go --help"),
        ("car", "go", {"driver": 4.1}, "car go: driver: expected str, found the float 4.1", None),
        ("car", "go", {"drivr": "x", "driver": "y"}, "car go: unknown argument drivr", None),
        ("car", "go", {"driver": "x", "speed": -1}, "car go: speed is negative", "drive forwards"),
    ],
)
def test_a_wrong_call_starts_nothing(
    host: PlayedHost,
    run_root: Path,
    group: str,
    command: str,
    arguments: dict[str, Any],
    message: str,
    hint: str | None,
) -> None:
    with pytest.raises(UsageError) as caught:
        run.run_toolbox(group, command, **arguments)
    assert caught.value.message.startswith(message)
    assert hint in (None, caught.value.hint)
    assert host.requests == []
    assert list(run_root.iterdir()) == []


def test_a_failure_raises_with_its_directory(host: PlayedHost, run_root: Path) -> None:
    host.status = 2
    with pytest.raises(CommandFailed) as caught:
        run.run_toolbox("car", "go", driver="me")
    assert caught.value.directory == run_root / "000__car__go_me"
    (step,) = read_steps(run_root)
    assert (step.status, step.tolerated) == ("failed", False)
    assert (caught.value.directory / "FAILURE").exists()


def test_a_failure_that_is_not_checked_is_returned_and_does_not_count(host: PlayedHost, run_root: Path) -> None:
    host.status = 2
    done = run.run_toolbox("car", "go", driver="me", check=False)
    assert (done.returncode, type(done.error)) == (1, CommandFailed)
    (step,) = read_steps(run_root)
    assert (step.status, step.tolerated) == ("failed", True)
    assert not (done.directory / "FAILURE").exists()


def test_what_a_role_prints_is_shown_unless_it_is_muted(host: PlayedHost, capsys: pytest.CaptureFixture[str]) -> None:
    run.run_toolbox("car", "go", driver="me")
    assert capsys.readouterr().out == "printed by the role\n"
    run.run_toolbox("car", "go", driver="me", mute_stdout=True)
    assert capsys.readouterr().out == ""


def words_of(arguments: dict[str, Any], **options: bool) -> list[str]:
    specification, complete = commands.bind("car", "go", arguments)
    script, *words = shlex.split(commands.command_line(specification, complete, **options))
    assert script == str(ROOT / "run_toolbox.py")
    return words


def test_the_line_that_does_it_again_holds_what_differs_from_the_defaults(host: PlayedHost) -> None:
    hard = 'it\'s "4.10"\n{{ x }} $HOME'
    arguments = {"driver": hard, "speed": 2, "load": "5kg", "tags": ["007", hard], "top": 0}
    assert words_of({"driver": "007"}) == ["car", "go", "--driver=007"]
    assert words_of({"driver": "x"}, check=True) == ["--check", "car", "go", "--driver=x"]
    again = words_of(arguments)
    assert again[:5] == ["car", "go", f"--driver={hard}", "--speed=2.0", "--load=5kg"]
    assert again[6:] == ["--top=0"]


def test_the_line_that_does_it_again_holds_no_secret(host: PlayedHost, redactor: Redactor) -> None:
    redactor.register("it's-hunter2")
    words = words_of({"driver": "it's-hunter2", "tags": ["x it's-hunter2 y"]})
    assert words == ["car", "go", f"--driver={MASK}", f'--tags=["x {MASK} y"]']


def test_secrets_are_handed_to_the_command(host: PlayedHost, redactor: Redactor) -> None:
    redactor.register("hunter2")
    run.run_toolbox("car", "go", driver="me")
    assert host.requests[0].secrets == ("hunter2",)


@pytest.mark.parametrize("prefix", ["FORESAIL", "TOPSAIL"])
def test_a_remote_host_comes_from_the_environment(
    host: PlayedHost, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    cold: list[Request] = []

    def run_cold(request: Request, token: CancelToken, on_output: object) -> int:
        cold.append(request)
        return 0

    monkeypatch.setattr("projects.core.execution.command.run_cold", run_cold)
    monkeypatch.setenv(f"{prefix}_REMOTE_HOSTNAME", "mac.example.com")
    monkeypatch.setenv(f"{prefix}_REMOTE_USERNAME", "tester")
    run.run_toolbox("car", "go", driver="me")
    assert [request.remote for request in cold] == [Remote("mac.example.com", "tester", None)]


def test_branches_run_commands_side_by_side(host: PlayedHost, run_root: Path) -> None:
    with run.Parallel("many") as parallel:
        for number in range(30):
            parallel.delayed(run.run_toolbox, "car", "go", driver=f"d{number}")
    assert len({request.directory for request in host.requests}) == 30
    assert sorted(request.variables["car_go_driver"] for request in host.requests) == sorted(
        f"d{number}" for number in range(30)
    )


def test_importing_the_library_starts_no_host() -> None:
    script = (
        "import sys; from projects.core.library import commands, run;"
        "assert commands.HOST._process is None; assert 'ansible' not in sys.modules; assert 'kubernetes' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_command_is_given_the_time_that_it_declares(
    tmp_path: Path, run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '@command(timeout=0.5)\ndef slow(self) -> None:\n    """Take long."""\n'
    write_group(tmp_path, "car", body, roles={"slow": "- name: Sleep\n  ansible.builtin.command: sleep 60\n"})
    monkeypatch.setattr(commands, "specify", functools.partial(specify, root=tmp_path))
    with pytest.raises(CommandFailed, match=r"it did not end within 0.5 s, and was ended") as failed:
        run.run_toolbox("car", "slow")
    assert failed.value.exit_code == 4
    assert read_steps(run_root)[0].status == "timed_out"
    assert run.run_toolbox("car", "slow", check=False).returncode == 4
    commands.HOST.stop()
