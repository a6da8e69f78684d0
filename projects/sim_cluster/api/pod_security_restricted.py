"""What the level ``restricted`` of the Pod Security Standards asks for beside `pod_security_baseline`."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.api.pod_security_baseline import seccomp as baseline_seccomp
from projects.sim_cluster.api.pod_security_baseline import too_capable
from projects.sim_cluster.api.pod_security_pods import Found, Pod, Violation, named_containers, plural, quoted, use

_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip


def capabilities(pod: Pod) -> Found:
    """Ask to drop all capabilities; only that to bind low ports may be added."""
    if pod.on_windows:
        return None
    keeping = pod.where(lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()))
    details = [f'{named_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    details += [added] if (added := too_capable(pod, {"NET_BIND_SERVICE"})) else []
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def volumes(pod: Pod) -> Found:
    """Forbid volumes other than claims and what the cluster itself makes."""
    names, types = [], set()
    for volume in pod.spec.get("volumes") or ():
        if _VOLUMES.isdisjoint(volume):
            names.append(volume["name"])
            types.add(next((key for key in volume if key != "name"), "unknown"))
    if not names:
        return None
    what = f"{plural('restricted volume type', types)} {quoted(sorted(types))}"
    return Violation("restricted volume types", f"{plural('volume', names)} {quoted(names)} {use(names)} {what}")


def seccomp(pod: Pod) -> Found:
    """Ask for a seccomp profile that confines."""
    if pod.on_windows:
        return None
    found = baseline_seccomp(pod)
    if found is not None or pod.context.get("seccompProfile") is not None:
        return found
    names = pod.where(lambda context: context.get("seccompProfile") is None)
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {named_containers(names)} {must}") if names else None


def escalation(pod: Pod) -> Found:
    """Ask to forbid that a process gains privileges."""
    names = [] if pod.on_windows else pod.where(lambda context: context.get("allowPrivilegeEscalation") is not False)
    detail = f"{named_containers(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail) if names else None


def root_allowed(pod: Pod) -> Found:
    """Ask not to run as root."""
    if pod.has_own_users:
        return None
    reason = "runAsNonRoot != true"
    if setters := pod.setters(lambda context: context.get("runAsNonRoot") is False):
        return Violation(reason, f"{' and '.join(setters)} must not set securityContext.runAsNonRoot=false")
    names = [] if pod.context.get("runAsNonRoot") else pod.where(lambda context: context.get("runAsNonRoot") is None)
    detail = f"pod or {named_containers(names)} must set securityContext.runAsNonRoot=true"
    return Violation(reason, detail) if names else None


def root(pod: Pod) -> Found:
    """Forbid to run as root by number."""
    setters = [] if pod.has_own_users else pod.setters(lambda context: context.get("runAsUser") == 0)
    return Violation("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0") if setters else None
