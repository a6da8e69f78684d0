"""Annotations by which a fault, itself a behaviour, makes what OpenShift's behaviours play go wrong, on either API.

A fault watches what it wants to break and patches one of these into it; taking it away again (a patch with ``None``) lets
the object go on. All of them are read before the first timed step of the object ends, so a fault that acts on ``ADDED``
is always in time. Their value is a reason in words; it ends up where the real component would write it.
"""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import annotations_of

_PREFIX: Final = "rehearsal.foresail.io"

#: On an InstallPlan, a ClusterServiceVersion, a Machine, a Build or the ClusterVersion: it goes no further while it has this.
HOLD: Final = f"{_PREFIX}/hold"

#: On an InstallPlan, a ClusterServiceVersion or a Build: it fails, with this message.
FAIL: Final = f"{_PREFIX}/fail"

#: On a Machine, or on a MachineSet for all that it makes: the provider has none to give. It stays ``Provisioning`` with
#: ``FailedCreate`` events; with `FAIL` on it besides, it enters ``Failed``.
NO_CAPACITY: Final = f"{_PREFIX}/no-capacity"

#: On a Node: how many of its GPUs have fallen off the bus. They are no longer allocatable, though still in the capacity.
LOST_GPUS: Final = f"{_PREFIX}/lost-gpus"


def hook(obj: Object, annotation: str) -> str:
    """Return what a hook of an object says, an empty text when it is not there."""
    return str(annotations_of(obj).get(annotation) or "")
