"""kubectl, a client that no one here wrote, against the simulated cluster."""

import json
import re
from dataclasses import replace

from projects.sim_cluster.options import ClusterOptions
from projects.sim_cluster.running import running_cluster
from tests.sim_cluster.talk import Kubectl, config_map, deployment

STATEFUL = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}}  # fmt: skip


def test_workloads_from_apply_to_delete(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    spec = deployment("d", namespace, 3)["spec"]
    kubectl("apply", *inside, "-f", "-", stdin=json.dumps(deployment("d", namespace, 3)))
    kubectl(
        "apply", *inside, "-f", "-", stdin=json.dumps({**STATEFUL, "spec": {**spec, "replicas": 2, "serviceName": "s"}})
    )
    kubectl("apply", *inside, "-f", "-", stdin=json.dumps(JOB))
    assert "successfully rolled out" in kubectl("rollout", "status", *inside, "deployment/d", "--timeout=90s")
    kubectl("rollout", "status", *inside, "statefulset/s", "--timeout=90s")
    kubectl("wait", *inside, "--for=condition=Complete", "job/j", "--timeout=90s")
    assert {pod["metadata"]["name"] for pod in kubectl.get("pods", *inside)["items"]} >= {"s-0", "s-1"}
    kubectl("set", "image", *inside, "deployment/d", "c=registry.invalid/c:2")
    kubectl("rollout", "status", *inside, "deployment/d", "--timeout=90s")
    assert "registry.invalid/c:2" in kubectl("get", *inside, "deployment/d", "-o", "wide")
    kubectl("rollout", "undo", *inside, "deployment/d")
    kubectl("rollout", "status", *inside, "deployment/d", "--timeout=90s")
    assert "registry.invalid/c:1" in kubectl("get", *inside, "deployment/d", "-o", "wide")
    assert re.search(r"^3 +", kubectl("rollout", "history", *inside, "deployment/d"), re.MULTILINE)
    kubectl("scale", *inside, "deployment/d", "--replicas=1")
    kubectl("wait", *inside, "--for=jsonpath={.status.readyReplicas}=1", "deployment/d", "--timeout=90s")
    kubectl("delete", "namespace", namespace, "--timeout=90s")
    assert kubectl.run("get", "namespace", namespace, check=False).returncode == 1


def test_typed_commands_send_protobuf(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    kubectl("create", *inside, "configmap", "c", "--from-literal=a=1", "--from-literal=b=2")
    kubectl("create", *inside, "secret", "generic", "s", "--from-literal=password=x")
    kubectl("create", *inside, "deployment", "d", "--image=registry.invalid/d:1", "--replicas=2", "--port=80")
    kubectl("create", *inside, "serviceaccount", "robot")
    kubectl("create", *inside, "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", *inside, "rolebinding", "reads", "--role=reader", "--serviceaccount=" + namespace + ":robot")
    kubectl("create", *inside, "quota", "q", "--hard=pods=10,cpu=1500m")
    kubectl("create", *inside, "poddisruptionbudget", "p", "--selector=app=d", "--min-available=50%")
    kubectl("create", *inside, "service", "clusterip", "svc", "--tcp=80:8080")
    kubectl("create", *inside, "ingress", "i", "--rule=a.example.com/x=svc:80")
    kubectl("create", *inside, "cronjob", "cj", "--image=i", "--schedule=0 0 29 2 *")
    assert kubectl.get(*inside, "configmap/c")["data"] == {"a": "1", "b": "2"}
    assert kubectl.get(*inside, "secret/s")["data"] == {"password": "eA=="}
    made = kubectl.get(*inside, "deployment/d")["spec"]
    assert (made["replicas"], made["template"]["spec"]["containers"][0]["ports"]) == (
        2,
        [{"containerPort": 80, "protocol": "TCP"}],
    )
    assert kubectl.get(*inside, "quota/q")["spec"]["hard"] == {"pods": "10", "cpu": "1500m"}
    assert kubectl.get(*inside, "poddisruptionbudget/p")["spec"]["minAvailable"] == "50%"
    assert kubectl.get(*inside, "service/svc")["spec"]["ports"][0]["targetPort"] == 8080
    assert kubectl("create", *inside, "token", "robot").count(".") >= 2
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    assert "kubernetes-admin" in kubectl("auth", "whoami")


def test_apply_patches_and_server_side_apply(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    kubectl("apply", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "1", "b": "1"})))
    assert "configured" in kubectl("apply", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "2"})))
    assert "unchanged" in kubectl("apply", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "2"})))
    assert kubectl.get(*inside, "configmap/m")["data"] == {"a": "2"}
    conflict = kubectl.run(
        "apply",
        "--server-side",
        "--field-manager=me",
        *inside,
        "-f",
        "-",
        stdin=json.dumps(config_map("m", {"a": "3"})),
        check=False,
    )
    assert conflict.returncode == 1
    assert 'conflict with "kubectl-client-side-apply"' in conflict.stderr
    kubectl(
        "apply", "--server-side", "--force-conflicts", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "3"}))
    )
    kubectl("label", *inside, "configmap/m", "x=y")
    kubectl("annotate", *inside, "configmap/m", "x=y")
    kubectl("patch", *inside, "configmap/m", "--type=json", '-p=[{"op":"add","path":"/data/c","value":"4"}]')
    assert kubectl.get(*inside, "configmap/m")["data"] == {"a": "3", "c": "4"}
    diff = kubectl.run("diff", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "9"})), check=False)
    assert diff.returncode == 1
    assert '+  a: "9"' in diff.stdout
    refused = kubectl.run(
        "apply", *inside, "-f", "-", stdin=json.dumps({**deployment("d", namespace), "sepc": {}}), check=False
    )
    assert 'unknown field "sepc"' in refused.stderr


def test_server_side_apply_takes_over_from_client_side_apply(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    kubectl("apply", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "1", "b": "1"})))
    kubectl("apply", "--server-side", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "1", "b": "1"})))
    kubectl("apply", "--server-side", *inside, "-f", "-", stdin=json.dumps(config_map("m", {"a": "1"})))
    assert kubectl.get(*inside, "configmap/m")["data"] == {"a": "1"}


def test_what_people_read(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    kubectl("apply", *inside, "-f", "-", stdin=json.dumps(deployment("d", namespace, 1)))
    kubectl("rollout", "status", *inside, "deployment/d", "--timeout=90s")
    nodes = kubectl("get", "nodes", "-o", "wide")
    assert re.match(r"NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP", nodes)
    assert nodes.count(" Ready ") == 3
    assert re.search(r"^d-\S+ +1/1 +Running +0 ", kubectl("get", *inside, "pods"), re.MULTILINE)
    assert re.search(r"^d +1/1 +1 +1 ", kubectl("get", *inside, "deployments"), re.MULTILINE)
    assert "Replicas:               1 desired | 1 updated | 1 total | 1 available" in kubectl(
        "describe", *inside, "deployment/d"
    )
    assert "Ready            True" in kubectl("describe", "node", "worker-0")
    pod = kubectl("get", *inside, "pods", "-o", "name").strip()
    assert "no program runs in it" in kubectl("logs", *inside, pod)
    refused = kubectl.run("exec", *inside, pod, "--", "true", check=False)
    assert refused.returncode != 0
    assert "executable file not found in $PATH" in refused.stderr
    assert "nodeName" in kubectl("explain", "pod.spec.nodeName")
    missing = kubectl.run("get", *inside, "configmap", "nope", check=False)
    assert '(NotFound): configmaps "nope" not found' in missing.stderr


def test_nodes_are_drained(kubectl: Kubectl) -> None:
    """On a cluster of its own: what other tests left on a node may not be evicted as one likes."""
    with running_cluster(ClusterOptions(platform="kubernetes", nodes=3)) as cluster:
        kubectl = replace(kubectl, kubeconfig=cluster.kubeconfig)
        kubectl("apply", "-f", "-", stdin=json.dumps(deployment("d", "default", 3)))
        kubectl("rollout", "status", "deployment/d", "--timeout=90s")
        kubectl("cordon", "worker-2")
        kubectl("drain", "worker-2", "--ignore-daemonsets", "--force", "--delete-emptydir-data", "--timeout=90s")
        assert "SchedulingDisabled" in kubectl("get", "node", "worker-2")
        kubectl("rollout", "status", "deployment/d", "--timeout=90s")
        assert {pod["spec"]["nodeName"] for pod in kubectl.get("pods")["items"]} <= {"worker-0", "worker-1"}


def test_deletes_with_cascades(kubectl: Kubectl, namespace: str) -> None:
    inside = ("-n", namespace)
    for name, cascade in (("kept", "orphan"), ("gone", "foreground")):
        kubectl("apply", *inside, "-f", "-", stdin=json.dumps(deployment(name, namespace, 1)))
        kubectl("rollout", "status", *inside, f"deployment/{name}", "--timeout=90s")
        kubectl("delete", *inside, f"deployment/{name}", f"--cascade={cascade}", "--timeout=90s")
    sets = kubectl.get(*inside, "replicasets")["items"]
    assert [rs["metadata"]["labels"]["app"] for rs in sets] == ["kept"]
    assert "ownerReferences" not in sets[0]["metadata"]


def test_openshift_through_kubectl(oc: Kubectl) -> None:
    assert re.search(r"^version +4\.\d+\.\d+ +True +False", oc("get", "clusterversion"), re.MULTILINE)
    assert re.search(
        r"^openshift-apiserver +4\.\d+\.\d+ +True +False +False", oc("get", "clusteroperators"), re.MULTILINE
    )
    assert oc("get", "infrastructure", "cluster", "-o", "jsonpath={.status.platformStatus.type}") == "AWS"
    assert re.search(r"m6i.xlarge +us-east-1 +us-east-1a", oc("get", "machines", "-n", "openshift-machine-api"))
    assert re.search(
        r"^worker +rendered-worker-\S+ +True +False +False +3", oc("get", "machineconfigpools"), re.MULTILINE
    )
    assert "certified-operators" in oc("get", "catalogsources", "-n", "openshift-marketplace")


def test_plain_kubernetes_has_nothing_of_openshift(kubectl: Kubectl) -> None:
    assert "openshift" not in kubectl("api-resources")
    assert "openshift" not in kubectl("get", "namespaces")
