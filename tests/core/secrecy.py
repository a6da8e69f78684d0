"""Random secrets, what each looks like in every encoding, and the search for them in a tree. Used by the proofs about secrets.

Nothing here knows the redactor or its list of encodings: the forms are made by the programs that people use, such as PyYAML,
ElementTree, MarkupSafe and bash, or written out.
"""

from __future__ import annotations

import base64
import bz2
import contextlib
import gzip
import html
import io
import json
import lzma
import random
import shlex
import string
import tarfile
import textwrap
import urllib.parse
import xml.sax.saxutils
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import markupsafe
import yaml
from ahocorasick_rs import BytesAhoCorasick

SHORTEST = 8
"""Characters of the shortest line that is a secret of its own."""
SHORTEST_TELLING = 6
"""Bytes: half a word of base64 stands in any file."""
PIECE = 20
"""Characters of a part of a secret that must not be seen either, such as what a cut has left."""
_SPECIAL = "'\"\\`$&<>{}[]()|;:#%@!?*=+,./~^- "
_FOREIGN = "äöüßéèñçÅøπλЖя漢字日本한글€£¥…🐴🚀"
_ALPHABETS = (
    string.hexdigits.lower()[:16],
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "+/=",
    string.ascii_letters + string.digits + "-_.~",
    string.ascii_letters + string.digits + _SPECIAL,
    string.ascii_letters + _SPECIAL + _FOREIGN,
    _SPECIAL + string.digits,
    _FOREIGN + string.ascii_letters,
)


@dataclass(frozen=True)
class Made:
    """A secret: its text, and those of its lines that must not be seen alone."""

    text: str
    lines: tuple[str, ...] = ()


def random_secret(dice: random.Random) -> Made:
    """Return a secret of a random kind: a token, an URL, a key file, a configuration file, lines of anything."""
    return dice.choice((_token, _token, _url, _key, _configuration, _lines))(dice)


def _token(dice: random.Random) -> Made:
    while True:
        alphabet = dice.choice(_ALPHABETS)
        text = "".join(dice.choices(alphabet, k=dice.choice((8, 12, 20, 37, 64, 200)))).strip()
        if (
            len(text) >= SHORTEST and sum(map(str.isalnum, text)) >= 3 and not text.startswith("-----")
        ):  # else it says nothing
            return Made(text)


def _url(dice: random.Random) -> Made:
    password = urllib.parse.quote(_token(dice).text, safe="")
    return Made(f"https://user:{password}@host.example/?a=b&c=d#e")


def _key(dice: random.Random) -> Made:
    body = textwrap.wrap(base64.b64encode(dice.randbytes(dice.choice((96, 300, 1200)))).decode(), 64)
    secret = tuple(line for line in body if len(line) >= SHORTEST)
    return Made("\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"]), secret)


def _configuration(dice: random.Random) -> Made:
    line = f"password: {_token(dice).text}"
    return Made(
        f"apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    {line}\n    insecure: true", (line,)
    )


def _lines(dice: random.Random) -> Made:
    lines = tuple(_token(dice).text for _ in range(dice.randint(2, 5)))
    return Made("\n".join(lines), lines)


@dataclass(frozen=True)
class Form:
    """What a secret looks like in an encoding: as it would be written, and what of that tells the secret."""

    name: str
    written: bytes
    telling: bytes


def forms(made: Made) -> list[Form]:
    """Return all forms of a secret."""
    texts = {"whole": made.text, **{f"line {number}": line for number, line in enumerate(made.lines)}}
    return [form for name, text in texts.items() for form in _of_text(text, name)]


def _of_text(text: str, name: str) -> Iterator[Form]:
    for form, shown in _written(text):
        yield Form(f"{name}: {form}", shown.encode(), shown.encode())
    for offset in range(3):
        for alphabet, encode in {"base64": base64.b64encode, "base64url": base64.urlsafe_b64encode}.items():
            alone = encode(b"\0" * offset + text.encode()).rstrip(b"=")
            # What its neighbours have a share in does not tell it.
            telling = alone[4 if offset else 0 : -4]
            yield Form(f"{name}: {alphabet}+{offset}", encode(b"xyz"[:offset] + text.encode() + b"tail"), telling)
            yield Form(f"{name}: {alphabet}+{offset} at the end", encode(b"xyz"[:offset] + text.encode()), telling)
    lined = base64.b64encode(text.encode() + b"\n")
    yield Form(f"{name}: base64 with newline", lined, lined[:-4])


def _written(text: str) -> Iterator[tuple[str, str]]:
    yield "plain", text
    yield "url", urllib.parse.quote(text, safe="")
    yield "url path", urllib.parse.quote(text)
    yield "url form", urllib.parse.quote_plus(text)
    yield "url in lower case", _lower(urllib.parse.quote(text, safe=""))
    yield "json", json.dumps(text)[1:-1]
    yield "json utf-8", json.dumps(text, ensure_ascii=False)[1:-1]
    for char, name in (("<", "003c"), (">", "003e"), ("&", "0026")):
        text_of_go = json.dumps(text, ensure_ascii=False)[1:-1].replace(char, f"\\u{name}")
        if "\\u" in text_of_go and sum(map(text.count, "<>&")) == text.count(char):
            yield f"json of Go, {char}", text_of_go
    for unicode in (True, False):
        dumped = yaml.safe_dump(text, default_style='"', width=10**6, allow_unicode=unicode)
        yield f"yaml double, unicode {unicode}", dumped.strip()[1:-1]
    if "\n" not in text:
        yield "yaml single", yaml.safe_dump(text, default_style="'", width=10**6, allow_unicode=True).strip()[1:-1]
    yield "html", html.escape(text)
    yield "html without quotes", html.escape(text, quote=False)
    yield "jinja", str(markupsafe.escape(text))
    yield "xml", xml.sax.saxutils.escape(text)
    yield "xml text", ET.tostring(_element(text), encoding="unicode")[3:-4]
    yield "xml attribute", ET.tostring(ET.Element("a", {"b": text}), encoding="unicode")[6:-4]
    yield "shell", shlex.quote(text).removeprefix("'").removesuffix("'")
    yield "set -x", text.replace("'", "'\\''")
    yield "repr", repr(text)[1:-1]
    yield "ascii", ascii(text)[1:-1]
    yield "bytes", repr(text.encode())[2:-1]
    yield "json in json", json.dumps(json.dumps({"a": text}))[10:-4]


def _element(text: str) -> ET.Element:
    element = ET.Element("a")
    element.text = text
    return element


def _lower(quoted: str) -> str:
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


class Leaks:
    """A search for all forms of some secrets."""

    def __init__(self, secrets: dict[str, Made]) -> None:
        self._names: dict[bytes, str] = {}
        for name, made in secrets.items():
            for form in forms(made):
                if len(form.telling) >= SHORTEST_TELLING:
                    self._names.setdefault(form.telling, f"{name} as {form.name}")
            for text in made.lines or (made.text,):
                for start in range(len(text) - PIECE + 1):
                    self._names.setdefault(text[start : start + PIECE].encode(), f"{name} in part")
        self._needles = list(self._names)
        self._automaton = BytesAhoCorasick(self._needles)

    def __len__(self) -> int:
        return len(self._needles)

    def within(self, data: bytes, where: str) -> list[str]:
        """Return which forms of which secrets stand in some bytes."""
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return sorted({f"{where}: {self._names[self._needles[each]]}" for each, _, _ in found})

    def below(self, root: Path) -> list[str]:
        """Return what stands in the files below a directory, in their names, and in archives among them."""
        found = []
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            found += self.within(name.encode(), "a name")
            if path.is_file() and not path.is_symlink():
                found += self._look(name, path.read_bytes())
        return found

    def _look(self, name: str, data: bytes) -> list[str]:
        found = self.within(data, name)
        if data[:2] == b"\x1f\x8b":
            found += self._look(f"{name}!", gzip.decompress(data))
        elif data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.namelist():
                    found += self._look(f"{name}!{member}", archive.read(member))
        return found


def _in_tar(data: bytes, mode: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("inside/file")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def _in_zip(data: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/file", data)
    return content.getvalue()


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "file": lambda data: data,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "tar": lambda data: _in_tar(data, "w"),
    "tar.gz": lambda data: _in_tar(data, "w:gz"),
    "zip": _in_zip,
    "zip in tar.gz": lambda data: _in_tar(_in_zip(data), "w:gz"),
    "gz in zip in tar": lambda data: _in_tar(_in_zip(gzip.compress(data)), "w"),
}


@contextlib.contextmanager
def seeded(number: int) -> Iterator[random.Random]:
    """Give dice that a failure can be thrown again with."""
    try:
        yield random.Random(number)
    except AssertionError as error:
        error.add_note(f"seed {number}")
        raise
