"""Whether output goes to a person's terminal or into a CI log. Asked by the streams and by the progress."""

from __future__ import annotations

import os
from typing import TextIO


def is_plain(stream: TextIO) -> bool:
    """Return whether a stream must get plain lines: no terminal, a CI job, a dumb terminal, or colour refused.

    See https://no-color.org; ``CI`` counts when it is set to anything but an empty string, ``0`` or ``false``.
    """
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return True
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not stream.isatty()
