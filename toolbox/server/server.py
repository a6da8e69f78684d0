"""Toolbox commands that deploy a server which a test needs."""

from __future__ import annotations

from projects.core.toolbox import command


class Server:
    """Deploy the servers that tests need."""

    @command
    def deploy_redis_server(self, namespace: str, timeout: int = 600) -> None:
        """Deploy a Redis server and wait until it answers.

        The namespace is made when it is missing. A second call changes nothing. The name under which pods of the
        cluster reach the server is written to `hostname`.

        Args:
          namespace: Namespace of the server.
          timeout: Seconds in which it has to be ready.

        Raises:
          CommandFailed: the server was not ready in time; the error says what its pod was waiting for.
        """
