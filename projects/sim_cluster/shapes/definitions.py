"""OpenShift's kinds as this cluster serves them: names, columns, subresources; any field is accepted.

`CUSTOM` are CustomResourceDefinitions on a real cluster too; `AGGREGATED` are served by API servers of their own there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]
Columns = tuple[tuple[str, str, str], ...]


def _state(*kinds: str) -> Columns:
    return tuple((kind, "string", f'.status.conditions[?(@.type=="{kind}")].status') for kind in kinds)


_AGE: Final[Columns] = (("Age", "date", ".metadata.creationTimestamp"),)


@dataclass(frozen=True)
class Definition:
    """One kind."""

    api: str
    kind: str
    plural: str
    namespaced: bool = False
    short: tuple[str, ...] = ()
    columns: Columns = ()
    status: bool = True
    replicas: bool = False

    def document(self) -> Object:
        """Return it as a CustomResourceDefinition."""
        group, version = self.api.split("/")
        subresources: Object = {"status": {}} if self.status else {}
        if self.replicas:
            subresources["scale"] = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                                     "labelSelectorPath": ".status.labelSelector"}  # fmt: skip
        served: Object = {
            "name": version, "served": True, "storage": True, "subresources": subresources,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "additionalPrinterColumns": [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in self.columns],
        }  # fmt: skip
        names: Object = {
            "kind": self.kind,
            "plural": self.plural,
            "singular": self.kind.lower(),
            "listKind": f"{self.kind}List",
        }
        if self.short:
            names["shortNames"] = list(self.short)
        spec = {
            "group": group,
            "scope": "Namespaced" if self.namespaced else "Cluster",
            "names": names,
            "versions": [served],
        }
        return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{self.plural}.{group}"}, "spec": spec}  # fmt: skip


_CONFIG: Final = "config.openshift.io/v1"
_OLM: Final = "operators.coreos.com/v1alpha1"
_MACHINE: Final = "machine.openshift.io/v1beta1"
_LABEL: Final = ".metadata.labels['machine\\.openshift\\.io/{}']"

CUSTOM: Final = (
    Definition(_CONFIG, "ClusterVersion", "clusterversions", columns=(
        ("Version", "string", '.status.history[?(@.state=="Completed")].version'), *_state("Available", "Progressing"),
        ("Since", "date", '.status.conditions[?(@.type=="Progressing")].lastTransitionTime'),
        ("Status", "string", '.status.conditions[?(@.type=="Progressing")].message'),
    )),
    Definition(_CONFIG, "ClusterOperator", "clusteroperators", short=("co",), columns=(
        ("Version", "string", '.status.versions[?(@.name=="operator")].version'), *_state("Available", "Progressing", "Degraded"),
        ("Since", "date", '.status.conditions[?(@.type=="Available")].lastTransitionTime'),
    )),
    Definition(_CONFIG, "Infrastructure", "infrastructures"),
    Definition(_CONFIG, "Project", "projects"),
    Definition(_CONFIG, "Ingress", "ingresses"),
    Definition(_CONFIG, "Network", "networks"),
    Definition(_MACHINE, "MachineSet", "machinesets", namespaced=True, replicas=True, columns=(
        ("Desired", "integer", ".spec.replicas"), ("Current", "integer", ".status.replicas"), ("Ready", "integer", ".status.readyReplicas"),
        ("Available", "string", ".status.availableReplicas"), *_AGE,
    )),
    Definition(_MACHINE, "Machine", "machines", namespaced=True, columns=(
        ("Phase", "string", ".status.phase"), ("Type", "string", _LABEL.format("instance-type")), ("Region", "string", _LABEL.format("region")),
        ("Zone", "string", _LABEL.format("zone")), *_AGE,
    )),
    Definition("machineconfiguration.openshift.io/v1", "MachineConfigPool", "machineconfigpools", short=("mcp",), columns=(
        ("Config", "string", ".status.configuration.name"), *_state("Updated", "Updating", "Degraded"),
        ("MachineCount", "number", ".status.machineCount"), ("ReadyMachineCount", "number", ".status.readyMachineCount"),
        ("UpdatedMachineCount", "number", ".status.updatedMachineCount"), ("DegradedMachineCount", "number", ".status.degradedMachineCount"), *_AGE,
    )),
    Definition(_OLM, "CatalogSource", "catalogsources", namespaced=True, short=("catsrc",), columns=(
        ("Display", "string", ".spec.displayName"), ("Type", "string", ".spec.sourceType"), ("Publisher", "string", ".spec.publisher"), *_AGE,
    )),
    Definition(_OLM, "Subscription", "subscriptions", namespaced=True, short=("sub", "subs"), columns=(
        ("Package", "string", ".spec.name"), ("Source", "string", ".spec.source"), ("Channel", "string", ".spec.channel"),
    )),
    Definition(_OLM, "InstallPlan", "installplans", namespaced=True, short=("ip",), columns=(
        ("CSV", "string", ".spec.clusterServiceVersionNames[0]"), ("Approval", "string", ".spec.approval"),
        ("Approved", "boolean", ".spec.approved"),
    )),
    Definition(_OLM, "ClusterServiceVersion", "clusterserviceversions", namespaced=True, short=("csv", "csvs"), columns=(
        ("Display", "string", ".spec.displayName"), ("Version", "string", ".spec.version"), ("Replaces", "string", ".spec.replaces"),
        ("Phase", "string", ".status.phase"),
    )),
    Definition("operators.coreos.com/v1", "OperatorGroup", "operatorgroups", namespaced=True, short=("og",)),
)  # fmt: skip

AGGREGATED: Final = (
    Definition("route.openshift.io/v1", "Route", "routes", namespaced=True, columns=(
        ("Host/Port", "string", ".status.ingress[0].host"), ("Services", "string", ".spec.to.name"), ("Termination", "string", ".spec.tls.termination"),
    )),
    Definition("template.openshift.io/v1", "Template", "templates", namespaced=True, status=False),
    Definition("packages.operators.coreos.com/v1", "PackageManifest", "packagemanifests", namespaced=True, status=False, columns=(
        ("Catalog", "string", ".status.catalogSourceDisplayName"), *_AGE,
    )),
    Definition("project.openshift.io/v1", "Project", "projects", status=False, columns=(
        ("Display Name", "string", ".metadata.annotations['openshift\\.io/display-name']"), ("Status", "string", ".status.phase"),
    )),
    Definition("project.openshift.io/v1", "ProjectRequest", "projectrequests", status=False),
)  # fmt: skip


def documents(definitions: Iterable[Definition]) -> Iterator[Object]:
    """Yield definitions as CustomResourceDefinitions."""
    return (definition.document() for definition in definitions)
