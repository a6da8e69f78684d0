"""Which lines of a secret of many lines say nothing secret: called by `encodings`, which leaves them in every other text.

A kubeconfig, a key file or a pull secret is in great part what every such file holds. Were those lines secret too,
`apiVersion: v1` and `{` would be masked in every artifact. Ordinary is only what is listed here; all else is secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST = 4
"""Characters of the shortest value that is masked: a shorter one would take ordinary words out of every log."""

_KEY = r"(?:- +)?[\"']?[A-Za-z][A-Za-z._/-]*[\"']?\s*[:=]"
_WORDS = r"true|false|null|none|yes|no|on|off|default|~"
_ORDINARY = re.compile(
    # no letter, no digit: `{`, `},`, `---`
    r"[\W_]*"
    # the armour of PEM: `-----BEGIN RSA PRIVATE KEY-----`
    r"|-----(?:BEGIN|END) [A-Z0-9 ]+-----"
    # a section of an INI file: `[default]`, `[profile prod]`
    r"|\[[A-Za-z]+(?: [A-Za-z_-]+)?\]"
    # a constant: `true`, `- null`
    rf"|(?:- +)?(?:{_WORDS})"
    # a key without a value, or with one that opens a block: `data:`, `"auths": {`, `key: |-`
    rf"|{_KEY}\s*(?:[\[{{]|[|>][+-]?)?"
    # a key whose value is a constant or a small number: `"insecure": false,`, `version: 1`
    rf"|{_KEY}\s*[\"']?(?:{_WORDS}|\d{{1,3}}|\{{\}}|\[\]|\"\"|'')?[\"']?,?"
    # a key that names a thing, and its name: `apiVersion: v1`, `"kind": "Config",`, `server: https://api.example.com:6443`
    r"|(?:- +)?[\"']?(?:apiVersion|kind|type|name|namespace|cluster|context|current-context|server|region|output|version)[\"']?"
    r"\s*[:=]\s*[\"']?[A-Za-z][A-Za-z0-9./:_-]{0,79}[\"']?,?",
)
_WORD = re.compile(r"\S{16,}")
_NAME = re.compile(r"[A-Za-z][A-Za-z._/-]*[:=]*")
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?(?:-----END (?:TRUSTED )?CERTIFICATE-----|\Z)", re.DOTALL
)
"""A certificate is public: whoever connects is shown it, and clusters hold the same one in many objects."""


def is_ordinary(line: str) -> bool:
    """Return whether a line is one that files of its kind have in common, or too short to be told from ordinary text."""
    text = line.strip()
    return len(text) < SHORTEST or _ORDINARY.fullmatch(text) is not None


def secret_blocks(value: str) -> Iterator[str]:
    """Yield the parts of a value of several lines that are secret: neighbouring lines together, as they stand.

    Args:
      value: A secret. One of a single line has no part that could stand alone.
    """
    if len(value.strip().splitlines()) < 2:  # noqa: PLR2004 - it is not one line
        return
    block: list[str] = []
    for part in _CERTIFICATE.sub("\n", value).splitlines(keepends=True):
        if not is_ordinary(part):
            block.append(part)
        elif block:
            yield "".join(block)
            block = []
    if block:
        yield "".join(block)


def secret_words(text: str) -> Iterator[str]:
    """Yield the long words of a secret text that has several: the password of ``password = …``, say. A name is none.

    Args:
      text: Lines of a secret.
    """
    words = _WORD.findall(text)
    if words != [text.strip()]:
        yield from (word for each in words if not _NAME.fullmatch(word := each.strip("\"',;")))
