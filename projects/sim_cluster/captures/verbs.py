"""The verbs ``load`` and ``save`` of the command line. Called by `projects.sim_cluster.arguments` and `cli`."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.sim_cluster.captures.errors import CaptureError

if TYPE_CHECKING:
    from projects.sim_cluster.captures.state import State


def add_verbs(verbs: Any, course: argparse.ArgumentParser) -> None:
    """Add both verbs to those of a command line; a loaded cluster goes through the same as any other."""
    load = verbs.add_parser(
        "load", parents=[course], allow_abbrev=False, help="start a cluster from a capture, print its kubeconfig's path"
    )
    load.add_argument("capture", type=Path, metavar="CAPTURE",
                      help="what `cluster capture_environment`, `oc adm inspect`, must-gather or `save` wrote")  # fmt: skip
    load.add_argument("directory", type=Path, metavar="DIR", help="where its kubeconfig and its log go")
    saving = verbs.add_parser(
        "save", allow_abbrev=False, help="write what the cluster of DIR holds, as `oc adm inspect` does"
    )
    saving.add_argument("directory", type=Path, metavar="DIR", help="the directory that was given to `up` or `load`")
    saving.add_argument("out", type=Path, metavar="OUT", help="a new or empty directory for the capture")
    saving.add_argument(
        "--with-secrets", action="store_true", help="write the values of Secrets, not only their lengths"
    )


def loaded(capture: Path) -> State:
    """Return the state that a capture describes, and tell on stderr where the two differ.

    Raises:
      CaptureError: there is no capture, or it cannot be understood.
    """
    from projects.sim_cluster.captures.preparing import prepare  # noqa: PLC0415 - YAML and the API, only for this verb
    from projects.sim_cluster.captures.reading import read  # noqa: PLC0415 - the same

    gc.disable()  # only what lives on is made here, and looking through all of it again and again doubles the time
    try:
        state = prepare(read(capture))
    finally:
        gc.enable()
    for note in state.notes:
        _say(note)
    return state


def save(directory: Path, out: Path, *, with_secrets: bool = False) -> None:
    """Write what a cluster holds.

    Raises:
      CaptureError: there is no cluster in `directory`, or something in the way at `out`.
      UnreachableError: the cluster does not answer.
    """
    from projects.sim_cluster.captures.saving import everything  # noqa: PLC0415 - the client is heavy
    from projects.sim_cluster.captures.writing import write  # noqa: PLC0415 - the same

    kubeconfig = directory / "kubeconfig"
    if not kubeconfig.is_file():
        raise CaptureError(
            "expected the directory that was given to `up` or `load`, found no kubeconfig in it", directory
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CaptureError("expected a new or empty directory, found something in it", out)
    withheld = write(everything(kubeconfig), out, with_secrets=with_secrets)
    if withheld:
        _say(f"the values of {withheld} Secrets were not written, only their lengths; --with-secrets writes them")


def _say(text: str) -> None:
    sys.stderr.write(f"sim_cluster: {text}\n")
