"""What running steps are waiting for, when somebody knows. Told by the execution, shown by the board and the heartbeat."""

from __future__ import annotations

_awaited: dict[str, str] = {}


def waiting_for(step: str, what: str | None) -> None:
    """Note what a step is waiting for.

    Args:
      step: The step's id.
      what: The thing, as it reads after "waiting for"; None when it is not waiting any more.
    """
    if what is None:
        _awaited.pop(step, None)
    else:
        _awaited[step] = what


def awaited_by(step: str) -> str | None:
    """Return what a step is waiting for, None when nobody said."""
    return _awaited.get(step)
