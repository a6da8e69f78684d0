"""`run_toolbox.py doctor`: what it finds where something is missing, and that nothing makes it hang."""

from __future__ import annotations

import json
import locale
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from projects.core.cli import toolbox
from projects.core.cli.doctor import cluster, findings, machine, places, secrets
from projects.core.cli.doctor.findings import Finding, Level
from projects.core.cluster.session import disconnect
from projects.core.values.checkout import ROOT
from projects.core.values.errors import TimedOut, UsageError

ENOUGH_S = 60.0


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("ARTIFACT_DIR", raising=False)
    monkeypatch.setenv("FORESAIL_BASE_DIR", str(tmp_path))
    monkeypatch.setenv("FORESAIL_CACHE_DIR", str(tmp_path / "cache"))
    # What does answer is waited for, on a busy machine too; what does not is given up sooner where that is tested.
    monkeypatch.setattr(findings.bounded, "__defaults__", (ENOUGH_S,))
    monkeypatch.setattr(cluster, "SECONDS", ENOUGH_S)
    monkeypatch.setattr(machine, "SECONDS", ENOUGH_S)
    named = locale.setlocale(locale.LC_CTYPE)
    yield
    locale.setlocale(locale.LC_CTYPE, named)
    disconnect()
    for thread in threading.enumerate():  # what was given up ends here, not in the midst of another test
        if thread.name.startswith("doctor: "):
            thread.join(ENOUGH_S)


def levels(found: Iterator[Finding]) -> dict[str, Level]:
    return {finding.subject: finding.level for finding in found}


def kubeconfig(directory: Path, server: str) -> Path:
    path = directory / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "none"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(document))
    return path


class Answers(BaseHTTPRequestHandler):
    """An API server that answers what `doctor` asks; `allowed` says what the user may do."""

    allowed = True

    def do_GET(self) -> None:
        self._answer({"gitVersion": "v1.30.1"})

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_node = review["spec"]["resourceAttributes"]["resource"] == "nodes"
        self._answer({**review, "status": {"allowed": self.allowed or not is_node}})

    def log_message(self, *_: object) -> None: ...

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() - 3600)

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")))
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_everything_has_a_line_and_a_missing_kubeconfig_is_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert toolbox.main(["run_toolbox.py", "doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    subjects = {line[9:].split()[0] for line in lines if line[:1].isalpha() and line[:9].strip() in set(Level)}
    assert subjects >= {
        "python",
        "ansible",
        "collection",
        "locale",
        "checkout",
        "clock",
        "artifacts",
        "disk",
        "kubeconfig",
        "secrets",
    }
    assert any(line.startswith("warning  kubeconfig") for line in lines)
    assert all(len(line) <= 80 for line in lines if str(Path(sys.prefix)) not in line and "/tmp" not in line)


def test_a_cluster_that_is_not_reachable_is_infrastructure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, f"https://127.0.0.1:{port}")))
    assert toolbox.main(["run_toolbox.py", "doctor"]) == 3
    out = capsys.readouterr().out
    assert "problem  cluster" in out
    assert "1 problem" in out


def test_a_server_that_never_answers_hangs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bounded(ask: Callable[[], object], what: str) -> object:
        return findings.bounded(ask, what, 0.3 if what.startswith("the API server") else ENOUGH_S)

    monkeypatch.setattr(cluster, "bounded", bounded)
    # Were it waited for, pytest's own time-out would end this: it says nothing for as long as the test lasts.
    monkeypatch.setattr(cluster, "SECONDS", 600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, f"https://127.0.0.1:{silent.getsockname()[1]}")))
        found = list(cluster.check())
    assert [each.level for each in found] == [Level.OK, Level.PROBLEM]
    assert "did not answer within 0.3 s" in found[1].text


def test_importing_the_client_is_no_part_of_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys; from projects.core.cli.doctor import cluster\n"
        "def bounded(ask, what):\n"
        "    print(what, sorted({'kubernetes.client', 'kubernetes.config', 'kubernetes.dynamic'} - set(sys.modules)))\n"
        "    return ask()\n"
        "cluster.bounded = bounded; next(cluster.check())"
    )
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "https://127.0.0.1:9")))
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "the kubeconfig []\n"


@pytest.mark.usefixtures("api")
def test_a_cluster_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(cluster.check())
    assert levels(iter(found)) == {
        "kubeconfig": Level.OK,
        "cluster": Level.OK,
        "clock": Level.WARNING,
        "permissions": Level.OK,
    }
    assert "v1.30.1" in found[1].text
    assert "ahead of" in found[2].text
    monkeypatch.setattr(Answers, "allowed", False)
    disconnect()
    refused = next(each for each in cluster.check() if each.subject == "permissions")
    assert (refused.level, refused.text) == (Level.WARNING, "not allowed: patch nodes")


def test_a_kubeconfig_that_cannot_be_understood_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broken"
    path.write_text("[]")
    monkeypatch.setenv("KUBECONFIG", str(path))
    (found,) = cluster.check()
    assert found.level is Level.PROBLEM
    assert found.advice


def test_secrets_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, directory = tmp_path / "checkout", tmp_path / "secrets"
    testing = checkout / "projects" / "acme" / "testing"
    testing.mkdir(parents=True)
    directory.mkdir(mode=0o700)
    (testing / "config.yaml").write_text(
        "ci_presets: {name: null, names: [], to_apply: []}\nsecrets: {dir: {env_key: ACME}, token_file: acme.token}\n"
    )
    monkeypatch.setattr(secrets, "ROOT", checkout)
    monkeypatch.delenv("ACME", raising=False)

    def found(project: str | None = "acme") -> Finding:
        (finding,) = secrets.check(project)
        return finding

    assert (found().level, found(None).level) == (Level.PROBLEM, Level.WARNING)
    assert "$ACME is not set" in found().text
    monkeypatch.setenv("ACME", str(tmp_path / "nowhere"))
    assert "names no directory" in found().text
    monkeypatch.setenv("ACME", str(directory))
    assert "acme.token" in found().text
    (directory / "acme.token").write_text("hush")
    assert found().level is Level.OK
    directory.chmod(0o755)
    assert (found().level, found().advice) == (Level.WARNING, f"chmod 700 {directory}")
    with pytest.raises(UsageError, match="unknown project 'acne'"):
        list(secrets.check("acne"))


def test_an_artifact_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "file" / "run"))
    (found,) = places.artifacts()
    assert found.level is Level.PROBLEM
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "new" / "run"))
    (found,) = places.artifacts()
    assert (found.level, "which will be made" in found.text) == (Level.OK, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("gib", "inodes", "level"),
    [(0.5, 10**6, Level.PROBLEM), (2, 10**6, Level.WARNING), (50, 10**6, Level.OK), (50, 10, Level.PROBLEM)],
)
def test_a_disk_that_is_nearly_full(gib: float, inodes: int, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=gib * 2**30))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=10**7, f_favail=inodes))
    (found,) = places.disk()
    assert found.level is level
    assert bool(found.advice) == (level is not Level.OK)


@pytest.mark.parametrize(("value", "level"), [("C.UTF-8", Level.OK), ("C", Level.PROBLEM), ("xx_XX", Level.PROBLEM)])
def test_the_locale(value: str, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", value)
    (found,) = machine.encoding()
    assert found.level is level


def test_another_version_than_the_pinned_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "constraints.txt").write_text("ansible-core==1.0\n")
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    found = list(machine.packages())
    assert found[0].level is Level.WARNING
    assert "tested with 1.0" in found[0].text
    monkeypatch.setattr(machine, "_PINNED", {"no-such-package-of-foresail": "ansible"})
    (missing,) = machine.packages()
    assert missing.level is Level.PROBLEM


def test_no_client_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert levels(machine.clients()) == {"kubectl": Level.WARNING}
    assert levels(machine.checkout()) == {"checkout": Level.WARNING, "clock": Level.OK}


def test_a_client_that_hangs_is_of_unknown_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "kubectl"
    client.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(machine, "SECONDS", 0.2)
    found = next(each for each in machine.clients() if each.subject == "kubectl")
    assert "of unknown version" in found.text


def test_what_does_not_answer_is_given_up() -> None:
    never = threading.Event()
    with pytest.raises(TimedOut, match=r"it did not answer within 0\.05 s"):
        findings.bounded(never.wait, "it", 0.05)
    never.set()
    with pytest.raises(ssl.SSLError):
        findings.bounded(_raises, "it", 5)
    assert findings.bounded(lambda: None, "it", 5) is None


def _raises() -> None:
    raise ssl.SSLError("no")
