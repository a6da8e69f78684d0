"""Record the protobuf form of Kubernetes' objects: kubectl's typed commands send nothing else.

The numbers of the fields are in no OpenAPI document. They are in the struct tags of Go's types, which a Go binary carries
for reflection; `record` reads them from the kube-apiserver that it also asks. Developers' tool, not used at run time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_BOOL, _INTS, _FLOATS, _MAP, _POINTER, _SLICE, _STRING, _STRUCT = 1, range(2, 13), (13, 14), 21, 22, 23, 24, 25
_UNCOMMON, _EXTRA_STAR, _NAMED = 1, 2, 4
_TYPE_SIZE: Final = 48
_PACKAGES: Final = (
    "k8s.io/api/",
    "k8s.io/apimachinery/pkg/",
    "k8s.io/apiextensions-apiserver/pkg/apis/",
    "k8s.io/kube-aggregator/pkg/apis/",
)
_TAG: Final = re.compile(r'(\w+):"([^"]*)"')
#: Lists that are messages of their own on the wire.
_WRAPPED: Final = ("ExtraValue", "Verbs")


class GoBinary:
    """The run-time type information of a Go program (ELF, 64 bits, little-endian, not position-independent)."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        sections = self._sections()
        self._base, self._offset, _ = sections[".rodata"]
        self._links = sections[".typelink"]

    def _sections(self) -> dict[str, tuple[int, int, int]]:
        (start,) = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        headers = [struct.unpack_from("<IIQQQQ", self.data, start + i * size) for i in range(count)]
        strings = headers[names][4]
        named = {}
        for name, _, _, address, offset, length in headers:
            end = self.data.index(b"\0", strings + name)
            named[self.data[strings + name : end].decode()] = (address, offset, length)
        return named

    def structs(self) -> Iterator[int]:
        """Yield the addresses of all named structs that are pointed to."""
        _, offset, length = self._links
        for link in struct.unpack_from(f"<{length // 4}i", self.data, offset):
            address = self._base + link
            if self.kind(address) == _POINTER and self.kind(self.element(address)) == _STRUCT:
                yield self.element(address)

    def _at(self, address: int) -> int:
        return address - self._base + self._offset

    def _pointer(self, address: int) -> int:
        return int(struct.unpack_from("<Q", self.data, self._at(address))[0])

    def _number(self, address: int) -> int:
        return int(struct.unpack_from("<i", self.data, self._at(address))[0])

    def kind(self, address: int) -> int:
        """Return the kind of a type."""
        return self.data[self._at(address) + 23] & 31

    def _flags(self, address: int) -> int:
        return self.data[self._at(address) + 20]

    def element(self, address: int) -> int:
        """Return what a pointer or a slice is of."""
        return self._pointer(address + _TYPE_SIZE)

    def value(self, address: int) -> int:
        """Return the type of a map's values."""
        return self._pointer(address + _TYPE_SIZE + 8)

    def _string(self, offset: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self.data[offset]
            offset += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004 - the last byte of a varint
                return self.data[offset : offset + length].decode("utf-8", "replace"), offset + length

    def _name(self, address: int) -> tuple[str, str]:
        offset = self._at(address)
        name, end = self._string(offset + 1)
        return name, self._string(end)[0] if self.data[offset] & 2 else ""

    def name(self, address: int) -> str:
        """Return the name of a type without its package."""
        text = self._name(self._base + self._number(address + 40))[0]
        return text.removeprefix("*" if self._flags(address) & _EXTRA_STAR else "").rpartition(".")[2]

    def package(self, address: int) -> str:
        """Return the import path of a named struct."""
        if not self._flags(address) & _UNCOMMON:
            return ""
        offset = self._number(address + _TYPE_SIZE + 32)
        return self._name(self._base + offset)[0] if offset else ""

    def is_named(self, address: int) -> bool:
        """Return whether a type has a name of its own."""
        return bool(self._flags(address) & _NAMED)

    def fields(self, address: int) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the types and the tags of a struct's fields."""
        first, count = self._pointer(address + _TYPE_SIZE + 8), self._pointer(address + _TYPE_SIZE + 16)
        for i in range(count):
            place = first + 24 * i
            yield self._pointer(place + 8), dict(_TAG.findall(self._name(self._pointer(place))[1]))


def full_name(package: str, name: str) -> str:
    """Return the name that OpenAPI has for a Go type."""
    return "io.k8s." + package.removeprefix("k8s.io/").replace("/", ".") + "." + name


def messages(binary: Path) -> dict[str, dict[str, list[Any]]]:
    """Return every message: number → JSON name, type, and whether JSON leaves a zero value out.

    That is 0 (a pointer: when it is nil), 1 (``omitempty``, which structs and times ignore), 2 (``omitzero`` too), 3 (never), or 4 (never,
    and it is a pointer).
    """
    go = GoBinary(binary)
    found = {}
    for address in go.structs():
        if go.package(address).startswith(_PACKAGES):
            fields = dict(_fields(go, address))
            if fields:
                found[full_name(go.package(address), go.name(address))] = fields
    return found


def _fields(go: GoBinary, address: int) -> Iterator[tuple[str, list[Any]]]:
    for kind, tags in go.fields(address):
        if "," not in tags.get("protobuf", ""):
            continue
        name, _, rest = tags.get("json", "").partition(",")
        pointer = go.kind(kind) == _POINTER
        left_out = 3 + pointer if "omit" not in rest else 0 if pointer else 1 + ("omitzero" in rest)
        yield tags["protobuf"].split(",")[1], [name, _wire_type(go, kind), left_out]


def _wire_type(go: GoBinary, address: int) -> str:
    kind = go.kind(address)
    if kind == _POINTER:
        return _wire_type(go, go.element(address))
    if kind == _STRUCT:
        return full_name(go.package(address), go.name(address))
    if kind == _MAP:
        return "{}" + _wire_type(go, go.value(address))
    if kind == _SLICE and go.kind(go.element(address)) == 8:  # noqa: PLR2004 - uint8
        return "bytes"
    if kind == _SLICE and go.is_named(address) and go.name(address) in _WRAPPED:
        return "items"
    if kind == _SLICE:
        return "[]" + _wire_type(go, go.element(address))
    return {_BOOL: "bool", _STRING: "string"}.get(kind, "float" if kind in _FLOATS else "int")
