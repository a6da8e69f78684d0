"""What people get wrong in pods and workloads: bodies that both APIs have to refuse, or to warn of, in the same words."""

from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
ONE: Body = {"name": "c", "image": "i"}
EXEC = {"exec": {"command": ["a"]}}


def pod(**spec: Any) -> Body:
    return {"metadata": {"name": "p"}, "spec": {"containers": [ONE], **spec}}


def _value(source: Body) -> Body:
    return {"env": [{"name": "A", "valueFrom": source}]}


CONTAINERS: list[Body] = [
    {"name": "Bad_Name"}, {"name": "x" * 64}, {"image": " i"}, {"image": ""},
    {"env": [{"name": ""}]}, {"env": [{"name": "a=b"}]}, {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
    {"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
    _value({}), _value({"fieldRef": {"fieldPath": "nope"}}), _value({"configMapKeyRef": {"name": "x"}}),
    _value({"secretKeyRef": {"name": "x", "key": "a/b"}}), _value({"resourceFieldRef": {"resource": "x"}}),
    {"envFrom": [{}]}, {"envFrom": [{"configMapRef": {}}]},
    {"ports": [{}]}, {"ports": [{"containerPort": 70000}]}, {"ports": [{"containerPort": 80, "name": "Bad_"}]},
    {"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]},
    {"ports": [{"containerPort": 80, "protocol": "X"}]}, {"ports": [{"containerPort": 80, "hostPort": 70000}]},
    {"ports": [{"containerPort": 80, "name": "waytoolongportname"}]}, {"ports": [{"containerPort": 80}, {"containerPort": 80}]},
    {"imagePullPolicy": "Sometimes"}, {"terminationMessagePolicy": "x"},
    {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "-1"}}},
    {"resources": {"limits": {"nope": "1"}}}, {"resources": {"requests": {"cpu": "x"}}}, {"resources": {"requests": {"memory": "1500m"}}},
    {"resources": {"requests": {"example.com/gpu": "1"}}}, {"resources": {"limits": {"nvidia.com/gpu": "500m"}}},
    {"resources": {"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "2"}}},
    {"resources": {"requests": {"hugepages-2Mi": "1Mi"}}}, {"volumeMounts": [{"name": "v", "mountPath": "/x"}]},
    {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}, {"securityContext": {"runAsUser": -1}},
    {"securityContext": {"procMount": "X"}}, {"securityContext": {"seccompProfile": {"type": "X"}}},
    {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
    {"livenessProbe": {}}, {"livenessProbe": {"httpGet": {"port": 0}}}, {"livenessProbe": {"httpGet": {"port": "bad_port_name_x"}}},
    {"livenessProbe": {"exec": {}}}, {"livenessProbe": {"tcpSocket": {"port": 80}, **EXEC}}, {"livenessProbe": {**EXEC, "periodSeconds": -1}},
    {"livenessProbe": {**EXEC, "successThreshold": 2}}, {"readinessProbe": {"httpGet": {"port": 80, "scheme": "X"}}},
    {"livenessProbe": {"grpc": {"port": 0}}}, {"livenessProbe": {**EXEC, "terminationGracePeriodSeconds": 0}},
    {"readinessProbe": {**EXEC, "terminationGracePeriodSeconds": 1}},
    {"lifecycle": {"preStop": {}}}, {"lifecycle": {"postStart": {"exec": {"command": []}}}},
]  # fmt: skip
MOUNTS: list[Body] = [
    {"name": "v", "mountPath": ""}, {"name": "v", "mountPath": "/a", "subPath": "/abs"}, {"name": "v", "mountPath": "/a", "subPath": "../x"},
]  # fmt: skip
VOLUMES: list[Body] = [
    {"name": "Bad_"}, {"emptyDir": {}}, {"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}, {"name": "v", "hostPath": {"path": ""}},
    {"name": "v", "hostPath": {"path": "/x", "type": "Nope"}}, {"name": "v", "secret": {}}, {"name": "v", "configMap": {}},
    {"name": "v", "configMap": {"name": "x", "defaultMode": 9999}}, {"name": "v", "configMap": {"name": "x", "items": [{"key": "a", "path": "../x"}]}},
    {"name": "v", "persistentVolumeClaim": {}}, {"name": "v", "nfs": {"server": "x"}}, {"name": "v", "projected": {"sources": [{}]}},
    {"name": "v", "downwardAPI": {"items": [{"path": "x"}]}}, {"name": "v", "csi": {}}, {"name": "v", "emptyDir": {"sizeLimit": "-1"}},
    {"name": "v", "ephemeral": {}},
]  # fmt: skip
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _terms(*terms: Body) -> Body:
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


SPECS: list[Body] = [
    {"restartPolicy": "Sometimes"}, {"dnsPolicy": "X"}, {"dnsPolicy": "None"}, {"terminationGracePeriodSeconds": -1}, {"activeDeadlineSeconds": 0},
    {"nodeSelector": {"a b": "c"}}, {"nodeSelector": {"a": "c d"}}, {"nodeName": "Bad_"}, {"serviceAccountName": "nobody"}, {"hostname": "Bad_"},
    {"subdomain": "Bad_"}, {"priorityClassName": "nope"}, {"priority": 5}, {"runtimeClassName": "nope"}, {"preemptionPolicy": "X"},
    {"imagePullSecrets": [{"name": ""}]}, {"hostAliases": [{"ip": "x"}]}, {"securityContext": {"runAsUser": -1}}, {"securityContext": {"fsGroup": -1}},
    {"securityContext": {"sysctls": [{"name": "x y", "value": "1"}]}}, {"tolerations": [{"operator": "Equal"}]},
    {"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]}, {"tolerations": [{"key": "a", "operator": "Nope"}]},
    {"tolerations": [{"key": "a", "effect": "Nope"}]}, {"tolerations": [{"key": "a", "tolerationSeconds": 5}]}, {"tolerations": [{"key": "a b"}]},
    _terms(), _terms({"matchExpressions": [{"key": "a", "operator": "In"}]}), _terms({"matchExpressions": [{"key": "a", "operator": "Nope"}]}),
    {"affinity": {"nodeAffinity": {PREFERRED: [{"weight": 0, "preference": {}}]}}},
    {"affinity": {"podAntiAffinity": {REQUIRED: [{"labelSelector": {}}]}}}, {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "a b"}]}}},
    {"affinity": {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": "a"}}]}}},
    {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]},
    {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "", "whenUnsatisfiable": "X"}]},
    {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}] * 2},
    {"initContainers": [ONE]}, {"initContainers": [{"name": "i", "image": "i", "readinessProbe": EXEC}]},
    {"initContainers": [{"name": "i", "image": "i", "restartPolicy": "X"}]}, {"ephemeralContainers": [{"name": "e", "image": "i"}]},
    {"hostNetwork": True, "containers": [{**ONE, "ports": [{"containerPort": 80, "hostPort": 81}]}]}, {"os": {"name": "x"}},
    {"readinessGates": [{"conditionType": "a b"}]}, {"schedulingGates": [{"name": ""}]}, {"overhead": {"cpu": "1"}},
    {"shareProcessNamespace": True, "hostPID": True}, {"dnsConfig": {"nameservers": ["a"]}}, {"resources": {"limits": {"cpu": "1"}}},
    {"containers": [ONE, {"name": "c", "image": ""}], "restartPolicy": "X", "volumes": [{"name": "v"}, {"name": "v"}]},
]  # fmt: skip


def pods() -> Iterator[Body]:
    """Yield pods with a mistake each."""
    yield from (pod(containers=[ONE | container]) for container in CONTAINERS)
    yield from (pod(volumes=[volume]) for volume in VOLUMES)
    yield from (pod(volumes=[{"name": "v"}], containers=[{**ONE, "volumeMounts": [mount]}]) for mount in MOUNTS)
    yield from (pod(**spec) for spec in SPECS)


TEMPLATE: Body = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [ONE]}}


def _template(**spec: Any) -> Body:
    return {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [ONE], **spec}}}


ANY: list[Body] = [
    {"selector": None}, {"template": None}, {"selector": {}}, {"selector": {"matchLabels": {"a": "c"}}}, {"minReadySeconds": -1},
    {"selector": {"matchExpressions": [{"key": "a", "operator": "Foo"}]}}, {"selector": {"matchLabels": {"a b": "c"}}},
    _template(containers=[{"name": "c"}], restartPolicy="Never"), _template(activeDeadlineSeconds=5), _template(containers=[]),
    _template(terminationGracePeriodSeconds=-1, hostNetwork=True),
    {"template": {"metadata": {"labels": {"a": "b", "x y": "z"}, "annotations": {"x y": "1"}}, "spec": {"containers": [ONE]}}},
]  # fmt: skip
OWN: dict[str, list[Body]] = {
    "replicasets": [{"replicas": -1}],
    "deployments": [
        {"replicas": -1}, {"strategy": {"type": "X"}}, {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
        {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}, {"strategy": {"rollingUpdate": {"maxSurge": "x%"}}},
        {"strategy": {"rollingUpdate": {"maxSurge": -1}}}, {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
        {"progressDeadlineSeconds": -1}, {"progressDeadlineSeconds": 5, "minReadySeconds": 10}, {"revisionHistoryLimit": -1},
    ],
    "statefulsets": [
        {"replicas": -1}, {"podManagementPolicy": "X"}, {"updateStrategy": {"type": "X"}}, {"ordinals": {"start": -1}},
        {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}, {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
        {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "X"}},
        {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]},
    ],
    "daemonsets": [
        {"updateStrategy": {"type": "X"}}, {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
        {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}}, {"updateStrategy": {"type": "OnDelete"}},
    ],
}  # fmt: skip


def workloads() -> Iterator[tuple[str, Body]]:
    """Yield workloads with a mistake each, and their resource."""
    for resource, own in OWN.items():
        whole: Body = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
        whole |= {"serviceName": "s"} if resource == "statefulsets" else {}
        for change in (*ANY, *own):
            spec = {key: value for key, value in (whole | change).items() if value is not None}
            yield resource, {"metadata": {"name": "p"}, "spec": spec}


NEVER: Body = {"spec": {"restartPolicy": "Never", "containers": [ONE]}}
JOBS: list[Body] = [
    {"template": pod(restartPolicy="Always")}, {"template": pod(restartPolicy="X")}, {"completions": -1}, {"parallelism": -1}, {"backoffLimit": -1},
    {"activeDeadlineSeconds": -1}, {"ttlSecondsAfterFinished": -1}, {"completionMode": "X"}, {"completionMode": "Indexed"},
    {"completionMode": "Indexed", "completions": 3, "parallelism": 200000}, {"backoffLimitPerIndex": 1}, {"maxFailedIndexes": 1},
    {"manualSelector": True}, {"podFailurePolicy": {"rules": [{"action": "X"}]}}, {"podReplacementPolicy": "X"}, {"managedBy": "x"},
    {"successPolicy": {"rules": []}},
    {"template": {"spec": NEVER["spec"] | {"restartPolicy": "OnFailure"}},
     "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}},
]  # fmt: skip
CRON_JOBS: list[Body] = [
    {"schedule": ""}, {"schedule": "x"}, {"schedule": "* * * *"}, {"schedule": "61 * * * *"}, {"schedule": "@hourly"}, {"schedule": "1-5/2,7 * * jan mon"},
    {"schedule": "TZ=UTC * * * * *"}, {"timeZone": "Nope/X"}, {"timeZone": "Europe/Paris"}, {"concurrencyPolicy": "X"}, {"startingDeadlineSeconds": -1},
    {"successfulJobsHistoryLimit": -1}, {"failedJobsHistoryLimit": -1}, {"jobTemplate": {"spec": {"template": {"spec": {"containers": [ONE]}}}}},
    {"jobTemplate": {"spec": {"template": NEVER, "backoffLimit": -1}}},
]  # fmt: skip


def jobs() -> Iterator[tuple[str, Body]]:
    """Yield Jobs and CronJobs with a mistake each, and their resource."""
    for change in JOBS:
        yield "jobs", {"metadata": {"name": "p"}, "spec": {"template": NEVER} | change}
    for change in CRON_JOBS:
        whole = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": NEVER}}}
        yield "cronjobs", {"metadata": {"name": "p"}, "spec": whole | change}
    yield (
        "cronjobs",
        {
            "metadata": {"name": "x" * 53},
            "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": NEVER}}},
        },
    )
