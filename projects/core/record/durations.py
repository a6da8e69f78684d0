"""How a duration is written for people. Used by all that shows a run."""

from __future__ import annotations


def duration(seconds: float | None) -> str:
    """Return a duration as people read it: ``0.2s``, ``41.2s``, ``2m05s``, ``1h03m``; nothing when there is none."""
    if seconds is None:
        return ""
    if seconds < 99.95:  # noqa: PLR2004 - what would round to three digits
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"
