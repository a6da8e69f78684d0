"""Checkouts of their own, with an orchestration and toolbox commands, whose processes can be killed. Used by the proofs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from projects.core.record.steps import Step, read_steps
from projects.core.values.checkout import ROOT
from tests.core.trees import write_group, write_role

PROLOGUE = """\
import itertools
import os
import signal
import sys
import time
from pathlib import Path

from projects.core.library import config, env, run, wait
from projects.core.library.entrypoint import entrypoint, main

OUT = Path(os.environ["PROBE_OUT"])


def put(name, text="done"):
    (OUT / name).write_text(f"{text}\\n")

"""


@dataclass(frozen=True)
class Ended:
    """How a process of an orchestration ended."""

    code: int
    out: str
    err: str
    root: Path

    @property
    def steps(self) -> list[Step]:
        return read_steps(self.root)


@dataclass
class Orchestration:
    """A checkout with the project `probe`."""

    directory: Path
    kubeconfig: Path | None = None
    _count: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def make(
        cls, directory: Path, body: str, *, methods: str, roles: dict[str, str], probes: dict[str, str] | None = None
    ) -> Orchestration:
        """Write a checkout: the core, one group of commands, one project."""
        for name in ("projects/core", "toolbox", "testing"):
            shutil.copytree(ROOT / name, directory / name, symlinks=True)
        for name in ("projects/__init__.py", "config.yaml", "command_args.yaml.j2", "run_toolbox.py"):
            shutil.copy(ROOT / name, directory / name)
        testing = directory / "projects" / "probe" / "testing"
        testing.mkdir(parents=True)
        (testing / "test.py").write_text(PROLOGUE + textwrap.dedent(body), encoding="utf-8")
        (testing / "config.yaml").write_text("probe: {}\n", encoding="utf-8")
        module = write_group(directory, "probe", methods, project="probe")
        for command, tasks in roles.items():
            role = write_role(module.parent / "roles" / f"probe_{command}", tasks)
            if probe := (probes or {}).get(command):
                (role / "tasks" / "probe.yml").write_text("---\n" + textwrap.dedent(probe), encoding="utf-8")
        return cls(directory)

    def fresh(self, name: str = "run") -> Path:
        """Return a new artifact directory."""
        self._count[0] += 1
        root = self.directory / "runs" / f"{self._count[0]:04d}-{name}"
        root.mkdir(parents=True)
        return root

    def start(self, root: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start an entrypoint in an artifact directory."""
        return self._start([str(self.directory / "projects/probe/testing/test.py"), *words], root, environment)

    def run(self, root: Path, *words: str, **environment: str) -> Ended:
        """Run an entrypoint to its end."""
        return self.ended(self.start(root, *words, **environment), root)

    def toolbox(self, root: Path, *words: str, **environment: str) -> Ended:
        """Run a line of run_toolbox.py."""
        return self.ended(self._start([str(self.directory / "run_toolbox.py"), *words], root, environment), root)

    def ended(self, process: subprocess.Popen[str], root: Path) -> Ended:
        """Wait for the end of a process."""
        with process:
            out, err = process.communicate(timeout=90)
        return Ended(process.returncode, out, err, root)

    def _start(self, argv: list[str], root: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        own = {
            "PYTHONPATH": str(self.directory),
            "ARTIFACT_DIR": str(root),
            "PROBE_OUT": str(root.parent),
            "PROBE_ROOT": str(root),
            "CI": "true",
            "LC_ALL": "C.UTF-8",
            "KUBECONFIG": str(self.kubeconfig or root / "none"),
        }
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, *argv],
            env={**inherited, **own, **environment},
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )


def processes_of(root: Path) -> list[str]:
    """Return the command lines of the processes that were started for a run."""
    wanted = f"PROBE_ROOT={root}".encode()
    found = []
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            if wanted in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found
