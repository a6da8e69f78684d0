"""OpenShift's releases: what a version can be updated to, and what its nodes run. Played, not looked up anywhere.

A channel of the cluster's own minor version offers the next patch releases, one of the next minor version its first ones.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from projects.sim_cluster.behaviours.interface import Object

_OFFERED: Final = 3
_CHANNEL: Final = re.compile(r"(?:stable|fast|candidate|eus)-(\d+)\.(\d+)")
_NUMBERS: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_FIRST_KUBELET_PATCH: Final = 2


def numbers(version: str) -> tuple[int, int, int]:
    """Return a version as numbers; what follows them, as in a nightly's, is left out."""
    found = _NUMBERS.match(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def image_of(version: str) -> str:
    """Return the release image of a version."""
    return f"quay.io/openshift-release-dev/ocp-release@sha256:{hashlib.sha256(version.encode()).hexdigest()}"


def os_image_of(version: str) -> str:
    """Return the image that the nodes of a version boot."""
    return (
        f"quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:{hashlib.sha256(f'os {version}'.encode()).hexdigest()}"
    )


def kubelet_of(version: str) -> str:
    """Return the version of the kubelet in a version: OpenShift 4.20 is Kubernetes 1.33."""
    _, minor, patch = numbers(version)
    return f"v1.{minor + 13}.{patch + _FIRST_KUBELET_PATCH}"


def release(version: str) -> Object:
    """Return a release as a ClusterVersion names it."""
    _, minor, _ = numbers(version)
    channels = [
        f"{name}-4.{minor}" for name in ("candidate", "eus", "fast", "stable") if name != "eus" or minor % 2 == 0
    ]
    return {
        "version": version,
        "image": image_of(version),
        "url": f"https://access.redhat.com/errata/{version}",
        "channels": channels,
    }


def updates(version: str, channel: str) -> list[Object]:
    """Return what a channel offers to a version, newest first."""
    found = _CHANNEL.fullmatch(channel)
    if found is None:
        return []
    major, minor, patch = numbers(version)
    wanted = int(found[1]), int(found[2])
    same = [f"{major}.{minor}.{patch + step}" for step in range(_OFFERED, 0, -1)]
    if wanted == (major, minor):
        return [release(each) for each in same]
    if wanted == (major, minor + 1):
        return [
            release(each) for each in (*(f"{major}.{minor + 1}.{step}" for step in reversed(range(_OFFERED))), *same)
        ]
    return []
