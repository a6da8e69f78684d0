"""ImageStreams: what their tags name is imported, and found again under the cluster's own registry."""

from __future__ import annotations

import hashlib
from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import IMAGE_STREAMS
from projects.sim_cluster.behaviours.unit import Behaviour, Wake, World, every

REGISTRY: Final = "image-registry.openshift-image-registry.svc:5000"


def digest_of(text: str) -> str:
    """Return the digest that stands for an image."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def repository_of(namespace: str, name: str) -> str:
    """Return where the cluster's registry keeps the images of a stream."""
    return f"{REGISTRY}/{namespace}/{name}"


def newest(stream: Object, tag: str) -> Object | None:
    """Return the newest image of a tag."""
    for entry in (stream.get("status") or {}).get("tags") or ():
        if entry["tag"] == tag and entry.get("items"):
            item: Object = entry["items"][0]
            return item
    return None


async def import_tags(world: World, stream: Object) -> None:
    """Import what the tags of a stream name, and say where its images are."""
    if stream["metadata"].get("deletionTimestamp"):
        return
    metadata = stream["metadata"]
    tags = [dict(entry) for entry in (stream.get("status") or {}).get("tags") or ()]
    for wanted in (stream.get("spec") or {}).get("tags") or ():
        if (reference := _resolved(world, stream, wanted)) is not None:
            tags = with_image(tags, wanted["name"], reference, world.timestamp)
    status: Object = {"dockerImageRepository": repository_of(metadata["namespace"], metadata["name"])}
    await world.set_status(IMAGE_STREAMS, stream, status | ({"tags": tags} if tags else {}))


def _resolved(world: World, stream: Object, tag: Object) -> tuple[str, str] | None:
    """Return reference and digest of what a tag is made from, None while there is no such image."""
    source = tag.get("from") or {}
    if source.get("kind") == "DockerImage":
        repository = source["name"].partition("@")[0]
        given = source["name"].partition("@")[2] or digest_of(source["name"])
        return f"{_without_tag(repository)}@{given}", given
    if source.get("kind") != "ImageStreamTag":
        return None
    name, _, other = source["name"].partition(":")
    namespace = source.get("namespace") or stream["metadata"]["namespace"]
    found = world.cache(IMAGE_STREAMS).get(namespace, name if other else stream["metadata"]["name"])
    item = newest(found, other or name) if found is not None else None
    return (item["dockerImageReference"], item["image"]) if item is not None else None


def _without_tag(repository: str) -> str:
    head, slash, last = repository.rpartition("/")
    return head + slash + last.partition(":")[0]


def with_image(tags: list[Object], tag: str, image: tuple[str, str], now: str) -> list[Object]:
    """Return the tags of a status with an image as the newest of one of them."""
    reference, digest = image
    known = next((entry for entry in tags if entry["tag"] == tag), None)
    items = known["items"] if known is not None and known.get("items") else []
    if items and items[0]["image"] == digest:
        return tags
    item = {"created": now, "dockerImageReference": reference, "image": digest, "generation": len(items) + 1}
    changed = {"tag": tag, "items": [item, *items]}
    return [entry for entry in tags if entry["tag"] != tag] + [changed]


IMAGE_STREAM: Final = Behaviour(
    "image streams",
    IMAGE_STREAMS,
    import_tags,
    manager="openshift-apiserver",
    woken_by=(Wake(IMAGE_STREAMS, every(IMAGE_STREAMS)),),
)
