"""The checks of the Pod Security Standards, by level and version.

`pod_security` calls `violations` for each pod, and each template of one, that a labelled namespace gets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from projects.sim_cluster.api import pod_security_baseline as baseline
from projects.sim_cluster.api import pod_security_restricted as restricted
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.pod_security_pods import KNOWS_USER_NAMESPACES, LATEST, Found, Pod, Violation

_ALWAYS: Final = range(LATEST + 1)
_NEVER: Final = range(0)


def violations(notes: dict[str, str], spec: Object, level: str, version: int) -> list[Violation]:
    """Return how a pod with these annotations and this spec breaks a level, ``baseline`` or ``restricted``, of a version."""
    version = min(version, LATEST)
    pod = Pod(notes, spec, version)
    checks = [rule.check for rule in _RULES if version in (rule.baseline if level == "baseline" else rule.restricted)]
    return [found for check in checks if (found := check(pod)) is not None]


class _Rule(NamedTuple):
    """A check, and the versions in which each level holds it."""

    check: Callable[[Pod], Found]
    baseline: range = _ALWAYS
    restricted: range = _ALWAYS


def _since(version: int) -> range:
    return range(version, LATEST + 1)


#: In the order in which the real server lists them. What `restricted` checks more strictly it does not check twice.
_RULES: Final = (
    _Rule(baseline.app_armor),
    _Rule(baseline.capabilities, restricted=range(22)),
    _Rule(baseline.host_namespaces),
    _Rule(baseline.host_paths, restricted=_NEVER),
    _Rule(baseline.host_ports),
    _Rule(baseline.probed_hosts, _since(34), _since(34)),
    _Rule(baseline.privileged),
    _Rule(baseline.proc_mount_of_the_host, restricted=range(KNOWS_USER_NAMESPACES)),
    _Rule(baseline.selinux),
    _Rule(baseline.noted_seccomp, range(19), range(19)),
    _Rule(baseline.seccomp, _since(19), _NEVER),
    _Rule(baseline.sysctls),
    _Rule(baseline.host_process),
    _Rule(restricted.escalation, _NEVER, _since(8)),
    _Rule(restricted.capabilities, _NEVER, _since(22)),
    _Rule(baseline.proc_mount, _NEVER, _since(KNOWS_USER_NAMESPACES)),
    _Rule(restricted.volumes, _NEVER),
    _Rule(restricted.root_allowed, _NEVER),
    _Rule(restricted.root, _NEVER, _since(23)),
    _Rule(restricted.seccomp, _NEVER, _since(19)),
)
