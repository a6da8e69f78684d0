"""Toolbox commands that act on the cluster under test as a whole: its environment, nodes, operators and projects."""

from __future__ import annotations

from projects.core.toolbox import command


class Cluster:
    """Act on the cluster under test."""

    @command
    def capture_environment(self) -> None:
        """Capture what the cluster is: versions, nodes, machines, operators, and the version of Foresail.

        Works on OpenShift and on plain Kubernetes; what the cluster does not have is skipped and noted in
        `_capture.yaml`.

        Raises:
          CommandFailed: the cluster is unreachable, or something that is there could not be read. What could be read
            is in the artifact directory all the same.
        """
