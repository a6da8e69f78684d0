"""What the containers of a pod must hold. `pod_validation` calls `containers` and `init_containers`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from projects.sim_cluster.api.checks import (
    Causes,
    choice,
    duplicate,
    needed,
    not_negative,
    port,
    port_name,
    port_number,
    relative_path,
    user_id,
)
from projects.sim_cluster.api.errors import Cause, forbidden_change, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_label, shown
from projects.sim_cluster.api.resource_validation import resources

_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_PULL: Final = ("Always", "IfNotPresent", "Never")
_ENV_NAME: Final = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_KEY: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_FIELDS: Final = frozenset({
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
_CONTAINER_RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def containers(spec: Object, path: str) -> Causes:
    """Check the containers that run as long as the pod does."""
    found = spec.get("containers") or ()
    if not found:
        yield required(f"{path}.containers")
    names: set[str] = set()
    for index, container in enumerate(found):
        at = f"{path}.containers[{index}]"
        yield from _container(container, spec, at)
        yield from _known(container, names, at)
        yield from _life(container, at)


def init_containers(spec: Object, path: str) -> Causes:
    """Check the containers that run before the others, and those that go on beside them."""
    names = {container.get("name", "") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        at = f"{path}.initContainers[{index}]"
        yield from _container(container, spec, at)
        yield from _known(container, names, at)
        policy = container.get("restartPolicy")
        if policy == "Always":
            yield from _life(container, at)
            continue
        yield from choice(policy, f"{at}.restartPolicy", ("Always", "Never", "OnFailure"))
        for field in ("lifecycle", *_PROBES):
            if field in container:
                yield forbidden_change(
                    f"{at}.{field}", "may not be set for init containers without restartPolicy=Always"
                )


def _known(container: Object, names: set[str], path: str) -> Causes:
    name = container.get("name", "")
    if name and name in names:
        yield duplicate(name, f"{path}.name")
    names.add(name)


def _container(container: Object, spec: Object, path: str) -> Causes:
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from dns_label(name, f"{path}.name")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid_value(f"{path}.image", shown(image), "must not have leading or trailing whitespace")
    policy = container.get("terminationMessagePolicy")
    yield from choice(policy, f"{path}.terminationMessagePolicy", ("File", "FallbackToLogsOnError"))
    yield from _ports(container, spec, f"{path}.ports")
    yield from _variables(container, path)
    yield from _mounts(container, spec, f"{path}.volumeMounts")
    yield from choice(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", _PULL)
    yield from resources(container.get("resources") or {}, f"{path}.resources")
    yield from security_context(container.get("securityContext") or {}, f"{path}.securityContext")


def _ports(container: Object, spec: Object, path: str) -> Causes:
    names: set[str] = set()
    for index, entry in enumerate(container.get("ports") or ()):
        at, name = f"{path}[{index}]", entry.get("name")
        if name:
            found = list(port_name(name, f"{at}.name"))
            yield from found
            if not found and name in names:
                yield duplicate(name, f"{at}.name")
            names.add(name)
        number = entry.get("containerPort", 0)
        yield from port_number(number, f"{at}.containerPort") if number else [required(f"{at}.containerPort")]
        yield from _host_port(entry, spec, f"{at}.hostPort")
        yield from choice(entry.get("protocol"), f"{at}.protocol", _PROTOCOLS)


def _host_port(entry: Object, spec: Object, path: str) -> Causes:
    number = entry.get("hostPort")
    if number:
        yield from port_number(number, path)
        if spec.get("hostNetwork") and number != entry.get("containerPort"):
            yield invalid_value(path, shown(number), "must match `containerPort` when `hostNetwork` is true")


def _variables(container: Object, path: str) -> Causes:
    for index, variable in enumerate(container.get("env") or ()):
        at, name = f"{path}.env[{index}]", variable.get("name", "")
        if not name:
            yield required(f"{at}.name")
        elif not re.fullmatch(r"[ -<>-~]+", name):
            yield invalid_value(f"{at}.name", shown(name), _ENV_NAME)
        if "valueFrom" in variable:
            yield from _value_source(variable, f"{at}.valueFrom")
    for index, source in enumerate(container.get("envFrom") or ()):
        references = [key for key in ("configMapRef", "secretRef") if key in source]
        if not references:
            message = "must specify one of: `configMapRef` or `secretRef`"
            yield invalid_value(f"{path}.envFrom", '""', message)
        for key in references:
            yield from needed(source[key], f"{path}.envFrom[{index}].{key}", "name")


def _value_source(variable: Object, path: str) -> Causes:
    source = variable["valueFrom"]
    given = [key for key in _SOURCES if key in source]
    if (field := source.get("fieldRef")) is not None:
        yield from field_reference(field, f"{path}.fieldRef")
    if (resource := source.get("resourceFieldRef")) is not None:
        yield from resource_reference(resource, f"{path}.resourceFieldRef")
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in source:
            yield from needed(source[key], f"{path}.{key}", "name", "key")
            if (entry := source[key].get("key")) and not re.fullmatch("[-._a-zA-Z0-9]+", entry):
                yield invalid_value(f"{path}.{key}.key", shown(entry), _KEY)
    if not given:
        listed = "`, `".join(_SOURCES[:-1]) + f"` or `{_SOURCES[-1]}"
        yield invalid_value(path, '""', f"must specify one of: `{listed}`")
    elif variable.get("value"):
        yield invalid_value(path, '""', "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid_value(path, '""', "may not have more than one field specified at a time")


def field_reference(field: Object, path: str) -> Causes:
    """Check what names a field of the pod."""
    name = field.get("fieldPath", "")
    if not name:
        yield required(f"{path}.fieldPath")
    elif name not in _FIELDS and not re.fullmatch(r"metadata\.(labels|annotations)(\['.+'\])?", name):
        message = f"error converting fieldPath: field label not supported: {name}"
        yield invalid_value(f"{path}.fieldPath", shown(name), message)


def resource_reference(field: Object, path: str) -> Causes:
    """Check what names a resource of a container."""
    name = field.get("resource", "")
    if not name:
        yield required(f"{path}.resource")
    elif "hugepages-" not in name:
        yield from choice(name, f"{path}.resource", _CONTAINER_RESOURCES)


def _mounts(container: Object, spec: Object, path: str) -> Causes:
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    places: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        at, name, place = f"{path}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{at}.name")
        elif name not in volumes:
            yield Cause(f"{at}.name", "FieldValueNotFound", f"Not found: {shown(name)}")
        if not place:
            yield required(f"{at}.mountPath")
        if place in places:
            yield invalid_value(f"{at}.mountPath", shown(place), "must be unique")
        places.add(place)
        for key in ("subPath", "subPathExpr"):
            if mount.get(key):
                yield from relative_path(mount[key], f"{path}.{key}")


def _life(container: Object, path: str) -> Causes:
    for hook, handler in (container.get("lifecycle") or {}).items():
        if isinstance(handler, dict):
            yield from _handler(handler, f"{path}.lifecycle.{hook}")
    for field in _PROBES:
        if field in container:
            yield from _probe(container[field], f"{path}.{field}", field)


def _probe(probe: Object, path: str, field: str) -> Causes:
    yield from _handler(probe, path)
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        yield from not_negative(probe.get(key), f"{path}.{key}")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and field == "readinessProbe":
        message = "must not be set for readinessProbes"
        yield invalid_value(f"{path}.terminationGracePeriodSeconds", shown(grace), message)
    elif grace is not None and grace <= 0:
        yield invalid_value(f"{path}.terminationGracePeriodSeconds", shown(grace), "must be greater than 0")
    if field != "readinessProbe" and (threshold := probe.get("successThreshold", 1)) != 1:
        yield invalid_value(f"{path}.successThreshold", shown(threshold), "must be 1")


def _handler(handler: Object, path: str) -> Causes:
    given = [key for key in _HANDLERS if key in handler]
    if not given:
        yield required(path, "must specify a handler type")
    for number, key in enumerate(given):
        if number:
            yield forbidden_change(f"{path}.{key}", "may not specify more than 1 handler type")
        else:
            yield from _HANDLER_CHECKS[key](handler[key], f"{path}.{key}")


def _command(action: Object, path: str) -> Causes:
    if not action.get("command"):
        yield required(f"{path}.command")


def _request(action: Object, path: str) -> Causes:
    yield from needed(action, path, "path")
    yield from port(action.get("port"), f"{path}.port")
    yield from choice(action.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))


def _connection(action: Object, path: str) -> Causes:
    return port(action.get("port"), f"{path}.port")


def _pause(action: Object, path: str) -> Causes:
    if (seconds := action.get("seconds", 0)) <= 0:
        yield invalid_value(
            f"{path}.seconds", shown(seconds), "must be greater than 0 and less than terminationGracePeriodSeconds"
        )


_HANDLER_CHECKS: Final[dict[str, Callable[[Object, str], Iterable[Cause]]]] = {
    "exec": _command, "httpGet": _request, "tcpSocket": _connection, "grpc": _connection, "sleep": _pause,
}  # fmt: skip


def security_context(context: Object, path: str) -> Causes:
    """Check the security context of a container."""
    for key in ("runAsUser", "runAsGroup"):
        yield from user_id(context.get(key), f"{path}.{key}")
    yield from choice(context.get("procMount"), f"{path}.procMount", ("Default", "Unmasked"))
    yield from seccomp_profile(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False and context.get("privileged"):
        said = {"Capabilities": None, "Privileged": True, "SELinuxOptions": None, "WindowsOptions": None, "RunAsUser": None,
                "RunAsGroup": None, "RunAsNonRoot": None, "ReadOnlyRootFilesystem": None, "AllowPrivilegeEscalation": False,
                "ProcMount": None, "SeccompProfile": None, "AppArmorProfile": None}  # fmt: skip
        given = {key: context.get(key[:1].lower() + key[1:], value) for key, value in said.items()}
        message = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield invalid_value(path, shown(given), message)


def seccomp_profile(profile: Any, path: str) -> Causes:
    """Check a seccomp profile."""
    if profile is None:
        return
    kind = profile.get("type", "")
    if kind == "Localhost" and not profile.get("localhostProfile"):
        yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
    yield from choice(kind, f"{path}.type", ("Localhost", "RuntimeDefault", "Unconfined"))
