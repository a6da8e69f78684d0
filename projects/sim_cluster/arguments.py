"""The command line of ``python3 -m projects.sim_cluster``: its verbs, their options, and the words for what is not accepted. Called by `cli`."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from projects.sim_cluster.captures.verbs import add_verbs
from projects.sim_cluster.options import (
    APIS,
    DEFAULT_NODES,
    DEFAULT_SPEED,
    MAX_SPEED,
    MOST_NODES,
    MOST_SPEED,
    PLATFORMS,
)

USAGE: Final = 2
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


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = _Parser(prog="python3 -m projects.sim_cluster", allow_abbrev=False, description="An OpenShift or Kubernetes cluster to rehearse on: simulated in one process, or played on a real control plane.",
                   epilog="Everything listens on 127.0.0.1, on a port that was free at start; nothing is kept on disk but the kubeconfig and logs.")  # fmt: skip
    verbs = made.add_subparsers(dest="verb", required=True, metavar="|".join(_VERBS), parser_class=_Parser)
    course = _course()
    _add_own(verbs, [_shape(), course])
    add_verbs(verbs, course)
    return made


def _shape() -> argparse.ArgumentParser:
    """Return the options that say what a cluster is made of."""
    shape = _Parser(add_help=False)
    shape.add_argument("--karpenter", action="store_true", help="pods without a node bring one (only with --api real)")
    shape.add_argument("--nodes", type=_nodes, metavar="N", help=f"worker nodes (default: {DEFAULT_NODES})")
    shape.add_argument("--platform", choices=PLATFORMS, help="what the cluster is (default: openshift)")
    return shape


def _course() -> argparse.ArgumentParser:
    """Return the options that say what serves a cluster and what it goes through."""
    course = _Parser(add_help=False)
    course.add_argument(
        "--api",
        choices=APIS,
        default=APIS[0],
        help="which API serves it (default: simulated); real: kube-apiserver and what belongs to it, found through KUBEBUILDER_ASSETS",
    )
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
    return course


def _add_own(verbs: Any, options: list[argparse.ArgumentParser]) -> None:
    up = verbs.add_parser(
        "up",
        parents=options,
        allow_abbrev=False,
        help="start a cluster, print its kubeconfig's path when it is ready",
    )
    up.add_argument("directory", type=Path, metavar="DIR", help="where its kubeconfig and its log go")
    down = verbs.add_parser("down", allow_abbrev=False, help="stop what `up DIR` started")
    down.add_argument("directory", type=Path, metavar="DIR")
    run = verbs.add_parser(
        "run",
        parents=options,
        allow_abbrev=False,
        help="start a cluster, run CMD with KUBECONFIG set, stop, exit as CMD did",
    )
    run.add_argument("command", nargs="+", metavar="-- CMD")
