"""The kubeconfig of the cluster's administrator, with everything embedded, as kind's. Called by `server`."""

from __future__ import annotations

import base64
import json

from projects.sim_cluster.api.certificates import Certificate

NAME = "simulated"
USER = "kubernetes-admin"
GROUP = "system:masters"


def kubeconfig(server: str, authority: bytes, client: Certificate) -> str:
    """Return the text of a kubeconfig (JSON, which is YAML)."""

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": encoded(authority)}}],
        "users": [{"name": USER, "user": {
            "client-certificate-data": encoded(client.certificate), "client-key-data": encoded(client.key),
        }}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": USER, "namespace": "default"}}],
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"
