"""What a configuration of admission webhooks may say. Read by `spec_checks`; what it means is the matter of `webhooks`."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from projects.sim_cluster.api.admission_validation import expressions, match_conditions
from projects.sim_cluster.api.checks import Causes, choice, duplicate, label_selector, needed, port_number
from projects.sim_cluster.api.errors import Cause, invalid_value, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import dns_subdomain, shown
from projects.sim_cluster.api.resource_rules import resource_rule

_SEGMENTS: Final = 3
_LONGEST_SECONDS: Final = 30
_VERSIONS: Final = ("v1", "v1beta1")
_FORMAT: Final = "desired format: https://host[/path]"


def configuration(obj: Object) -> Causes:
    """Check the webhooks of a configuration."""
    names: set[str] = set()
    for index, hook in enumerate(obj.get("webhooks") or ()):
        field = f"webhooks[{index}]"
        yield from _webhook(hook, field)
        yield from _review_versions(hook.get("admissionReviewVersions") or [], f"{field}.admissionReviewVersions")
        if (name := hook.get("name", "")) in names:
            yield duplicate(name, f"{field}.name")
        names.add(name)


def _webhook(hook: Object, field: str) -> Causes:
    yield from _name(hook.get("name", ""), f"{field}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        yield from resource_rule(rule, f"{field}.rules[{index}]")
    yield from choice(hook.get("failurePolicy"), f"{field}.failurePolicy", ("Fail", "Ignore"))
    yield from choice(hook.get("matchPolicy"), f"{field}.matchPolicy", ("Equivalent", "Exact"))
    if hook.get("sideEffects") is None:
        yield required(f"{field}.sideEffects", "must specify one of None, NoneOnDryRun")
    yield from choice(hook.get("sideEffects"), f"{field}.sideEffects", ("None", "NoneOnDryRun"))
    seconds = hook.get("timeoutSeconds", 1)
    if not 1 <= seconds <= _LONGEST_SECONDS:
        message = "the timeout value must be between 1 and 30 seconds"
        yield invalid_value(f"{field}.timeoutSeconds", shown(seconds), message)
    yield from label_selector(hook.get("namespaceSelector"), f"{field}.namespaceSelector")
    yield from label_selector(hook.get("objectSelector"), f"{field}.objectSelector")
    yield from choice(hook.get("reinvocationPolicy"), f"{field}.reinvocationPolicy", ("IfNeeded", "Never"))
    yield from _client(hook.get("clientConfig") or {}, f"{field}.clientConfig")
    yield from match_conditions(hook.get("matchConditions") or (), f"{field}.matchConditions", expressions({}))


def _name(name: str, field: str) -> Causes:
    if not name:
        yield required(field)
    elif wrong := list(dns_subdomain(name, field)):
        yield from wrong
    elif len(name.split(".")) < _SEGMENTS:
        yield invalid_value(field, shown(name), "should be a domain with at least three segments separated by dots")


def _review_versions(versions: list[str], field: str) -> Causes:
    if not versions:
        yield required(field, f"must specify one of {', '.join(_VERSIONS)}")
    elif not set(versions) & set(_VERSIONS):
        yield invalid_value(field, shown(versions), f"must include at least one of {', '.join(_VERSIONS)}")


def _client(config: Object, field: str) -> Causes:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(field, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(url, f"{field}.url")
    else:
        yield from _service(service, f"{field}.service")


def _url(url: str, field: str) -> Causes:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield required(field, f"url must be a valid URL: parse {shown(url)}: {error}; {_FORMAT}")
        return
    if parts.scheme != "https":
        why = f"'https' is the only allowed URL scheme; {_FORMAT}"
        yield invalid_value(field, shown(parts.scheme), why)
    if not parts.netloc:
        yield invalid_value(field, '""', f"host must be specified; {_FORMAT}")
    for what, value in (
        ("user information is", parts.netloc.rpartition("@")[0]),
        ("fragments are", parts.fragment),
        ("query parameters are", parts.query),
    ):
        if value:
            yield invalid_value(field, shown(value), f"{what} not permitted in the URL")


def _service(service: Any, field: str) -> Causes:
    yield from needed(service, field, "name", "namespace")
    for cause in port_number(service.get("port", 443), f"{field}.port"):
        yield Cause(cause.field, cause.reason, cause.message.replace("must be", "port is not valid: must be", 1))
    path = service.get("path") or "/"
    if path == "/":
        return
    if not path.startswith("/"):
        yield invalid_value(f"{field}.path", shown(path), "must start with a '/'")
    steps = path[1:].removesuffix("/").split("/")
    for index, step in enumerate(steps):
        if not step:
            yield invalid_value(f"{field}.path", shown(path), f"segment[{index}] may not be empty")
            continue
        for cause in dns_subdomain(step, ""):
            why = cause.message.partition(f"{shown(step)}: ")[2]
            yield invalid_value(f"{field}.path", shown(path), f"segment[{index}]: {why}")
