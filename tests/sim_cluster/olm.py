"""How the tests install an operator, through the API as a user would."""

from typing import Any

from tests.sim_cluster.talk import Client

OLM = "/apis/operators.coreos.com"


def subscribe(client: Client, namespace: str, **spec: Any) -> str:
    """Make a Subscription, by default to the example operator, and return its path."""
    wanted = {
        "name": "example-operator",
        "channel": "stable",
        "source": "redhat-operators",
        "sourceNamespace": "openshift-marketplace",
    } | spec
    made = {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "Subscription",
        "metadata": {"name": "s"},
        "spec": wanted,
    }
    client.post(f"{OLM}/v1alpha1/namespaces/{namespace}/subscriptions", made)
    return f"{OLM}/v1alpha1/namespaces/{namespace}/subscriptions/s"


def group(client: Client, namespace: str, name: str = "g", *targets: str) -> None:
    """Make an OperatorGroup."""
    made = {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "metadata": {"name": name}}
    client.post(
        f"{OLM}/v1/namespaces/{namespace}/operatorgroups",
        made | {"spec": {"targetNamespaces": list(targets)} if targets else {}},
    )


def succeeded(client: Client, namespace: str, name: str) -> Any:
    """Wait for a ClusterServiceVersion to succeed, and return it."""
    path = f"{OLM}/v1alpha1/namespaces/{namespace}/clusterserviceversions/{name}"
    return client.until(path, lambda obj: obj.get("status", {}).get("phase") == "Succeeded")


def install(client: Client, namespace: str, **spec: Any) -> Any:
    """Install an operator into its own namespace, and return its ClusterServiceVersion."""
    group(client, namespace, "g", namespace)
    path = subscribe(client, namespace, **spec)
    done = client.until(path, lambda obj: obj.get("status", {}).get("installedCSV"))
    return succeeded(client, namespace, done["status"]["installedCSV"])
