"""Where the objects of a capture lie: in what `oc adm inspect`, must-gather or `cluster capture_environment` wrote. Called by `reading`.

The first two write one tree, must-gather below a directory named after each image that it ran:

    cluster-scoped-resources/GROUP/RESOURCE/NAME.yaml      GROUP is ``core`` for the one without a name
    namespaces/NAMESPACE/NAMESPACE.yaml
    namespaces/NAMESPACE/GROUP/RESOURCE.yaml               a list; or RESOURCE/NAME.yaml
    namespaces/NAMESPACE/pods/NAME/NAME.yaml               beside the logs of the pod

What else lies there (logs, pages, what a gather script left) is no object and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projects.sim_cluster.captures.errors import CaptureError

CLUSTER_SCOPED: Final = "cluster-scoped-resources"
NAMESPACES: Final = "namespaces"
CORE: Final = "core"
PODS: Final = "pods"
INDEX: Final = "sim-cluster.yaml"
_DEPTH: Final = 3  # must-gather.local.N/IMAGE/namespaces
_ENVIRONMENT: Final = "*__cluster__capture_environment*"
_NODES: Final = ("nodes.yaml", "nodes.json")
_ENDINGS: Final = (".yaml", ".yml", ".json", ".yaml.gz", ".json.gz")


@dataclass(frozen=True)
class Source:
    """A file that holds objects, and the resource that its place says they are of; empty where it says nothing."""

    path: Path
    resource: str = ""


def sources(capture: Path) -> list[Source]:
    """Return the files of a capture that hold objects, in order.

    Raises:
      CaptureError: the directory is none, or holds no capture, or more than one that must not be mixed.
    """
    if not capture.is_dir():
        raise CaptureError(f"expected the directory of a capture, found {'a file; unpack it first' if capture.exists() else 'nothing'}", capture)  # fmt: skip
    if trees := _trees(capture):
        return [source for tree in trees for source in _of_tree(tree)]
    environments = [each for each in [capture, *sorted(capture.rglob(_ENVIRONMENT))] if _is_environment(each)]
    if not environments:
        raise CaptureError(
            f"expected a capture, found neither {CLUSTER_SCOPED}/ nor {NAMESPACES}/ (`oc adm inspect`, must-gather; here or up to "
            f"{_DEPTH - 1} directories below) nor {_NODES[0]} (`cluster capture_environment`)", capture)  # fmt: skip
    if len(environments) > 1:
        listed = ", ".join(str(each.relative_to(capture)) for each in environments)
        raise CaptureError(f"expected one capture, found {len(environments)}: {listed}", capture)
    return [Source(path) for path in _files(environments[0]) if not path.name.startswith("_")]


def index_of(capture: Path) -> Path | None:
    """Return the file by which `save` says that a capture is whole."""
    path = capture / INDEX
    return path if path.is_file() else None


def _is_environment(directory: Path) -> bool:
    return any((directory / name).is_file() for name in _NODES)


def _trees(directory: Path, depth: int = _DEPTH) -> list[Path]:
    """Return the directories that hold a tree, the given one or, when it does not, those below it."""
    if any((directory / name).is_dir() for name in (CLUSTER_SCOPED, NAMESPACES)):
        return [directory]
    below = sorted(each for each in directory.iterdir() if each.is_dir()) if depth > 1 else []
    return [tree for each in below for tree in _trees(each, depth - 1)]


def _of_tree(tree: Path) -> Iterator[Source]:
    for group in _directories(tree / CLUSTER_SCOPED):
        yield from _of_group(group)
    for namespace in _directories(tree / NAMESPACES):
        for path in _files(namespace):
            yield Source(path, NAMESPACES)
        for group in _directories(namespace):
            if group.name != PODS:
                yield from _of_group(group)
        if not any(_stem(path) == PODS for path in _files(namespace / CORE)):  # else all of them stand in that list
            yield from _of_pods(namespace / PODS)


def _of_group(group: Path) -> Iterator[Source]:
    for path in _files(group):
        yield Source(path, _stem(path))
    for resource in _directories(group):
        for path in _files(resource):
            yield Source(path, resource.name)


def _of_pods(pods: Path) -> Iterator[Source]:
    for pod in _directories(pods):
        for path in _files(pod):
            if _stem(path) == pod.name:
                yield Source(path, PODS)


def _stem(path: Path) -> str:
    ending = next(each for each in sorted(_ENDINGS, key=len, reverse=True) if path.name.endswith(each))
    return path.name.removesuffix(ending)


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.name.endswith(_ENDINGS) and path.is_file())


def _directories(directory: Path) -> list[Path]:
    return sorted(each for each in directory.iterdir() if each.is_dir()) if directory.is_dir() else []
