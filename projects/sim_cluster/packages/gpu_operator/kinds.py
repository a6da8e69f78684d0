"""ClusterPolicy and NVIDIADriver: the fields that people set, with the names and types of the real definitions."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.packages.custom_kind import AGE, ANYTHING, CustomKind
from projects.sim_cluster.packages.gpu_operator.components import REQUIRED

_TEXT: Final[Object] = {"type": "string"}
_FLAG: Final[Object] = {"type": "boolean"}
_LIST: Final[Object] = {"type": "array", "items": ANYTHING}
_TEXTS: Final[Object] = {"type": "array", "items": _TEXT}
_BASE: Final[dict[str, Object]] = {"image": _TEXT, "repository": _TEXT, "version": _TEXT, "imagePullPolicy": _TEXT,
                                   "imagePullSecrets": _TEXTS, "env": _LIST, "args": _TEXTS}  # fmt: skip


def _choice(*values: str) -> Object:
    return {"type": "string", "enum": list(values)}


def _part(**more: Object) -> Object:
    return {"type": "object", "properties": _BASE | {"resources": ANYTHING, "hostNetwork": _FLAG} | more}


def _component(**more: Object) -> Object:
    """Return the schema of a part that can be switched off."""
    return _part(enabled=_FLAG, **more)


def _object(**fields: Object) -> Object:
    return {"type": "object", "properties": fields}


_CONFIG: Final = _object(name=_TEXT, default=_TEXT)
_SPEC: Final[Object] = {"type": "object", "required": list(REQUIRED), "properties": {
    "operator": _object(defaultRuntime=_TEXT, runtimeClass={"type": "string", "default": "nvidia"},
                        initContainer=ANYTHING, labels=ANYTHING, annotations=ANYTHING, metrics=ANYTHING, use_ocp_driver_toolkit=_FLAG),
    "daemonsets": _object(annotations=ANYTHING, labels=ANYTHING, tolerations=_LIST, priorityClassName=_TEXT, podSecurityContext=ANYTHING,
                          rollingUpdate=_object(maxUnavailable=_TEXT),
                          updateStrategy={**_choice("RollingUpdate", "OnDelete"), "default": "RollingUpdate"}),
    "driver": _component(kernelModuleType={**_choice("auto", "open", "proprietary"), "default": "auto"}, useNvidiaDriverCRD=_FLAG,
                         useOpenKernelModules=_FLAG, usePrecompiled=_FLAG, rdma=ANYTHING, manager=ANYTHING, upgradePolicy=ANYTHING,
                         licensingConfig=ANYTHING, certConfig=ANYTHING, repoConfig=ANYTHING, virtualTopology=ANYTHING, kernelModuleConfig=ANYTHING,
                         secretEnv=_TEXT, startupProbe=ANYTHING, livenessProbe=ANYTHING, readinessProbe=ANYTHING),
    "toolkit": _component(installDir={"type": "string", "default": "/usr/local/nvidia"}),
    "validator": _part(cuda=ANYTHING, driver=ANYTHING, plugin=ANYTHING, toolkit=ANYTHING, vfioPCI=ANYTHING, vgpuDevices=ANYTHING,
                            vgpuManager=ANYTHING),
    "devicePlugin": _component(config=_CONFIG, mps=_object(root=_TEXT)),
    "dcgm": _component(hostPort={"type": "integer"}),
    "dcgmExporter": _component(config=_object(name=_TEXT), service=ANYTHING, serviceMonitor=ANYTHING, hpcJobMapping=ANYTHING, hostPID=_FLAG,
                               annotations=ANYTHING, enablePodLabels=_FLAG, enablePodUID=_FLAG, podLabelAllowlistRegex=_TEXTS),
    "gfd": _component(),
    "migManager": _component(config=_CONFIG, gpuClientsConfig=ANYTHING),
    "nodeStatusExporter": _component(),
    "mig": _object(strategy=_choice("none", "single", "mixed")),
    "cdi": _object(enabled={"type": "boolean", "default": True}, default={"type": "boolean", "default": False}, nriPluginEnabled=_FLAG),
    "psa": _object(enabled=_FLAG), "psp": _object(enabled=_FLAG),
    "hostPaths": ANYTHING, "sandboxWorkloads": ANYTHING, "gds": ANYTHING, "gdrcopy": ANYTHING, "vfioManager": ANYTHING, "vgpuManager": ANYTHING,
    "vgpuDeviceManager": ANYTHING, "sandboxDevicePlugin": ANYTHING, "kataManager": ANYTHING, "kataSandboxDevicePlugin": ANYTHING,
    "ccManager": ANYTHING,
}}  # fmt: skip
_STATUS: Final[Object] = {"type": "object", "required": ["state"], "properties": {
    "state": _choice("ignored", "ready", "notReady"), "namespace": _TEXT, "conditions": _LIST,
}}  # fmt: skip
_ON: Final[Object] = {"enabled": True}

CLUSTER_POLICY: Final = CustomKind(
    "nvidia.com/v1", "ClusterPolicy", "clusterpolicies",
    columns=(("Status", "string", ".status.state"), ("Age", "string", ".metadata.creationTimestamp")),
    fields={"spec": _SPEC, "status": _STATUS},
    example={
        "metadata": {"name": "gpu-cluster-policy"},
        "spec": {
            "operator": {"defaultRuntime": "crio", "use_ocp_driver_toolkit": True, "initContainer": {}},
            "daemonsets": {"updateStrategy": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "1"}},
            "driver": _ON, "toolkit": _ON, "devicePlugin": {**_ON, "config": {"name": "", "default": ""}}, "dcgm": _ON,
            "dcgmExporter": {**_ON, "config": {"name": ""}, "serviceMonitor": _ON}, "gfd": _ON, "migManager": _ON, "nodeStatusExporter": _ON,
            "mig": {"strategy": "single"}, "validator": {"plugin": {"env": []}},
        },
    },
)  # fmt: skip
NVIDIA_DRIVER: Final = CustomKind(
    "nvidia.com/v1alpha1",
    "NVIDIADriver",
    "nvidiadrivers",
    columns=(("Status", "string", ".status.state"), *AGE),
    example={
        "metadata": {"name": "demo-driver"},
        "spec": {"driverType": "gpu", "default": True, "image": "driver", "nodeSelector": {}},
    },
)
