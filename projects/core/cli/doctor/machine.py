"""What `doctor` asks this machine: Python, Ansible, the command-line clients, locale, clock, checkout, limits."""

from __future__ import annotations

import importlib.util
import json
import locale
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from projects.core.cli.doctor.findings import SECONDS, Finding, ok, problem, warning
from projects.core.values.checkout import ROOT

_OLDEST = (3, 11)
_COLLECTION = ROOT / "projects" / "core" / "ansible_collections" / "foresail" / "core"
_PINNED = {"ansible-core": "ansible", "ansible-runner": "ansible", "kubernetes": "client"}
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
"""What says the locale, the one that wins first."""
_OPEN_FILES = 1024
_MEMORY = 1 << 30
_SLACK = timedelta(days=1)  # a commit's time is its author's
_CGROUP = Path("/sys/fs/cgroup")


def python() -> Iterator[Finding]:
    """Ask for the interpreter: its version, and whether it is the checkout's."""
    found = platform.python_version()
    if sys.version_info < _OLDEST:
        yield problem("python", f"{found} in {sys.prefix}", f"Foresail needs {'.'.join(map(str, _OLDEST))} or later")
    elif Path(sys.prefix) != ROOT / ".venv":
        yield warning("python", f"{found} in {sys.prefix}, not in the checkout's .venv", "run `make setup`")
    else:
        yield ok("python", f"{found} in {sys.prefix}")


def packages() -> Iterator[Finding]:
    """Ask for Ansible and the cluster's client, each in the version that the checkout was tested with."""
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", _read(ROOT / "constraints.txt"), re.MULTILINE))
    for name, subject in _PINNED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            yield problem(subject, f"{name} is not installed in {sys.prefix}", "run `make setup`")
            continue
        if name in pins and pins[name] != found:
            yield warning(subject, f"{name} {found}, tested with {pins[name]}", "run `make setup`")
        else:
            yield ok(subject, f"{name} {found}" + (", as pinned" if name in pins else ""))


def collection() -> Iterator[Finding]:
    """Ask for the collection of actions that the roles use."""
    actions = sorted((_COLLECTION / "plugins" / "action").glob("[a-z]*.py"))
    if not actions or importlib.util.find_spec("ansible") is None:
        yield problem(
            "collection", f"foresail.core is not whole in {_COLLECTION}", "check the checkout with `git status`"
        )
    else:
        yield ok("collection", f"foresail.core with {len(actions)} actions")


def clients() -> Iterator[Finding]:
    """Ask for kubectl and oc, which the shell lines of orchestrations call."""
    found = {name: path for name in ("kubectl", "oc") if (path := shutil.which(name))}
    for name, path in found.items():
        yield ok(name, f"{_client_version(path)} in {path}")
    if not found:
        advice = "toolbox commands need neither; put it on the PATH for shell lines that call it"
        yield warning("kubectl", "neither kubectl nor oc is on the PATH", advice)


def encoding() -> Iterator[Finding]:
    """Ask for the locale: Ansible refuses one that is not UTF-8."""
    advice = "set LC_ALL to one of `locale -a` in UTF-8, such as C.UTF-8"
    try:
        named = locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        wanted = next((value for name in _LOCALE if (value := os.environ.get(name))), "the locale")
        yield problem("locale", f"{wanted} is not installed", advice)
        return
    codeset = locale.nl_langinfo(locale.CODESET)
    if codeset.upper().replace("-", "") == "UTF8":
        yield ok("locale", f"{named}, {codeset}")
    else:
        yield problem("locale", f"{named} is in {codeset}, not in UTF-8", advice)


def checkout() -> Iterator[Finding]:
    """Ask for the checkout's version, which goes into the artifacts, and whether the clock is behind its last commit."""
    now = datetime.now(UTC)
    described = _said(["git", "-C", str(ROOT), "describe", "--always", "--dirty"])
    if not described:
        advice = "clone it: without git nobody knows later which version ran"
        yield warning("checkout", f"{ROOT} is not a git checkout, or there is no git", advice)
    elif described.endswith("-dirty"):
        yield ok("checkout", f"{described}: what is not committed runs, too")
    else:
        yield ok("checkout", described)
    committed = _said(["git", "-C", str(ROOT), "log", "-1", "--format=%ct"])
    if committed.isdecimal() and now + _SLACK < datetime.fromtimestamp(int(committed), UTC):
        yield problem(
            "clock",
            f"{now:%Y-%m-%d %H:%M} UTC is before the last commit",
            "set the clock: certificates are checked by it",
        )
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def limits() -> Iterator[Finding]:
    """Ask for what a run with many branches needs: open files, memory, processes."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < _OPEN_FILES:
        yield warning("limits", f"{files} open files", f"raise it: `ulimit -n {_OPEN_FILES}`")
    memory, processes = _memory(), _number(_CGROUP / "pids.max")
    if memory is not None and memory < _MEMORY:
        advice = "a run takes about 300 MB, and 60 MB more for each command at the same time"
        yield warning("memory", f"{memory / (1 << 20):.0f} MiB left", advice)
    elif memory is not None:
        yield ok("memory", f"{memory / (1 << 30):.1f} GiB left")
    if processes is not None:
        used = _number(_CGROUP / "pids.current") or 0
        least = 100
        text = f"{processes - used} of {processes} left"
        yield (
            ok("processes", text)
            if processes - used >= least
            else warning("processes", text, "raise the pids limit of the container")
        )


CHECKS: Sequence[Callable[[], Iterator[Finding]]] = (python, packages, collection, clients, encoding, checkout, limits)


def _client_version(path: str) -> str:
    # Some are wrappers that would ask the cluster which version to be.
    alone = {**os.environ, "KUBECONFIG": os.devnull}
    try:
        return str(json.loads(_said([path, "version", "--client", "-o", "json"], alone))["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        return "of unknown version"


def _said(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return what a program prints; nothing when it is not there, fails, or takes too long."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _memory() -> int | None:
    """Return how many bytes of memory are left: to the container, or on the machine."""
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    free = re.search(r"^MemAvailable:\s+(\d+) kB", _read(Path("/proc/meminfo")), re.MULTILINE)
    left = [limit - used] if limit is not None and used is not None else []
    left += [int(free[1]) * 1024] if free else []
    return min(left, default=None)


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
