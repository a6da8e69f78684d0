"""Where the programs of a real control plane are. Asked by `cli` before anything is started, and by `control_plane`."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ETCD: Final = "etcd"
API_SERVER: Final = "kube-apiserver"
CONTROLLERS: Final = "kube-controller-manager"
SCHEDULER: Final = "kube-scheduler"
KWOK: Final = "kwok"
KARPENTER: Final = "karpenter-kwok"
VARIABLE: Final = "KUBEBUILDER_ASSETS"
_NEEDED: Final = (ETCD, API_SERVER, CONTROLLERS, SCHEDULER, KWOK)
_SCRIPT: Final = Path(__file__).parents[4] / "shared" / "envtest" / "control-plane"
_INSTALLED: Final = Path("/usr/local/kubebuilder/bin")


class ControlPlaneMissingError(Exception):
    """There is no real control plane on this machine; the message says where it was looked for and how to get one."""


@dataclass(frozen=True)
class Binaries:
    """A directory that holds the programs of a control plane."""

    directory: Path

    def path(self, name: str) -> Path:
        """Return the path of a program."""
        return self.directory / name

    @property
    def karpenter_kinds(self) -> Path:
        """The directory of Karpenter's CRDs."""
        return self.directory / "crds"

    def missing(self, names: tuple[str, ...]) -> list[str]:
        """Return which of some programs are not there."""
        return [name for name in names if not os.access(self.path(name), os.X_OK)]


def find_binaries(*, karpenter: bool = False) -> Binaries:
    """Return the first directory that has everything; raise ControlPlaneMissingError when there is none."""
    needed = (*_NEEDED, KARPENTER) if karpenter else _NEEDED
    looked: list[str] = []
    for place, directory in _places():
        if directory is None:
            looked.append(place)
            continue
        missing = Binaries(directory).missing(needed)
        if not missing:
            return Binaries(directory)
        looked.append(f"{place}: no {', '.join(missing)}")
    raise ControlPlaneMissingError(
        "no real control plane was found.\n"
        f"expected a directory with {', '.join(needed)}; looked in\n  " + "\n  ".join(looked) + "\n"
        f"hint: {VARIABLE} names such a directory. `setup-envtest use -p path` fetches etcd and kube-apiserver, the others are in the "
        "release of the same Kubernetes version; kwok: https://kwok.sigs.k8s.io"
    )


def _places() -> list[tuple[str, Path | None]]:
    """Return what is looked in, in order: its name for people, and the directory if there is one."""
    if given := os.environ.get("KUBEBUILDER_ASSETS"):
        return [(f"{VARIABLE}={given}", Path(given))]
    places: list[tuple[str, Path | None]] = [(f"{VARIABLE} (not set)", None)]
    if _SCRIPT.is_file():
        places.append((f"what {_SCRIPT} unpacks", _unpacked()))
    else:
        places.append((f"{_SCRIPT} (not there)", None))
    places.append((str(_INSTALLED), _INSTALLED))
    return places


def _unpacked() -> Path:
    done = subprocess.run([sys.executable, str(_SCRIPT), "unpack"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ControlPlaneMissingError(f"{_SCRIPT} unpack failed: {done.stderr.strip()}")
    return Path(done.stdout.strip())
