"""OpenShift's kinds as this cluster serves them: names, columns, subresources; the fields that people set.

`CUSTOM` are CustomResourceDefinitions on a real cluster too; `AGGREGATED` are served by API servers of their own there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from projects.sim_cluster.packages.custom_kind import AGE, Columns, CustomKind
from projects.sim_cluster.packages.fields import fields

Object = dict[str, Any]


def _state(*kinds: str) -> Columns:
    return tuple((kind, "string", f'.status.conditions[?(@.type=="{kind}")].status') for kind in kinds)


_CONFIG: Final = "config.openshift.io/v1"
_OLM: Final = "operators.coreos.com/v1alpha1"
_MACHINE: Final = "machine.openshift.io/v1beta1"
_LABEL: Final = ".metadata.labels['machine\\.openshift\\.io/{}']"

# The fields that people and roles set, with the names, types and demands of the real definitions; what is deeper is any object.
_SELECTOR: Final = "selector{matchExpressions:list matchLabels:labels}"
_NODES: Final = "nodeSelector{matchExpressions:list matchLabels:labels}"
_OWN_METADATA: Final = "metadata{annotations:labels generateName labels:labels name namespace ownerReferences:list}"
_CLUSTER_VERSION: Final = (
    "spec!{capabilities{additionalEnabledCapabilities:texts baselineCapabilitySet} channel clusterID! overrides:list upstream"
    " desiredUpdate{architecture force:bool image version}} status:any"
)
_MACHINE_SET: Final = (
    f"spec{{deletePolicy=Random|Newest|Oldest minReadySeconds:int replicas:int~1 {_SELECTOR} template{{{_OWN_METADATA}"
    f" spec{{lifecycleHooks:any {_OWN_METADATA} providerID providerSpec:any taints:list}}}}}} status:any"
)
_MACHINE_FIELDS: Final = f"spec{{lifecycleHooks{{preDrain:list preTerminate:list}} {_OWN_METADATA} providerID providerSpec{{value:any}} taints:list}} status:any"
_POOL: Final = (
    "spec!{configuration{apiVersion fieldPath kind name namespace resourceVersion source:list uid} maxUnavailable:either paused:bool"
    f" machineConfigSelector{{matchExpressions:list matchLabels:labels}} {_NODES} osImageStream{{name!}} pinnedImageSets:list}} status:any"
)
_MACHINE_CONFIG: Final = "spec{baseOSExtensionsContainerImage config:any extensions:texts fips:bool kernelArguments:texts kernelType osImageURL}"
_KUBELET_CONFIG: Final = (
    "spec!{autoSizingReserved:bool kubeletConfig:any logLevel:int machineConfigPoolSelector{matchExpressions:list matchLabels:labels}"
    " tlsSecurityProfile:any} status:any"
)
_CATALOG_SOURCE: Final = (
    "spec!{address configMap description displayName grpcPodConfig:any icon{base64data! mediatype!} image priority:int publisher secrets:texts"
    " sourceType! updateStrategy{registryPoll{interval}}} status:any"
)
_SUBSCRIPTION: Final = (
    "spec!{channel config:any installPlanApproval name! source! sourceNamespace! startingCSV} status:any"
)
_INSTALL_PLAN: Final = (
    "spec!{approval! approved!:bool clusterServiceVersionNames!:texts generation:int source sourceNamespace} status:any"
)
_SERVICE_VERSION: Final = (
    "spec!{annotations:labels apiservicedefinitions:any cleanup{enabled!:bool} customresourcedefinitions{owned:list required:list} description"
    " displayName! icon:list install!{spec:any strategy!} installModes:list keywords:texts labels:labels links:list maintainers:list maturity"
    f" minKubeVersion nativeAPIs:list provider{{name url}} relatedImages:list release replaces {_SELECTOR} skips:texts version"
    " webhookdefinitions:list} status:any"
)
_OPERATOR_GROUP: Final = (
    f"spec{{{_SELECTOR} serviceAccountName staticProvidedAPIs:bool targetNamespaces:texts upgradeStrategy=Default|TechPreviewUnsafeFailForward~Default}}"
    " status:any"
)
_ROUTE: Final = (
    "spec!{alternateBackends:list host httpHeaders:any path port{targetPort!:either} subdomain tls{caCertificate certificate destinationCACertificate"
    " externalCertificate{name} insecureEdgeTerminationPolicy=Allow|None|Redirect| key termination!=edge|reencrypt|passthrough}"
    " to!{kind!=Service|~Service name! weight:int~100} wildcardPolicy=None|Subdomain|~None} status:any"
)

CUSTOM: Final = (
    CustomKind(_CONFIG, "ClusterVersion", "clusterversions", fields=fields(_CLUSTER_VERSION), columns=(
        ("Version", "string", '.status.history[?(@.state=="Completed")].version'), *_state("Available", "Progressing"),
        ("Since", "date", '.status.conditions[?(@.type=="Progressing")].lastTransitionTime'),
        ("Status", "string", '.status.conditions[?(@.type=="Progressing")].message'),
    )),
    CustomKind(_CONFIG, "ClusterOperator", "clusteroperators", short=("co",), columns=(
        ("Version", "string", '.status.versions[?(@.name=="operator")].version'), *_state("Available", "Progressing", "Degraded"),
        ("Since", "date", '.status.conditions[?(@.type=="Available")].lastTransitionTime'),
    )),
    CustomKind(_CONFIG, "Infrastructure", "infrastructures"),
    *(CustomKind(_CONFIG, kind, plural) for kind, plural in (
        ("Console", "consoles"), ("DNS", "dnses"), ("FeatureGate", "featuregates"), ("Image", "images"), ("Ingress", "ingresses"),
        ("Network", "networks"), ("OAuth", "oauths"), ("Project", "projects"), ("Proxy", "proxies"), ("Scheduler", "schedulers"),
    )),
    CustomKind(_MACHINE, "MachineSet", "machinesets", fields=fields(_MACHINE_SET), namespaced=True, replicas=True, columns=(
        ("Desired", "integer", ".spec.replicas"), ("Current", "integer", ".status.replicas"), ("Ready", "integer", ".status.readyReplicas"),
        ("Available", "string", ".status.availableReplicas"), *AGE,
    )),
    CustomKind(_MACHINE, "Machine", "machines", fields=fields(_MACHINE_FIELDS), namespaced=True, columns=(
        ("Phase", "string", ".status.phase"), ("Type", "string", _LABEL.format("instance-type")), ("Region", "string", _LABEL.format("region")),
        ("Zone", "string", _LABEL.format("zone")), *AGE,
    )),
    CustomKind("machineconfiguration.openshift.io/v1", "MachineConfigPool", "machineconfigpools", fields=fields(_POOL), short=("mcp",), columns=(
        ("Config", "string", ".status.configuration.name"), *_state("Updated", "Updating", "Degraded"),
        ("MachineCount", "number", ".status.machineCount"), ("ReadyMachineCount", "number", ".status.readyMachineCount"),
        ("UpdatedMachineCount", "number", ".status.updatedMachineCount"), ("DegradedMachineCount", "number", ".status.degradedMachineCount"), *AGE,
    )),
    CustomKind("machineconfiguration.openshift.io/v1", "MachineConfig", "machineconfigs", fields=fields(_MACHINE_CONFIG), short=("mc",), status=False, columns=(
        ("GeneratedByController", "string", ".metadata.annotations['machineconfiguration\\.openshift\\.io/generated-by-controller-version']"),
        ("IgnitionVersion", "string", ".spec.config.ignition.version"), *AGE,
    )),
    CustomKind("machineconfiguration.openshift.io/v1", "KubeletConfig", "kubeletconfigs", fields=fields(_KUBELET_CONFIG)),
    CustomKind(_OLM, "CatalogSource", "catalogsources", fields=fields(_CATALOG_SOURCE), namespaced=True, short=("catsrc",), columns=(
        ("Display", "string", ".spec.displayName"), ("Type", "string", ".spec.sourceType"), ("Publisher", "string", ".spec.publisher"), *AGE,
    )),
    CustomKind(_OLM, "Subscription", "subscriptions", fields=fields(_SUBSCRIPTION), namespaced=True, short=("sub", "subs"), columns=(
        ("Package", "string", ".spec.name"), ("Source", "string", ".spec.source"), ("Channel", "string", ".spec.channel"),
    )),
    CustomKind(_OLM, "InstallPlan", "installplans", fields=fields(_INSTALL_PLAN), namespaced=True, short=("ip",), columns=(
        ("CSV", "string", ".spec.clusterServiceVersionNames[0]"), ("Approval", "string", ".spec.approval"),
        ("Approved", "boolean", ".spec.approved"),
    )),
    CustomKind(_OLM, "ClusterServiceVersion", "clusterserviceversions", fields=fields(_SERVICE_VERSION), namespaced=True, short=("csv", "csvs"), columns=(
        ("Display", "string", ".spec.displayName"), ("Version", "string", ".spec.version"), ("Replaces", "string", ".spec.replaces"),
        ("Phase", "string", ".status.phase"),
    )),
    CustomKind("operators.coreos.com/v1", "OperatorGroup", "operatorgroups", fields=fields(_OPERATOR_GROUP), namespaced=True, short=("og",)),
)  # fmt: skip

AGGREGATED: Final = (
    CustomKind("image.openshift.io/v1", "ImageStream", "imagestreams", namespaced=True, short=("is",), columns=(
        ("Image Repository", "string", ".status.dockerImageRepository"), ("Tags", "string", ".status.tags[*].tag"),
    )),
    CustomKind("image.openshift.io/v1", "ImageStreamTag", "imagestreamtags", namespaced=True, short=("istag",), status=False),
    CustomKind("build.openshift.io/v1", "BuildConfig", "buildconfigs", namespaced=True, short=("bc",), columns=(
        ("Type", "string", ".spec.strategy.type"), ("From", "string", ".spec.source.type"), ("Latest", "integer", ".status.lastVersion"),
    )),
    CustomKind("build.openshift.io/v1", "Build", "builds", namespaced=True, columns=(
        ("Type", "string", ".spec.strategy.type"), ("From", "string", ".spec.source.type"), ("Status", "string", ".status.phase"),
        ("Started", "date", ".status.startTimestamp"), ("Duration", "string", ".status.duration"),
    )),
    CustomKind("security.openshift.io/v1", "SecurityContextConstraints", "securitycontextconstraints", short=("scc",), status=False, columns=(
        ("Priv", "string", ".allowPrivilegedContainer"), ("Caps", "string", ".allowedCapabilities"), ("SELinux", "string", ".seLinuxContext.type"),
        ("RunAsUser", "string", ".runAsUser.type"), ("FSGroup", "string", ".fsGroup.type"), ("SupGroup", "string", ".supplementalGroups.type"),
        ("Priority", "string", ".priority"), ("ReadOnlyRootFS", "string", ".readOnlyRootFilesystem"), ("Volumes", "string", ".volumes"),
    )),
    CustomKind("user.openshift.io/v1", "User", "users", status=False, columns=(
        ("UID", "string", ".metadata.uid"), ("Full Name", "string", ".fullName"), ("Identities", "string", ".identities"),
    )),
    CustomKind("user.openshift.io/v1", "Group", "groups", status=False, columns=(("Users", "string", ".users"),)),
    CustomKind("user.openshift.io/v1", "Identity", "identities", status=False, columns=(
        ("IDP Name", "string", ".providerName"), ("IDP User Name", "string", ".providerUserName"), ("User Name", "string", ".user.name"),
    )),
    CustomKind("route.openshift.io/v1", "Route", "routes", fields=fields(_ROUTE), namespaced=True, columns=(
        ("Host/Port", "string", ".status.ingress[0].host"), ("Services", "string", ".spec.to.name"), ("Termination", "string", ".spec.tls.termination"),
    )),
    CustomKind("template.openshift.io/v1", "Template", "templates", namespaced=True, status=False),
    CustomKind("packages.operators.coreos.com/v1", "PackageManifest", "packagemanifests", namespaced=True, status=False, columns=(
        ("Catalog", "string", ".status.catalogSourceDisplayName"), *AGE,
    )),
    CustomKind("project.openshift.io/v1", "Project", "projects", status=False, columns=(
        ("Display Name", "string", ".metadata.annotations['openshift\\.io/display-name']"), ("Status", "string", ".status.phase"),
    )),
    CustomKind("project.openshift.io/v1", "ProjectRequest", "projectrequests", status=False),
)  # fmt: skip


def documents(definitions: Iterable[CustomKind]) -> Iterator[Object]:
    """Yield definitions as CustomResourceDefinitions."""
    return (definition.document() for definition in definitions)
