"""Clusters that go through something, for the tests of scenarios and faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.scenarios.reading import load_scenario
from tests.sim_cluster.conftest import talking_to
from tests.sim_cluster.talk import PATIENCE, Client


def scenario_options(directory: Path, text: str, **given: Any) -> ClusterOptions:
    """Options with a scenario of the test's own."""
    path = directory / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return ClusterOptions(scenario=load_scenario(path), **{"platform": "kubernetes", "nodes": 1, **given})


@contextmanager
def going_through(directory: Path, text: str, **given: Any) -> Iterator[Client]:
    """A cluster that goes through a scenario, and a client."""
    with talking_to(scenario_options(directory, text, **given)) as client:
        yield client


def eventually(client: Client, path: str, accept: Callable[[Any], Any], seconds: float = PATIENCE) -> Any:
    """Ask until an answer is accepted, whatever its status, and return it."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not accept(answer := client.ask("GET", path).body):
        assert time.monotonic() < deadline, f"{path} after {seconds} s: {answer}"
        pause.wait(0.03)
    return answer


def struck(client: Client) -> dict[str, int]:
    """How often each fault has struck."""
    return {each["name"]: each["struck"] for each in client.get("/sim/faults")["faults"]}
