"""What KWOK plays, as its `Stage` documents: nodes that nobody else has made, and the leases of all. Pods are the kubelet behaviour's.

Written into KWOK's configuration by `control_plane`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

Object = dict[str, Any]

#: A node whose status nobody has written: those of an autoscaler. Ours come with theirs, and it stays as behaviours leave it.
_NODE: Final = """
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- {address: {{ NodeIP | Quote }}, type: InternalIP}
- {address: {{ .metadata.name | Quote }}, type: Hostname}
nodeInfo:
  architecture: {{ index .metadata.labels "kubernetes.io/arch" | default "amd64" | Quote }}
  operatingSystem: linux
  kubeletVersion: kwok
  kubeProxyVersion: ""
  containerRuntimeVersion: kwok
  kernelVersion: kwok
  osImage: kwok
  bootID: ""
  machineID: ""
  systemUUID: ""
phase: Running
"""


def _stage(name: str, kind: str, when: Object, then: Object) -> Object:
    spec = {"resourceRef": {"apiGroup": "v1", "kind": kind}, "selector": {"matchExpressions": [when]}, "next": then}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def stages() -> list[Object]:
    """Return the documents. Pods have a stage that none of them is ever in: without one KWOK would play them as it sees fit."""
    bare = {"key": ".status.conditions", "operator": "DoesNotExist"}
    never = {"key": ".metadata.name", "operator": "DoesNotExist"}
    return [
        _stage("node-registers", "Node", bare, {"statusTemplate": _NODE}),
        _stage("pods-are-played-elsewhere", "Pod", never, {"statusTemplate": "phase: Pending"}),
    ]


def documents(objects: Iterable[Object]) -> str:
    """Return objects as one configuration file."""
    return "\n---\n".join(json.dumps(obj) for obj in objects) + "\n"
