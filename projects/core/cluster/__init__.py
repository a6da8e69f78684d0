"""Access to the cluster: requests, discovery, waits and captures, with typed errors. Called by the action plugins.

`Cluster` (api) reads and writes objects, `wait_for` (waiting) follows them, `capture` (capturing) keeps their state.
Nothing here imports the Kubernetes client before a connection is asked for.
"""

from __future__ import annotations

_PREWARM_S = 2.0
"""A server that does not answer must not keep from their work the commands that do not ask it."""


def prewarm() -> None:
    """Import and build what processes forked from this one can share.

    That is modules, kubeconfig, TLS context and session, and the known kinds. The server is asked once whether those
    have changed; no connection stays open and no thread is started. Without a cluster only the modules are loaded.
    """
    import kubernetes.client  # noqa: PLC0415 - this is what is paid here, once, instead of in each process
    import kubernetes.dynamic  # noqa: F401, PLC0415
    import urllib3.contrib  # noqa: F401, PLC0415
    import websocket  # noqa: F401, PLC0415

    from projects.core.cluster import capturing, exec_channel, session, waiting  # noqa: F401, PLC0415
    from projects.core.values.errors import ForesailError  # noqa: PLC0415

    try:
        connected = session.connect()
        with connected.patience.within(_PREWARM_S):
            connected.discovery.warm()
            connected.discovery.refresh()
            connected.discovery.warm()
        connected.close()
    except ForesailError:
        return  # the command that needs a cluster says so
