"""Values of Secrets in a capture: which are none, and what is written instead of them. Called by `preparing` and `saving`."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

Object = dict[str, Any]
_LENGTH: Final = re.compile(rb"\d+ bytes long")  # as `oc adm inspect` puts it
_MASKS: Final = re.compile(rb"\*{4,}|REDACTED|<redacted>", re.IGNORECASE)
#: Certificates are public; `oc adm inspect` shows them too.
_PUBLIC: Final = frozenset({"tls.crt", "ca.crt", "service-ca.crt"})
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def is_redacted(secret: Object) -> bool:
    """Return whether some value of a Secret is only a placeholder."""
    return any(_is_placeholder(value) for value in (secret.get("data") or {}).values())


def with_readable_values(secret: Object) -> Object:
    """Return a Secret whose values are base64: a capture may have a mask in the place of one."""
    data = secret.get("data")
    if not isinstance(data, dict) or all(_decoded(value) is not None for value in data.values()):
        return secret
    readable = {
        key: value if _decoded(value) is not None else _encoded(str(value).encode()) for key, value in data.items()
    }
    return secret | {"data": readable}


def without_values(secret: Object) -> Object:
    """Return a Secret as `oc adm inspect` writes it: the length of each value; certificates stay."""
    shown = dict(secret)
    if data := secret.get("data"):
        shown["data"] = {key: value if key in _PUBLIC else _length(value) for key, value in data.items()}
    if _LAST_APPLIED in (annotations := secret["metadata"].get("annotations") or {}):
        shown["metadata"] = secret["metadata"] | {"annotations": annotations | {_LAST_APPLIED: ""}}
    return shown


def _length(value: Any) -> Any:
    return value if _is_placeholder(value) else _encoded(f"{len(_decoded(value) or b'')} bytes long".encode())


def _is_placeholder(value: Any) -> bool:
    text = _decoded(value)
    return text is not None and (_LENGTH.fullmatch(text) is not None or _MASKS.fullmatch(text) is not None)


def _encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def _decoded(value: Any) -> bytes | None:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return None
