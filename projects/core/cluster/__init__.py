"""Access to the cluster: requests, discovery, waits and captures, with typed errors. Called by the action plugins.

`Cluster` (api) reads and writes objects, `wait_for` (waiting) follows them, `capture` (capturing) keeps their state.
Nothing here imports the Kubernetes client before a connection is asked for.
"""

from __future__ import annotations


def prewarm() -> None:
    """Import and build what processes forked from this one can share: modules, kubeconfig, TLS context, known kinds.

    No connection is opened and no thread started. Without a kubeconfig only the modules are loaded.
    """
    import kubernetes.client  # noqa: PLC0415 - this is what is paid here, once, instead of in each process
    import kubernetes.dynamic  # noqa: F401, PLC0415
    import urllib3.contrib  # noqa: F401, PLC0415
    import websocket  # noqa: F401, PLC0415

    from projects.core.cluster import capturing, exec_channel, session, waiting  # noqa: F401, PLC0415
    from projects.core.values.errors import InfrastructureError  # noqa: PLC0415

    try:
        session.connect().discovery.warm()
    except InfrastructureError:
        return  # the command that needs a cluster says so
