"""A played warm host, for tests of what stands around the execution of a command."""

from __future__ import annotations

from collections.abc import Callable

from projects.core.execution.cancellation import CancelToken
from projects.core.execution.request import Request
from projects.core.execution.warm import WarmHost


class PlayedHost(WarmHost):
    """A host that remembers what it is asked for and ends as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.status = 0

    def run(self, request: Request, token: CancelToken, on_output: Callable[[str], object] | None) -> int:
        token.check()
        self.requests.append(request)
        if on_output:
            on_output("printed by the role\n")
        return self.status
