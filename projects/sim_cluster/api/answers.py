"""Answers as bytes: an object, a list, a watch; as JSON, YAML, a Table or metadata only. Called by `http`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.names import escaped_by_go
from projects.sim_cluster.api.negotiation import Accepted
from projects.sim_cluster.api.requests import Outcome, Page
from projects.sim_cluster.api.routing import Target
from projects.sim_cluster.api.store import Stored, encode
from projects.sim_cluster.api.tables import partial, table
from projects.sim_cluster.api.watches import INITIAL_EVENTS_END, Event, Watch

HEADERS: Final = {"Cache-Control": "no-cache, private"}
TEXT: Final = "text/plain; charset=utf-8"
_WARNED: Final = 4096  # characters of warnings in one answer, beyond which each is cut
_WARNING: Final = 256  # to so many
_PIECE: Final = 250  # objects of a long list that are sent together


class JsonResponse(Response):
    """An object, or what else the API answers with, as JSON: a line, until `lay_out` makes it several."""

    media_type = "application/json"


def json_response(body: bytes, code: int = 200) -> JsonResponse:
    """Return a JSON answer."""
    return JsonResponse(body + b"\n", code, HEADERS)


def lay_out(response: Response) -> None:
    """Lay an answer out for people, where it is JSON."""
    if isinstance(response, JsonResponse):
        text = json.dumps(json.loads(bytes(response.body)), indent=2, ensure_ascii=False)
        response.body = escaped_by_go(text).encode()
        response.headers["Content-Length"] = str(len(response.body))


def _yaml(obj: Any) -> Response:
    import yaml  # noqa: PLC0415 - rarely asked for

    return Response(yaml.safe_dump(obj, sort_keys=False), 200, HEADERS, "application/yaml")


def answer(api: Api, target: Target, done: Outcome, chosen: Accepted) -> Response:
    """Return what one object, or the Status of a request, is answered with."""
    obj = done.object
    stored = obj.get("kind") != "Status" and not target.subresource
    if chosen.form == "Table" and stored:
        obj = table(target.kind, [obj], api.now(), {"resourceVersion": obj["metadata"]["resourceVersion"]}, "Metadata")
    elif chosen.form == "PartialObjectMetadata" and stored:
        obj = partial(obj)
    body = done.stored.json if done.stored is not None and obj is done.object else encode(obj)
    response = _yaml(obj) if chosen.yaml else json_response(body)
    response.status_code = 201 if done.created else 200
    warn(response, done.warnings)
    return response


def warn(response: Response, warnings: Iterable[str]) -> None:
    """Add warnings to an answer, as headers hold them: each once, and where they are too much in all, the beginning of each."""
    distinct = list(dict.fromkeys(warnings))
    for said in _shortened(distinct) if sum(map(len, distinct)) > _WARNED else distinct:
        escaped = said.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.append("Warning", f'299 - "{escaped}"')


def _shortened(warnings: list[str]) -> Iterator[str]:
    told = 0
    for said in warnings:
        if told >= _WARNED:
            return
        told += len(said[:_WARNING])
        yield said[:_WARNING]


def page_response(api: Api, page: Page, chosen: Accepted, include: str) -> Response:
    """Return what a list is answered with; stored JSON is joined, not made again."""
    metadata: Object = {"resourceVersion": str(page.version)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
        if page.remaining:  # the real server does not count what a selector would leave out
            metadata["remainingItemCount"] = page.remaining
    kind = page.kind
    objects = [kind.served(stored.object) for stored in page.items] if chosen.form or chosen.yaml else []
    if chosen.form == "Table":
        return json_response(encode(table(kind, objects, api.now(), metadata, include)))
    if chosen.form.startswith("Partial"):
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return json_response(encode(head | {"items": [partial(obj) for obj in objects]}))
    head = {"kind": kind.list_kind or f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    if chosen.yaml:
        return _yaml(head | {"items": objects})
    begin = encode(head)[:-1] + b',"items":['
    if len(page.items) <= _PIECE or chosen.pretty:
        return json_response(begin + _items(kind, page.items) + b"]}")
    return StreamingResponse(_pieces(begin, kind, page.items), 200, HEADERS, "application/json")


async def _pieces(begin: bytes, kind: Kind, found: list[Stored]) -> AsyncIterator[bytes]:
    """Yield a long list piece by piece: it takes little memory, and others are answered in between."""
    for first in range(0, len(found), _PIECE):
        yield (b"," if first else begin) + _items(kind, found[first : first + _PIECE])
    yield b"]}\n"


def _items(kind: Kind, found: list[Stored]) -> bytes:
    return b",".join([_item(kind, stored) for stored in found])


def _item(kind: Kind, stored: Stored) -> bytes:
    """Return an object inside a list; built-in ones do not say their kind there."""
    shown = kind.served(stored.object)
    body = stored.json if shown is stored.object else encode(shown)
    prefix = b'{"kind":"%s","apiVersion":"%s",' % (kind.kind.encode(), kind.api_version.encode())
    return b"{" + body[len(prefix) :] if not kind.custom and body.startswith(prefix) else body


async def event_lines(api: Api, watch: Watch, target: Target, chosen: Accepted, include: str) -> AsyncIterator[bytes]:
    """Yield a watch's events as lines, those that wait together in one piece."""
    headed = True
    async for batch in watch.batches():
        lines = []
        for event in batch:
            body = _event_object(api, event, target.kind, chosen, include, headed=headed)
            headed = headed and chosen.form != "Table"
            lines.append(b'{"type":"%s","object":%s}\n' % (event.type.encode(), body))
        yield b"".join(lines)


def _event_object(api: Api, event: Event, kind: Kind, chosen: Accepted, include: str, *, headed: bool) -> bytes:
    if event.error is not None:
        return encode(event.error.status())
    if event.stored is None:
        return encode(_bookmark(event, kind, chosen, headed=headed))
    obj = kind.served(event.stored.object)
    if chosen.form == "Table":
        metadata = {"resourceVersion": str(event.version)}
        return encode(table(kind, [obj], api.now(), metadata, include, headed=headed))
    if chosen.form.startswith("Partial"):
        return encode(partial(obj))
    return event.stored.json if obj is event.stored.object else encode(obj)


def _bookmark(event: Event, kind: Kind, chosen: Accepted, *, headed: bool) -> Object:
    metadata: Object = {"resourceVersion": str(event.version), "creationTimestamp": None}
    if event.initial_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    if chosen.form == "Table":
        return table(kind, [], 0, metadata, "None", headed=headed)
    return {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
