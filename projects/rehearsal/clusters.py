"""The cluster of one rehearsal: a process of its own, spoken to as any cluster is. Called by `playing`.

Its kubeconfig is what the orchestration gets. What the rehearsal itself wants to know, it asks past the faults.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.core.cluster.kubeconfig import load_access
from projects.core.cluster.session import Session
from projects.core.values.checkout import ROOT
from projects.core.values.errors import InfrastructureError

_START_TIMEOUT_S = 90.0
_UNHURT = "/sim/unhurt"
"""The path behind which the API answers as if there were no faults."""


@dataclass(frozen=True)
class RehearsedCluster:
    """A cluster that runs.

    Attributes:
      kubeconfig: What the orchestration gets.
      session: Requests that no fault hurts.
    """

    kubeconfig: Path
    session: Session

    def now(self) -> float:
        """Return the cluster's time, in seconds since the epoch."""
        return float(self._asked("/sim/clock")["now"])

    def wait(self, seconds: float) -> None:
        """Let some of the cluster's time pass, or a part of it."""
        self._asked(f"/sim/clock?until={self.now() + seconds!r}")

    def struck(self) -> Mapping[str, int]:
        """Return how often each fault has struck, by its name."""
        return {str(each["name"]): int(each["struck"]) for each in self._asked("/sim/faults")["faults"]}

    def _asked(self, path: str) -> Any:
        return self.session.json("GET", path)


@contextmanager
def rehearsed_cluster(options: Sequence[str]) -> Iterator[RehearsedCluster]:
    """Run a cluster for the block.

    Args:
      options: Options of `python3 -m projects.sim_cluster up`.

    Raises:
      InfrastructureError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="foresail-sim-") as name:
        up = sim_cluster("up", name, *options)
        if up.returncode != 0:
            raise InfrastructureError(f"the cluster did not start: {up.stderr.strip() or up.stdout.strip()}")
        try:
            kubeconfig = Path(up.stdout.strip().splitlines()[-1])
            access = load_access([kubeconfig])
            access.configuration.host += _UNHURT
            session = Session(access)
            try:
                yield RehearsedCluster(kubeconfig, session)
            finally:
                session.close()
        finally:
            sim_cluster("down", name)


def sim_cluster(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `python3 -m projects.sim_cluster`."""
    argv = [sys.executable, "-m", "projects.sim_cluster", verb, *words]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_START_TIMEOUT_S, env=environment)
