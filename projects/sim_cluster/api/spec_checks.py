"""Which check looks at which kind, beside those of pods and workloads. Read by `validation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from projects.sim_cluster.api import admission_validation as admission
from projects.sim_cluster.api import network_validation as network
from projects.sim_cluster.api import policy_validation as policy
from projects.sim_cluster.api import storage_validation as storage
from projects.sim_cluster.api import webhook_validation
from projects.sim_cluster.api.checks import Causes
from projects.sim_cluster.api.kinds import Object

SPEC_CHECKS: Final[dict[tuple[str, str], Callable[[Object], Causes]]] = {
    ("", "Service"): network.service,
    ("", "Endpoints"): network.endpoints,
    ("discovery.k8s.io", "EndpointSlice"): network.endpoint_slice,
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("networking.k8s.io", "IngressClass"): network.ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): network.network_policy,
    ("policy", "PodDisruptionBudget"): policy.budget,
    ("autoscaling", "HorizontalPodAutoscaler"): policy.autoscaler,
    ("rbac.authorization.k8s.io", "Role"): policy.role,
    ("rbac.authorization.k8s.io", "ClusterRole"): policy.role,
    ("rbac.authorization.k8s.io", "RoleBinding"): policy.binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): policy.binding,
    ("coordination.k8s.io", "Lease"): policy.lease,
    ("scheduling.k8s.io", "PriorityClass"): policy.priority_class,
    ("node.k8s.io", "RuntimeClass"): policy.runtime_class,
    ("", "Node"): policy.node,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("", "PersistentVolume"): storage.volume,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
    ("", "ConfigMap"): storage.config_map,
    ("", "Secret"): storage.secret,
    ("", "ResourceQuota"): storage.quota,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): admission.policy,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): admission.binding,
    ("", "LimitRange"): storage.limits,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): webhook_validation.configuration,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): webhook_validation.configuration,
}
