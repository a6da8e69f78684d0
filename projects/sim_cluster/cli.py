"""``python3 -m projects.sim_cluster``: up, down, run, load, save. The same verbs as those of the real control plane's script."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from projects.sim_cluster import daemon
from projects.sim_cluster.arguments import USAGE, parser
from projects.sim_cluster.behaviours.stages.mistakes import StageError
from projects.sim_cluster.captures.errors import CaptureError, UnreachableError
from projects.sim_cluster.captures.verbs import loaded, save
from projects.sim_cluster.options import MAX_SPEED, ClusterOptions
from projects.sim_cluster.scenarios.names import ScenarioError

_FAILED: Final = 1
_UNAVAILABLE: Final = 3  # as a toolbox command ends when there is no cluster
_NOT_FOUND: Final = 127


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    before, command = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    if before[:1] == ["run"] and "--" in given:
        before = [*before, "--", *(command or [""])]
        if not command:
            sys.stderr.write("python3 -m projects.sim_cluster run: expected a command after --, found nothing\n")
            return USAGE
    parsed = parser().parse_args(before)
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
