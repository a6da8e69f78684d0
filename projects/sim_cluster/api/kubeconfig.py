"""The kubeconfig of the cluster's administrator, with everything embedded, as kind's. Called by `server`."""

from __future__ import annotations

import base64
import json

from projects.sim_cluster.api.certificates import Certificate
from projects.sim_cluster.api.identity import ADMINISTRATOR, MASTERS

NAME = "simulated"
USER = ADMINISTRATOR.name
GROUP = MASTERS
CLOCK = "foresail.io/clock"
"""The name of the extension that says where the cluster's time is told."""


def kubeconfig(server: str, authority: bytes, client: Certificate, clock: str = "") -> str:
    """Return the text of a kubeconfig (JSON, which is YAML).

    Args:
      server: Where the API answers.
      authority: The certificate that it is trusted by.
      client: The administrator's.
      clock: The path at which the server tells the time, when clients have to go by the cluster's clock: an extension,
        which kubectl and other clients pass over.
    """
    extensions = [{"name": CLOCK, "extension": {"path": clock}}]

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {
            "server": server, "certificate-authority-data": encoded(authority), **({"extensions": extensions} if clock else {}),
        }}],
        "users": [{"name": USER, "user": {
            "client-certificate-data": encoded(client.certificate), "client-key-data": encoded(client.key),
        }}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": USER, "namespace": "default"}}],
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"
