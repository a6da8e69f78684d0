"""A client that was hurt works until it comes again: time must not pass in its back-off."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from projects.sim_cluster import visitors
from projects.sim_cluster.faults import retries
from projects.sim_cluster.options import MAX_SPEED
from tests.sim_cluster.scenarios.clusters import going_through
from tests.sim_cluster.talk import PATIENCE, Client

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that this machine holds up for seconds is not taken to have given up, nor to have thought it over."""
    monkeypatch.setattr(retries, "_BACK_OFF_SECONDS", PATIENCE)
    monkeypatch.setattr(visitors, "THINKING", 100 * visitors.THINKING)


def test_a_jumping_clock_stands_still_until_the_request_comes_again(tmp_path: Path) -> None:
    text = json.dumps({"faults": {"api": [{"do": "server-error", "times": {"first": 1}}]}})
    with going_through(tmp_path, text, speed=MAX_SPEED) as client:
        now = client.get("/sim/clock")["now"]
        other = Client(client.kubeconfig)
        until = threading.Thread(target=lambda: other.get(f"/sim/clock?until={now + 500}"))
        assert client.ask("GET", MAPS).status == 500
        until.start()
        threading.Event().wait(0.3)  # the back-off, longer than what a clock that jumps takes for quiet
        assert client.get("/sim/clock")["now"] - now < 60
        assert client.ask("GET", MAPS).status == 200
        until.join()
        other.close()
        assert client.get(f"/sim/clock?until={now + 500}")["now"] >= now + 500


def test_who_asks_again_for_want_of_an_answer_does_not_wait(tmp_path: Path) -> None:
    lost = {"do": "reset", "done": True, "requests": {"resources": ["configmaps"]}, "times": {"first": 1}}
    text = json.dumps({"faults": {"api": [lost]}})
    with going_through(tmp_path, text, speed=MAX_SPEED) as client:
        now = client.get("/sim/clock")["now"]
        other = Client(client.kubeconfig)
        until = threading.Thread(target=lambda: other.get(f"/sim/clock?until={now + 500}"))
        with pytest.raises(OSError):  # noqa: PT011 - any way to lose a connection will do
            client.ask("GET", MAPS)
        until.start()
        assert client.ask("GET", MAPS).status == 200
        threading.Event().wait(0.05)  # long enough for a jump of somebody who asks again to see a change
        assert client.get("/sim/clock")["now"] == now
        assert client.ask("GET", MAPS).status == 200, "now it asks again"
        until.join()
        other.close()


def test_latency_passes_on_a_jumping_clock(tmp_path: Path) -> None:
    text = json.dumps({"faults": {"api": [{"do": "latency", "seconds": "10m"}]}})
    with going_through(tmp_path, text, speed=MAX_SPEED) as client:
        now = client.get("/sim/clock")["now"]
        assert client.ask("GET", MAPS).status == 200
        assert client.get("/sim/clock")["now"] >= now + 600
