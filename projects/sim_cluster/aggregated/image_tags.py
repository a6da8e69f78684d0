"""ImageStreamTags: a stream's tags under names of their own, ``STREAM:TAG``, read, set and removed."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from projects.sim_cluster.aggregated.answering import Asked, Route, RouteError, json_answer, not_found
from projects.sim_cluster.behaviours.interface import Object, RefusedError, Resource
from projects.sim_cluster.behaviours.openshift.image_streams import digest_of, newest
from projects.sim_cluster.behaviours.resources import IMAGE_STREAMS

TAGS: Final = Resource("image.openshift.io", "v1", "imagestreamtags")
_API: Final = "image.openshift.io/v1"
_SPACE: Final = rf"/apis/image\.openshift\.io/v1(?:/namespaces/(?P<namespace>[^/]+))?/{TAGS.name}"
_ONE: Final = re.compile(rf"{_SPACE}/(?P<name>[^/]+)")
_ALL: Final = re.compile(_SPACE)
_IMPORTS: Final = re.compile(r"/apis/image\.openshift\.io/v1/namespaces/(?P<namespace>[^/]+)/imagestreamimports")


def _allowed(verb: str) -> dict[str, str]:
    return {"verb": verb, "group": TAGS.group, "resource": TAGS.name}


def _tag(stream: Object, tag: str) -> Object | None:
    item = newest(stream, tag)
    if item is None:
        return None
    metadata = stream["metadata"]
    wanted = next((each for each in (stream.get("spec") or {}).get("tags") or () if each["name"] == tag), None)
    image = {
        "metadata": {"name": item["image"]},
        "dockerImageReference": item["dockerImageReference"],
        "dockerImageMetadataVersion": "1.0",
    }
    named = {
        key: metadata[key] for key in ("namespace", "uid", "resourceVersion", "creationTimestamp") if key in metadata
    }
    return {
        "kind": "ImageStreamTag", "apiVersion": _API, "metadata": {"name": f"{metadata['name']}:{tag}"} | named, "tag": wanted,
        "generation": item["generation"], "lookupPolicy": {"local": False}, "image": image,
    }  # fmt: skip


async def get(asked: Asked) -> Response:
    """Return a tag of a stream."""
    name, _, tag = asked.parts["name"].partition(":")
    for stream in await asked.cluster.list(IMAGE_STREAMS, asked.parts["namespace"] or ""):
        if stream["metadata"]["name"] == name and (found := _tag(stream, tag or "latest")) is not None:
            return json_answer(found)
    raise not_found(TAGS, asked.parts["name"])


async def listed(asked: Asked) -> Response:
    """Return all tags of all streams."""
    streams = await asked.cluster.list(IMAGE_STREAMS, asked.parts["namespace"] or "")
    items = [
        _tag(stream, entry["tag"]) for stream in streams for entry in (stream.get("status") or {}).get("tags") or ()
    ]
    found = [item for item in items if item is not None]
    return json_answer({"kind": "ImageStreamTagList", "apiVersion": _API, "metadata": {}, "items": found})


async def put(asked: Asked) -> Response:
    """Have a tag name something else, as ``oc tag`` does; the stream is made when it is not there."""
    body = await asked.body()
    name, _, tag = str((body.get("metadata") or {}).get("name") or asked.parts.get("name", "")).partition(":")
    wanted = {"name": tag or "latest"} | {key: value for key, value in (body.get("tag") or {}).items() if key != "name"}
    namespace = asked.parts["namespace"]
    stream = await _set_tags(asked, name, [wanted])
    made = _tag(stream, wanted["name"]) or {
        "kind": "ImageStreamTag",
        "apiVersion": _API,
        "metadata": {"name": f"{name}:{wanted['name']}", "namespace": namespace},
        "tag": wanted,
    }
    return json_answer(made, 201 if asked.request.method == "POST" else 200)


async def _set_tags(asked: Asked, name: str, wanted: list[Object]) -> Object:
    """Have tags of a stream name something else; return the stream."""
    namespace = asked.parts["namespace"]
    known = [each for each in await asked.cluster.list(IMAGE_STREAMS, namespace) if each["metadata"]["name"] == name]
    if not known:
        made = {
            "apiVersion": _API,
            "kind": "ImageStream",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"tags": wanted},
        }
        return await asked.cluster.create(IMAGE_STREAMS, made)
    names = {each["name"] for each in wanted}
    others = [each for each in (known[0].get("spec") or {}).get("tags") or () if each["name"] not in names]
    return await asked.cluster.patch(IMAGE_STREAMS, namespace, name, {"spec": {"tags": [*others, *wanted]}})


async def import_images(asked: Asked) -> Response:
    """Import images into a stream, as ``oc import-image`` asks for it; the stream is made when it is not there."""
    body = await asked.body()
    name = str((body.get("metadata") or {}).get("name", ""))
    images = (body.get("spec") or {}).get("images") or []
    if not name or not images:
        raise RouteError(
            422,
            "Invalid",
            'ImageStreamImport.image.openshift.io "" is invalid: spec: Required value: a name and images are required',
        )
    wanted = [{"name": (image.get("to") or {}).get("name") or "latest", "from": image["from"]} for image in images]
    stream = await _set_tags(asked, name, wanted) if body["spec"].get("import") else None
    found = [
        {
            "status": {"status": "Success"},
            "tag": each["name"],
            "image": {"metadata": {"name": digest_of(each["from"]["name"])}},
        }
        for each in wanted
    ]
    return json_answer(body | {"status": {"images": found} | ({"import": stream} if stream else {})}, 201)


async def delete(asked: Asked) -> Response:
    """Take a tag from a stream."""
    name, _, tag = asked.parts["name"].partition(":")
    stream = await asked.get(IMAGE_STREAMS, name)
    if newest(stream, tag) is None:
        raise not_found(TAGS, asked.parts["name"])
    spec = [each for each in (stream.get("spec") or {}).get("tags") or () if each["name"] != tag]
    status = [each for each in stream["status"]["tags"] if each["tag"] != tag]
    namespace = asked.parts["namespace"]
    await asked.cluster.patch(IMAGE_STREAMS, namespace, name, {"spec": {"tags": spec}})
    try:
        await asked.cluster.patch(IMAGE_STREAMS, namespace, name, {"status": {"tags": status}}, "status")
    except RefusedError as refused:
        if refused.reason != "NotFound":
            raise
    return json_answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})


TAG_ROUTES: Final = (
    Route(frozenset({"GET"}), _ONE, get, _allowed("get")),
    Route(frozenset({"GET"}), _ALL, listed, _allowed("list")),
    Route(frozenset({"POST"}), _IMPORTS, import_images, _allowed("create") | {"resource": "imagestreamimports"}),
    Route(frozenset({"POST"}), _ALL, put, _allowed("create")),
    Route(frozenset({"PUT"}), _ONE, put, _allowed("update")),
    Route(frozenset({"DELETE"}), _ONE, delete, _allowed("delete")),
)
