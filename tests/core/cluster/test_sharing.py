"""What processes forked after `prewarm` share: kinds, TLS session; and what they do not: connections."""

import os

import pytest

from projects.core.cluster import prewarm
from projects.core.cluster.api import Cluster, Target
from projects.core.cluster.session import connect

pytestmark = pytest.mark.envtest


def test_connections_resume_the_session_of_the_one_before(cluster: Cluster) -> None:
    tls = cluster.session.access.tls
    assert tls is not None
    for _ in range(2):
        cluster.objects(Target("Node"))
        last = tls._last() if tls._last else None
        assert last is not None
        reused = last.session_reused
        cluster.session.close()
    assert reused


def test_forked_processes_share_what_was_prewarmed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.core.cluster._PREWARM_S", 60.0)  # a busy server is asked, too
    prewarm()
    before = connect()
    assert before is cluster.session
    assert before.access.tls is not None
    assert before.access.tls._session is not None
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        forked = Cluster()
        kinds = forked.session.discovery
        kinds.warm()
        found = len(forked.objects(Target("Node")))
        own = forked.session is not before and forked.session.access is before.access and not kinds._fresh
        last = before.access.tls._last() if before.access.tls._last else None
        os.write(write, f"{found} {own} {last is not None and last.session_reused}".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 100) == b"3 True True"
    os.close(read)
    os.close(write)
