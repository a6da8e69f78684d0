"""The life of nodes and pods, as KWOK plays it: `Stage` documents. Written into KWOK's configuration by `control_plane`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.behaviours.timings import Timings

Object = dict[str, Any]
_GOING: Final = {"key": ".metadata.deletionTimestamp", "operator": "Exists"}
_STAYING: Final = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}
_READY: Final = '.status.conditions.[] | select( .type == "Ready" ) | .status'

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

_RUNNING: Final = """
{{ $now := Now }}
conditions:
{{ range $kind := list "PodReadyToStartContainers" "Initialized" "Ready" "ContainersReady" }}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: {{ $kind }}}
{{ end }}
{{ range .spec.readinessGates }}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: {{ .conditionType | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  restartCount: 0
{{ if eq .restartPolicy "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
phase: Running
startTime: {{ $now | Quote }}
"""

_COMPLETED: Final = """
{{ $now := Now }}
{{ $pod := . }}
conditions:
- {lastTransitionTime: {{ $now | Quote }}, status: "False", type: Ready, reason: PodCompleted}
- {lastTransitionTime: {{ $now | Quote }}, status: "False", type: ContainersReady, reason: PodCompleted}
containerStatuses:
{{ range $index, $item := .spec.containers }}
{{ $was := index $pod.status.containerStatuses $index }}
- image: {{ $item.image | Quote }}
  name: {{ $item.name | Quote }}
  ready: false
  started: false
  restartCount: 0
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $was.state.running.startedAt | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
phase: Succeeded
"""

_UNREADY: Final = """
conditions:
- {lastTransitionTime: {{ Now | Quote }}, status: "False", type: Ready}
"""


def _stage(name: str, kind: str, when: Iterable[Object], then: Object, seconds: float = 0.0) -> Object:
    spec: Object = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": list(when)},
        "next": then,
    }
    if seconds:
        spec["delay"] = {"durationMilliseconds": int(seconds * 1000)}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def stages(timings: Timings, speed: float) -> list[Object]:
    """Return the documents; delays are those of the timings, in real time."""
    bare = {"key": ".status.conditions", "operator": "DoesNotExist"}
    fresh = {"key": ".status.podIP", "operator": "DoesNotExist"}
    of_a_job = {"key": ".metadata.ownerReferences.[].kind", "operator": "In", "values": ["Job"]}
    running = {"key": ".status.phase", "operator": "In", "values": ["Running"]}
    ready, unready = ({"key": _READY, "operator": operator, "values": ["True"]} for operator in ("In", "NotIn"))
    return [
        _stage("node-registers", "Node", [bare], {"statusTemplate": _NODE}),
        _stage("pod-runs", "Pod", [_STAYING, fresh], {"statusTemplate": _RUNNING}, timings.pod_start / speed),
        _stage(
            "pod-completes",
            "Pod",
            [_STAYING, running, of_a_job],
            {"statusTemplate": _COMPLETED},
            timings.job_pod_run / speed,
        ),
        _stage("pod-gets-unready", "Pod", [_GOING, ready], {"statusTemplate": _UNREADY}),
        _stage(
            "pod-goes",
            "Pod",
            [_GOING, unready],
            {"finalizers": {"empty": True}, "delete": True},
            timings.pod_stop / speed,
        ),
    ]


def documents(objects: Iterable[Object]) -> str:
    """Return objects as one configuration file."""
    return "\n---\n".join(json.dumps(obj) for obj in objects) + "\n"
