"""The resources that behaviours deal with, by name."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Resource

PODS: Final = Resource("", "v1", "pods")
NODES: Final = Resource("", "v1", "nodes")
NAMESPACES: Final = Resource("", "v1", "namespaces")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts")
CONFIG_MAPS: Final = Resource("", "v1", "configmaps")
ROLE_BINDINGS: Final = Resource("rbac.authorization.k8s.io", "v1", "rolebindings")
SERVICES: Final = Resource("", "v1", "services")
ENDPOINT_SLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices")
EVENTS: Final = Resource("", "v1", "events")
CLAIMS: Final = Resource("", "v1", "persistentvolumeclaims")
VOLUMES: Final = Resource("", "v1", "persistentvolumes")
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments")
REPLICA_SETS: Final = Resource("apps", "v1", "replicasets")
STATEFUL_SETS: Final = Resource("apps", "v1", "statefulsets")
DAEMON_SETS: Final = Resource("apps", "v1", "daemonsets")
JOBS: Final = Resource("batch", "v1", "jobs")
CUSTOM_RESOURCES: Final = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
MACHINE_SETS: Final = Resource("machine.openshift.io", "v1beta1", "machinesets")
MACHINES: Final = Resource("machine.openshift.io", "v1beta1", "machines")
ROUTES: Final = Resource("route.openshift.io", "v1", "routes")
CATALOG_SOURCES: Final = Resource("operators.coreos.com", "v1alpha1", "catalogsources")
SUBSCRIPTIONS: Final = Resource("operators.coreos.com", "v1alpha1", "subscriptions")
INSTALL_PLANS: Final = Resource("operators.coreos.com", "v1alpha1", "installplans")
CLUSTER_SERVICE_VERSIONS: Final = Resource("operators.coreos.com", "v1alpha1", "clusterserviceversions")
OPERATOR_GROUPS: Final = Resource("operators.coreos.com", "v1", "operatorgroups")
PACKAGE_MANIFESTS: Final = Resource("packages.operators.coreos.com", "v1", "packagemanifests")
CLUSTER_VERSIONS: Final = Resource("config.openshift.io", "v1", "clusterversions")
CLUSTER_OPERATORS: Final = Resource("config.openshift.io", "v1", "clusteroperators")
MACHINE_CONFIGS: Final = Resource("machineconfiguration.openshift.io", "v1", "machineconfigs")
MACHINE_CONFIG_POOLS: Final = Resource("machineconfiguration.openshift.io", "v1", "machineconfigpools")
KUBELET_CONFIGS: Final = Resource("machineconfiguration.openshift.io", "v1", "kubeletconfigs")
IMAGE_STREAMS: Final = Resource("image.openshift.io", "v1", "imagestreams")
BUILD_CONFIGS: Final = Resource("build.openshift.io", "v1", "buildconfigs")
BUILDS: Final = Resource("build.openshift.io", "v1", "builds")
