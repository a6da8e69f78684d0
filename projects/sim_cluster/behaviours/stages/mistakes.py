"""What may be wrong with a Stage document, and where. Raised while documents are read, never while they are played."""

from __future__ import annotations


class ConstructError(ValueError):
    """A construct that is not understood; whoever knows file and stage says `StageError` in its place."""


class StageError(ValueError):
    """A Stage document that cannot be played.

    Args:
      source: The file.
      stage: The name of the stage, empty where it has none.
      construct: What is not understood.
    """

    def __init__(self, source: str, stage: str, construct: str) -> None:
        self.source, self.stage, self.construct = source, stage, construct
        named = f"stage {stage!r}: " if stage else ""
        super().__init__(f"{source}: {named}{construct}")
