"""What names, labels and annotations may look like, and what is said of those that do not. Used by `validation`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from projects.sim_cluster.api.errors import Cause, invalid_value
from projects.sim_cluster.api.kinds import Kind, Object

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = rf"({_QUALIFIED})?"
_ENDS: Final = "and must start and end with an alphanumeric character"
_SUBDOMAIN_MESSAGE: Final = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS} "
    rf"(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_MESSAGE: Final = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS} "
    f"(e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_LABEL_1035_MESSAGE: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_LABEL_1035}')"
)
_QUALIFIED_MESSAGE: Final = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_VALUE_MESSAGE: Final = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_QUALIFIED})?')"
)
_REQUIREMENT: Final = frozenset({"key", "operator", "values"})
_TWO_SLASHES: Final = (
    f"a valid label key must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} (e.g. 'MyName',  or 'my.name',  or "
    f"'123-abc', regex used for validation is '{_QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_MOST_ANNOTATED: Final = 256 * 1024
_LONGEST_NAME: Final = 253
_LONGEST_LABEL: Final = 63
_ESCAPED_BY_GO: Final = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
_STANDARD_FINALIZERS: Final = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_AS_LABEL: Final = frozenset({("", "Namespace")})
_AS_1035: Final = frozenset({("", "Service")})
_AS_PATH: Final = frozenset({"rbac.authorization.k8s.io", "project.openshift.io"})


def shown(value: Any) -> str:
    """Return a value as Go prints it in a cause: maps of text in the order of their keys."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))


def escaped_by_go(text: str) -> str:
    """Return JSON with the letters escaped that Go's encoder escapes."""
    return text.translate(_ESCAPED_BY_GO)


def without_value(cause: Cause, value: Any) -> str:
    """Return what is wrong with a value, without the words before it that say that, and of what."""
    return cause.message.split(f"{shown(value)}: ", 1)[-1]


def as_whole_name(prefix: str) -> str:
    """Return the beginning of a name as a name of its own: it may end in a dash, which more comes after."""
    return f"{prefix[:-1]}a" if prefix.endswith("-") and len(prefix) > 1 else prefix


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        alphabetical = value.keys() <= _REQUIREMENT or all(isinstance(item, str) for item in value.values())
        keys = sorted(value) if alphabetical else list(value)
        return {key: _ordered(value[key]) for key in keys}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _formatted(value: str, field: str, pattern: str, message: str, longest: int) -> Iterator[Cause]:
    if len(value) > longest:
        yield invalid_value(field, shown(value), f"must be no more than {longest} characters")
    if not re.fullmatch(pattern, value):
        yield invalid_value(field, shown(value), message)


def dns_label(value: str, field: str) -> Iterator[Cause]:
    """Yield what is wrong with an RFC 1123 label, such as a container's name."""
    return _formatted(value, field, _LABEL, _LABEL_MESSAGE, _LONGEST_LABEL)


def dns_label_1035(value: str, field: str) -> Iterator[Cause]:
    """Yield what is wrong with an RFC 1035 label, such as a Service's name."""
    return _formatted(value, field, _LABEL_1035, _LABEL_1035_MESSAGE, _LONGEST_LABEL)


def dns_subdomain(value: str, field: str) -> Iterator[Cause]:
    """Yield what is wrong with an RFC 1123 subdomain, such as most objects' names."""
    return _formatted(value, field, _SUBDOMAIN, _SUBDOMAIN_MESSAGE, _LONGEST_NAME)


def name_causes(kind: Kind, name: str) -> Iterator[Cause]:
    """Yield what is wrong with an object's name."""
    field, key = "metadata.name", (kind.group, kind.kind)
    if kind.group in _AS_PATH:
        if name in {".", ".."}:
            yield invalid_value(field, shown(name), f"may not be '{name}'")
        for character in "/%":
            if character in name:
                yield invalid_value(field, shown(name), f"may not contain '{character}'")
    elif key in _AS_LABEL:
        if "." in name:
            yield invalid_value(field, shown(name), "must not contain dots")
        else:
            yield from dns_label(name, field)
    elif key in _AS_1035:
        yield from dns_label_1035(name, field)
    else:
        yield from dns_subdomain(name, field)


def label_causes(labels: Any, field: str) -> Iterator[Cause]:
    """Yield what is wrong with labels."""
    for key, value in (labels or {}).items():
        yield from key_causes(key, field)
        yield from value_causes(value, field)


def annotation_causes(annotations: Any, field: str) -> Iterator[Cause]:
    """Yield what is wrong with the keys of annotations."""
    for key in annotations or {}:
        yield from key_causes(key.lower(), field)


def value_causes(value: str, field: str) -> Iterator[Cause]:
    """Yield what is wrong with the value of a label."""
    if len(value) > _LONGEST_LABEL:
        yield invalid_value(field, shown(value), f"must be no more than {_LONGEST_LABEL} bytes")
    if not re.fullmatch(_VALUE, value):
        yield invalid_value(field, shown(value), _VALUE_MESSAGE)


def key_causes(key: str, field: str) -> Iterator[Cause]:
    """Yield what is wrong with a qualified name, such as the key of a label."""
    if key.count("/") > 1:
        yield invalid_value(field, shown(key), _TWO_SLASHES)
        return
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        yield invalid_value(field, shown(key), "prefix part must be non-empty")
    elif slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield invalid_value(field, shown(key), f"prefix part {_SUBDOMAIN_MESSAGE}")
    if not name:
        yield invalid_value(field, shown(key), "name part must be non-empty")
    elif len(name) > _LONGEST_LABEL:
        yield invalid_value(field, shown(key), f"name part must be no more than {_LONGEST_LABEL} bytes")
    if not re.fullmatch(_QUALIFIED, name):
        yield invalid_value(field, shown(key), _QUALIFIED_MESSAGE)


def _finalizer_causes(finalizers: Any, *, custom: bool) -> Iterator[Cause]:
    for index, name in enumerate(finalizers or ()):
        yield from key_causes(name, "metadata.finalizers")
        if not custom and "/" not in name and name not in _STANDARD_FINALIZERS:
            message = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid_value(f"metadata.finalizers[{index}]", shown(name), message)


def _owner_causes(owners: Any) -> Iterator[Cause]:
    field = "metadata.ownerReferences"
    controllers: list[str] = []
    for owner in owners or ():
        version = owner.get("apiVersion", "")
        if not version or version.count("/") > 1:
            yield invalid_value(f"{field}.apiVersion", shown(version), "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                yield invalid_value(f"{field}.{key}", '""', "must not be empty")
        if (version, owner.get("kind")) == ("v1", "Event"):
            yield invalid_value(field, shown_all(owner), "/v1, Kind=Event is disallowed from being an owner")
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind', '')}/{owner.get('name', '')}")
    for other in controllers[1:]:
        message = f'Only one reference can have Controller set to true. Found "true" in references for {controllers[0]} and {other}'
        yield invalid_value(field, shown_all(owners), message)


def shown_all(values: Any) -> str:
    """Return a list of structs as Go prints it: their fields in the order in which they stand."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def metadata_causes(obj: Object, *, custom: bool) -> Iterator[Cause]:
    """Yield what is wrong with the names in an object's metadata: labels, annotations, owners, finalizers."""
    metadata = obj["metadata"]
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    yield from annotation_causes(metadata.get("annotations"), "metadata.annotations")
    if sum(len(key) + len(str(value)) for key, value in (metadata.get("annotations") or {}).items()) > _MOST_ANNOTATED:
        message = f"Too long: may not be more than {_MOST_ANNOTATED} bytes"
        yield Cause("metadata.annotations", "FieldValueTooLong", message)
    yield from _owner_causes(metadata.get("ownerReferences"))
    yield from _finalizer_causes(metadata.get("finalizers"), custom=custom)
