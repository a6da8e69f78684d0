"""When two failures have one cause: the same error, the same message but for what differs each time, the same objects.

Called by `capture`, which keeps one bundle per fingerprint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from projects.core.cluster.api import Target
from projects.core.record.steps import Cause

LENGTH = 12

_GENERATED = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of which Kubernetes makes the ends of names: none that could form a word."""
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(rf"-{_GENERATED}{{8,10}}-{_GENERATED}{{5}}\b"), "-<generated>"),
    (re.compile(rf"-(?=[a-z0-9]*[0-9]|{_GENERATED}+\b){_GENERATED}{{5}}\b"), "-<generated>"),
    (re.compile(rf"-(?=[a-z]*[0-9]){_GENERATED}{{8,10}}\b"), "-<generated>"),
    (re.compile(r"\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,}\b"), "<hash>"),
    (re.compile(r"\d+(?:[.:]\d+)*"), "#"),
)


def fingerprint(cause: Cause, targets: Iterable[Target], *, root: str) -> str:
    """Return what stands for a cause: the same for each failure that has it.

    Args:
      cause: Why a step failed.
      targets: The objects that it had to do with.
      root: The run's root, which does not belong to the cause.
    """
    said = sorted(set(normalised(cause.message.replace(root, "")).splitlines()))  # pods are listed in any order
    objects = sorted({normalised(f"{each.api_version} {each}") for each in targets})
    text = "\n".join([cause.type, str(cause.exit_code), *said, "", *objects])
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:LENGTH]


def normalised(text: str) -> str:
    """Return a text without numbers, uids, hashes and generated ends of names."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text
