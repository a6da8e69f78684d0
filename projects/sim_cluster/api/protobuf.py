"""Objects in protobuf, which kubectl's typed commands send. Called by `bodies`; answers are JSON, which they take as well.

The numbers come from the record. A field that it does not know is refused, never dropped.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from projects.sim_cluster.api.errors import bad_request, not_simulated
from projects.sim_cluster.api.timestamps import micro_timestamp, timestamp

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\0"
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
Messages = dict[str, dict[str, list[Any]]]
Wire = int | bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:  # noqa: PLR2004 - the last byte of a varint
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Wire]]:
    """Yield the numbers and the raw values of a message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 1:
                yield tag >> 3, data[at : at + 8]
                at += 8
            case 2:
                length, at = _varint(data, at)
                yield tag >> 3, data[at : at + length]
                at += length
            case other:
                raise bad_request(f"error decoding protobuf: wire type {other}")


def _first(data: bytes, number: int, default: Wire) -> Wire:
    return next((value for found, value in _fields(data) if found == number), default)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _time(data: bytes, write: Callable[[float], str]) -> str | None:
    if not data:
        return None
    seconds, nanos = _first(data, 1, 0), _first(data, 2, 0)
    assert isinstance(seconds, int)
    assert isinstance(nanos, int)
    return write(_signed(seconds) + nanos / 1e9)


def _int_or_string(data: bytes) -> int | str:
    fields = dict(_fields(data))
    if fields.get(1):
        return bytes(fields.get(3, b"")).decode()
    value = fields.get(2, 0)
    assert isinstance(value, int)
    return _signed(value)


def _text(data: bytes) -> str:
    value = _first(data, 1, b"")
    assert isinstance(value, bytes)
    return value.decode()


def _json(data: bytes) -> Any:
    return json.loads(_text(data) or "null")


def _duration(data: bytes) -> str:
    value = _first(data, 1, 0)
    assert isinstance(value, int)
    return f"{_signed(value) / 1e9:g}s"


_SPECIAL: Final[dict[str, Callable[[bytes], Any]]] = {
    _META + "Time": lambda data: _time(data, timestamp),
    _META + "MicroTime": lambda data: _time(data, micro_timestamp),
    _META + "FieldsV1": _json,
    _META + "Duration": _duration,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": _text,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": _json,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": _json,
}


class Decoder:
    """Decodes messages into the objects that JSON would hold."""

    def __init__(self, messages: Messages, by_kind: dict[tuple[str, str, str], str]) -> None:
        self.messages, self.by_kind = messages, by_kind

    def decode(self, body: bytes) -> dict[str, Any]:
        """Return the object in a request's body."""
        if not body.startswith(_MAGIC):
            raise bad_request("error decoding protobuf: the body does not start with the Kubernetes magic number")
        try:
            envelope = dict(_fields(body[len(_MAGIC) :]))
            meta = dict(_fields(bytes(envelope[1])))
            api_version, kind = (bytes(meta[number]).decode() for number in (1, 2))
            group, _, version = api_version.rpartition("/")
            name = self.by_kind.get((group, version, kind)) or self.by_kind.get(("", "v1", kind), "")
            if name not in self.messages:
                raise not_simulated(f"{api_version} {kind} in protobuf")
            raw = envelope.get(2, b"")
            return {"kind": kind, "apiVersion": api_version} | self._message(bytes(raw), name)
        except (IndexError, KeyError, UnicodeDecodeError, struct.error, TypeError) as error:
            raise bad_request(f"error decoding protobuf: {error}") from None

    def _message(self, data: bytes, name: str) -> dict[str, Any]:
        known = self.messages[name]
        decoded: dict[str, Any] = {}
        for number, raw in _fields(data):
            if str(number) not in known:
                raise not_simulated(f"field {number} of {name} in protobuf")
            key, kind, omitted = known[str(number)]
            self._field(decoded, key, kind, raw, omitted=omitted in {1, 2})
        return decoded

    def _field(self, decoded: dict[str, Any], key: str, kind: str, raw: Wire, *, omitted: bool) -> None:
        if kind.startswith("[]"):
            decoded.setdefault(key, []).append(self._value(kind[2:], raw))
        elif kind.startswith("{}"):
            entry = dict(_fields(bytes(raw)))
            name = bytes(entry.get(1, b"")).decode()
            decoded.setdefault(key, {})[name] = self._value(kind[2:], entry.get(2, b""))
        else:
            value = self._value(kind, raw)
            if not key:
                decoded.update(value)  # a struct that Go's JSON lays into the one around it
            elif value is not None and not (omitted and value in ("", 0, False)):
                decoded[key] = value

    def _value(self, kind: str, raw: Wire) -> Any:
        if isinstance(raw, int):
            return bool(raw) if kind == "bool" else _signed(raw)
        if kind == "float":
            return struct.unpack("<d", raw)[0]
        if kind == "string":
            return raw.decode()
        if kind == "bytes":
            return base64.b64encode(raw).decode()
        if kind == "items":
            return [bytes(item).decode() for _, item in _fields(raw)]
        if special := _SPECIAL.get(kind):
            return special(raw)
        return self._message(raw, kind)
