"""``python3 -m projects.sim_cluster``: up, down, run. The same verbs as those of the real control plane's script."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

from projects.sim_cluster import daemon
from projects.sim_cluster.behaviours.stages.mistakes import StageError
from projects.sim_cluster.captures.errors import CaptureError, UnreachableError
from projects.sim_cluster.captures.verbs import add_verbs, loaded, save
from projects.sim_cluster.options import (
    APIS,
    DEFAULT_NODES,
    DEFAULT_SPEED,
    MAX_SPEED,
    MOST_NODES,
    MOST_SPEED,
    PLATFORMS,
    ClusterOptions,
)
from projects.sim_cluster.scenarios.names import ScenarioError

USAGE: Final = 2
_FAILED: Final = 1
_UNAVAILABLE: Final = 3  # as a toolbox command ends when there is no cluster
_NOT_FOUND: Final = 127
_VERBS: Final = ("up", "down", "run", "load", "save")
_OPTIONS: Final = (
    "--api", "--karpenter", "--nodes", "--platform", "--scenario", "--seed", "--speed", "--stages", "--with-secrets",
    "--help",
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """An argument parser whose refusals name the nearest match."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}{_nearest(message)}\n{self.format_usage()}")
        raise SystemExit(USAGE)


def _nearest(message: str) -> str:
    """Return what a wrong word in argparse's message may have been meant to be."""
    for pattern, known in (
        (r"unrecognized arguments: (\S+)", _OPTIONS),
        (r"invalid choice: '([^']*)'", (*_VERBS, *PLATFORMS, *APIS)),
    ):
        if found := re.search(pattern, message):
            near = difflib.get_close_matches(found[1], known, n=1, cutoff=0.5)
            return f"; did you mean {near[0]}?" if near else ""
    return ""


def _nodes(text: str) -> int:
    if not text.isdigit() or int(text) > MOST_NODES:
        raise argparse.ArgumentTypeError(f"expected a number of worker nodes from 0 to {MOST_NODES}, found {text!r}")
    return int(text)


def _speed(text: str) -> float:
    if text == "max":
        return MAX_SPEED
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= MOST_SPEED:
        raise argparse.ArgumentTypeError(
            f"expected how many times faster than real time the cluster runs, such as 60, or max, found {text!r}"
        )
    return speed


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, found {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python3 -m projects.sim_cluster", allow_abbrev=False, description="An OpenShift or Kubernetes cluster to rehearse on: simulated in one process, or played on a real control plane.",
                     epilog="Everything listens on 127.0.0.1, on a port that was free at start; nothing is kept on disk but the kubeconfig and logs.")  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(_VERBS), parser_class=_Parser)
    shape, course = _Parser(add_help=False), _Parser(add_help=False)
    course.add_argument(
        "--api",
        choices=APIS,
        default=APIS[0],
        help="which API serves it (default: simulated); real: kube-apiserver and what belongs to it, found through KUBEBUILDER_ASSETS",
    )
    shape.add_argument("--karpenter", action="store_true", help="pods without a node bring one (only with --api real)")
    shape.add_argument("--nodes", type=_nodes, metavar="N", help=f"worker nodes (default: {DEFAULT_NODES})")
    shape.add_argument("--platform", choices=PLATFORMS, help="what the cluster is (default: openshift)")
    course.add_argument("--speed", type=_speed, metavar="X",
                       help=f"how much faster than real time its clock runs; max jumps to the next event (default: {DEFAULT_SPEED:g})")  # fmt: skip
    course.add_argument(
        "--scenario",
        metavar="S",
        help="what it goes through: a name or a YAML file; what is given besides wins over it",
    )
    course.add_argument("--seed", type=_seed, default=0, metavar="N", help="what is left to chance follows from it")
    course.add_argument("--stages", type=Path, action="append", default=[], metavar="FILE",
                        help="KWOK Stage documents that it plays; may be given more than once")  # fmt: skip
    up = verbs.add_parser(
        "up",
        parents=[shape, course],
        allow_abbrev=False,
        help="start a cluster, print its kubeconfig's path when it is ready",
    )
    up.add_argument("directory", type=Path, metavar="DIR", help="where its kubeconfig and its log go")
    down = verbs.add_parser("down", allow_abbrev=False, help="stop what `up DIR` started")
    down.add_argument("directory", type=Path, metavar="DIR")
    run = verbs.add_parser(
        "run",
        parents=[shape, course],
        allow_abbrev=False,
        help="start a cluster, run CMD with KUBECONFIG set, stop, exit as CMD did",
    )
    run.add_argument("command", nargs="+", metavar="-- CMD")
    add_verbs(verbs, course)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    before, command = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    if before[:1] == ["run"] and "--" in given:
        before = [*before, "--", *(command or [""])]
        if not command:
            sys.stderr.write("python3 -m projects.sim_cluster run: expected a command after --, found nothing\n")
            return USAGE
    parsed = _parser().parse_args(before)
    if parsed.verb == "down":
        return _down(parsed.directory)
    if parsed.verb == "save":
        return _save(parsed)
    try:
        options = _options(parsed)
    except (ScenarioError, CaptureError, StageError) as error:
        return _refuse(error)
    except OSError as error:
        return _refuse(f"expected a file of Stage documents, found {error.filename}: {error.strerror}")
    if (problem := _cannot_start(options)) is not None:
        return problem
    return _run(parsed.command, options) if parsed.verb == "run" else _up(parsed.directory, options)


def _options(parsed: argparse.Namespace) -> ClusterOptions:
    options = ClusterOptions(speed=parsed.speed, seed=parsed.seed, api=parsed.api, stages=_stages(parsed.stages))
    if parsed.verb == "load":
        options = replace(options, state=loaded(parsed.capture))
    else:
        options = replace(options, nodes=parsed.nodes, platform=parsed.platform, karpenter=parsed.karpenter)
    if parsed.scenario is None:
        return options
    from projects.sim_cluster.scenarios.reading import load_scenario  # noqa: PLC0415 - YAML and its schema, only for this

    return replace(options, scenario=load_scenario(parsed.scenario))


def _stages(files: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files of Stage documents, which can be played."""
    if files:
        from projects.sim_cluster.behaviours.stages.documents import load_stages  # noqa: PLC0415 - YAML, only for this

        load_stages(files)
    return tuple(each.resolve() for each in files)


def _cannot_start(options: ClusterOptions) -> int | None:
    """Say why the API that is asked for cannot be had, and return the exit status for it."""
    if options.api == "simulated":
        return _refuse("--karpenter needs --api real") if options.karpenter else None
    if options.settled().speed == MAX_SPEED:
        return _refuse("--api real: its own controllers take their time; expected a --speed such as 60, found max")
    if options.state is not None:
        return _refuse("load needs --api simulated: a real API does not take objects as they were")
    from projects.sim_cluster.real_api.binaries import ControlPlaneMissingError, find_binaries  # noqa: PLC0415 - only for this

    try:
        find_binaries(karpenter=options.karpenter)
    except ControlPlaneMissingError as error:
        return _refuse(error, _UNAVAILABLE)
    return None


def _save(parsed: argparse.Namespace) -> int:
    try:
        save(parsed.directory, parsed.out, with_secrets=parsed.with_secrets)
    except CaptureError as error:
        return _refuse(error)
    except UnreachableError as error:
        return _refuse(error, _FAILED)
    return 0


def _refuse(message: object, code: int = USAGE) -> int:
    sys.stderr.write(f"sim_cluster: {message}\n")
    return code


def _up(directory: Path, options: ClusterOptions) -> int:
    if (server := daemon.running_in(directory)) is not None:
        return _refuse(
            f"{directory} already holds a running cluster (process {server.pid}); `down {directory}` stops it"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        print(daemon.start(directory.resolve(), options))
    except OSError as error:
        return _refuse(f"expected a directory to write to, found {directory}: {error.strerror}")
    except daemon.DaemonError as error:
        return _refuse(error, _FAILED)
    return 0


def _down(directory: Path) -> int:
    try:
        daemon.stop(directory)
    except daemon.DaemonError as error:
        return _refuse(f"{error}; expected the directory that was given to `up`")
    return 0


def _run(command: Sequence[str], options: ClusterOptions) -> int:
    with tempfile.TemporaryDirectory(prefix="sim-cluster-") as scratch:
        directory = Path(scratch)
        try:
            kubeconfig = daemon.start(directory, options, bound=True)
        except daemon.DaemonError as error:
            return _refuse(error, _FAILED)
        try:
            return _run_command(command, kubeconfig)
        finally:
            daemon.stop(directory)


def _run_command(command: Sequence[str], kubeconfig: Path) -> int:
    """Run a command, hand signals on to it, and return its exit status as a shell would say it."""
    try:
        process = subprocess.Popen(command, env={**os.environ, "KUBECONFIG": str(kubeconfig)})
    except OSError as error:
        return _refuse(f"cannot run {command[0]}: {error.strerror}", _NOT_FOUND)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    code = process.wait()
    return 128 - code if code < 0 else code
