"""What a secret looks like in each encoding that a log, a file or another program may show it in. Called by `redaction`.

A form is found wherever it stands, within a longer text too: so none has the quotes that enclose a whole text.
"""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

from projects.core.values.ordinary import SHORTEST, secret_blocks, secret_words

TILE = 16
"""Characters of a piece of a long base64 text. Tools wrap it at 64 or 76: each line of it holds a whole piece."""
_STEP = 24
SEED = 8
"""Characters of a seed."""
_SHORTEST_SEED = 5
_HEAD = 12  # characters whose base64 text is longer than a seed at each offset
_LETTERS = re.compile(r"[A-Za-z0-9]*")
_SHORTEST_BASE64 = 6
_URL_SAFE = str.maketrans("+/", "-_")
_PLAIN = re.compile(r"[A-Za-z0-9]*")
_TOKEN = re.compile(r"[A-Za-z0-9+/=._-]*")
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_SHELL_SPECIAL = re.compile(r"[^\w@%+=:,./-]", re.ASCII)


class _Escapes(dict[int, str]):
    """The escapes of a quoted scalar, for `str.translate`: some by name, some kept, the others by number."""

    def __init__(self, named: dict[str, str], *, unicode: bool) -> None:
        super().__init__({ord(character): f"\\{name}" for character, name in named.items()})
        self._unicode = unicode

    def __missing__(self, code: int) -> str:
        character = chr(code)
        unicode = "\xa0" <= character <= "\ud7ff" or "\ue000" <= character <= "\ufffd"  # what PyYAML leaves
        if " " <= character <= "~" or (self._unicode and unicode):
            shown = character
        else:
            shown = f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004
        self[code] = shown
        return shown


_YAML_NAMES = {
    "\0": "0",
    "\x07": "a",
    "\x08": "b",
    "\t": "t",
    "\n": "n",
    "\x0b": "v",
    "\x0c": "f",
    "\r": "r",
    "\x1b": "e",
    '"': '"',
    "\\": "\\",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}
_YAML = (_Escapes(_YAML_NAMES, unicode=False), _Escapes(_YAML_NAMES, unicode=True))
_GO_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
# Not xml.sax.saxutils, which does the same: it brings urllib.request along, a third of the time of a listing.
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_XML_QUOTED = _XML | str.maketrans({'"': "&quot;", "'": "&apos;"})
_XML_ATTRIBUTE = _XML | str.maketrans({'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#09;"})


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _json_unicode(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _lower_percent(quoted: str) -> str:
    return _PERCENT.sub(lambda match: match[0].lower(), quoted)


def _representation(text: str) -> str:
    return repr(text + "\"'")[1:-4]  # both quotes in it: Python escapes the single ones


def _bytes_representation(text: str) -> str:
    return repr(text.encode("utf-8", "surrogatepass") + b"\"'")[2:-4]


_Encoder = Callable[[str], str]
_OF_TOKENS: tuple[_Encoder, ...] = (
    lambda text: urllib.parse.quote(text, safe="", errors="replace"),
    lambda text: urllib.parse.quote(text, errors="replace"),
    lambda text: urllib.parse.quote(text, safe="!'()*", errors="replace"),  # JavaScript's
    lambda text: urllib.parse.quote_plus(text, errors="replace"),
    lambda text: _lower_percent(urllib.parse.quote(text, safe="", errors="replace")),
    lambda text: _lower_percent(urllib.parse.quote_plus(text, errors="replace")),
    lambda text: _json(text).replace("/", "\\/"),
)
"""What says a text of base64 or of a URL in another way."""
_OF_OTHERS: tuple[_Encoder, ...] = (
    _json,
    _json_unicode,
    lambda text: _json_unicode(text).translate(_GO_JSON),  # kubectl's
    lambda text: text.translate(_YAML[0]),
    lambda text: text.translate(_YAML[1]),
    lambda text: text.replace("'", "''"),  # in single quotes of YAML
    html.escape,
    lambda text: text.translate(_MARKUP),  # Jinja's
    lambda text: text.translate(_XML),
    lambda text: text.translate(_XML_QUOTED),
    lambda text: text.translate(_XML_ATTRIBUTE),
    lambda text: text.replace("'", "'\"'\"'"),  # shlex.quote
    lambda text: text.replace("'", "'\\''"),  # what `set -x` shows
    lambda text: _SHELL_SPECIAL.sub(r"\\\g<0>", text),  # bash's %q
    lambda text: _SHELL_SPECIAL.sub(lambda match: match[0] if match[0] > "~" else f"\\{match[0]}", text),
    _representation,
    lambda text: _representation(text).replace("\\'", "'"),
    lambda text: _representation(text).encode("ascii", "backslashreplace").decode(),
    lambda text: _representation(text).replace("\\'", "'").encode("ascii", "backslashreplace").decode(),
    _bytes_representation,
    lambda text: _bytes_representation(text).replace("\\'", "'"),
)
_AROUND: tuple[_Encoder, ...] = (
    _json,
    _json_unicode,
    html.escape,
    lambda text: text.translate(_MARKUP),
    _representation,
    lambda text: _representation(text).replace("\\'", "'"),
)
"""What a text that holds an encoded value is often put into as a whole: a JSON line, a page, an error's message."""


def forms_of(value: str) -> set[str]:
    """Return how a secret may be shown: it and each of its secret lines, in each encoding."""
    parts = set(_parts(value))
    several = len(value.strip().splitlines()) > 1
    forms: set[str] = set()
    for plain in _plains(value, parts):
        forms |= _in_base64(plain)
        # What a whole of many lines is put into holds its lines, in the same encodings.
        forms |= _encoded(plain) if several and parts and plain not in parts else _put_into(_encoded(plain))
    return {form for form in forms if len(form) >= SHORTEST}


def seeds_of(value: str) -> set[str]:
    """Return short texts of which each form and each tile of a secret holds one: to see fast that a text holds none.

    Most cost a hundredth of the forms, since letters and digits look the same in every encoding but base64.
    """
    seeds: set[str] = set()
    for plain in _plains(value, _parts(value)):
        longest = max(_LETTERS.findall(plain), key=len)
        if len(longest) >= _SHORTEST_SEED:
            seeds.add(longest[:SEED])
        else:
            seeds |= {form[:SEED] for form in _put_into(_encoded(plain)) if len(form) >= SHORTEST}
        seeds |= _base64_seeds(plain)
    return seeds | {tile[:SEED] for tile in tiles_of(value)}


def tiles_of(value: str) -> set[str]:
    """Return pieces of a long secret in base64, by which its lines are known when the base64 text is wrapped.

    What is found by one is to be hidden as far as the base64 text goes on.
    """
    tiles: set[str] = set()
    for block in secret_blocks(value) if len(value.strip().splitlines()) > 1 else [value]:
        for text in _inside_base64(block.encode("utf-8", "surrogatepass"), 2 * TILE):
            tiles.update(text[start : start + TILE] for start in range(0, len(text) - TILE, _STEP))
            tiles.add(text[-TILE:])
    return tiles


def _plains(value: str, lines: Iterable[str]) -> set[str]:
    # White space alone would take the indentation out of every file.
    return {plain for plain in (value, value.strip(), *lines) if len(plain.strip()) >= SHORTEST}


def _parts(value: str) -> Iterator[str]:
    """Yield what of a value may stand alone: its secret lines, and long words, as which a line goes on where it is folded."""
    for block in secret_blocks(value):
        yield from (line.strip() for line in block.splitlines())
        yield from secret_words(block)
    if len(value.strip().splitlines()) == 1:
        yield from secret_words(value)


def _encoded(plain: str) -> set[str]:
    if _PLAIN.fullmatch(plain):
        return {plain}
    encoders = _OF_TOKENS if _TOKEN.fullmatch(plain) else _OF_TOKENS + _OF_OTHERS
    return {plain, *(encode(plain) for encode in encoders)}


def _put_into(texts: set[str]) -> set[str]:
    return texts | {encode(text) for text in texts for encode in _AROUND}


def _in_base64(plain: str) -> set[str]:
    texts = {plain, _json(plain), _json_unicode(plain)}  # JSON, as in a pull secret
    return {form for text in texts for form in _base64(text)}


def _base64_seeds(plain: str) -> set[str]:
    if len(plain) < _HEAD:
        return {form[:SEED] for form in _in_base64(plain) if len(form) >= SHORTEST}
    seeds: set[str] = set()
    for head in {text[:_HEAD] for text in (plain, _json(plain[:_HEAD]), _json_unicode(plain[:_HEAD]))}:
        data = head.encode("utf-8", "surrogatepass")
        for before, first in enumerate((0, 2, 3)):  # see `_inside_base64`
            seed = base64.b64encode(bytes(before) + data)[first : first + SEED].decode()
            seeds |= {seed, seed.translate(_URL_SAFE)} if "+" in seed or "/" in seed else {seed}
    return seeds


def _base64(plain: str) -> Iterator[str]:
    data = plain.encode("utf-8", "surrogatepass")
    for whole in (data, data + b"\n"):
        encoded = base64.b64encode(whole).decode().rstrip("=")
        yield encoded
        yield encoded.translate(_URL_SAFE)
    yield from _inside_base64(data, _SHORTEST_BASE64)


def _inside_base64(value: bytes, shortest: int) -> Iterator[str]:
    """Yield what a value looks like within a longer text in base64, such as the ``user:password`` of a pull secret.

    It depends on how many bytes stand before it, modulo three. The characters that its neighbours have a share in are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value)
        first, end = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        if end - first >= shortest:
            text = encoded[first:end].decode()
            yield text
            yield text.translate(_URL_SAFE)
