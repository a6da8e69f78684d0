"""The evidence of failures: `capture` keeps it in a bundle the moment a step has failed. Called by `library.commands`."""

from __future__ import annotations

from projects.core.postmortem.capture import SECONDS, SECONDS_OF_THE_GRACE, capture

__all__ = ["SECONDS", "SECONDS_OF_THE_GRACE", "capture"]
