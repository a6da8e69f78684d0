"""Which kinds a loaded cluster serves: the captured definitions, and permissive ones for kinds that have none. Called by `preparing`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.crds import STORAGE
from projects.sim_cluster.api.custom_definitions import check_servable
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.captures.reading import Found
from projects.sim_cluster.shapes.definitions import CUSTOM, documents

Object = dict[str, Any]
_KIND: Final = "CustomResourceDefinition"
_ES: Final = ("s", "x", "z", "ch", "sh")


def is_definition(obj: Object) -> bool:
    """Return whether an object is a CustomResourceDefinition."""
    return bool(obj["kind"] == _KIND and obj["apiVersion"].startswith(f"{STORAGE[0]}/"))


def fits(api: Api, definition: Object) -> bool:
    """Return whether a definition is one that the API can serve; one of an old version may have no schema."""
    kind = api.registry.of_object(f"{STORAGE[0]}/v1", _KIND)
    assert kind is not None
    if definition["apiVersion"] != kind.api_version:
        return False
    try:
        check_servable(kind, definition)
    except ApiError:
        return False
    return True


def platform_definitions(api: Api, captured: Iterable[Object]) -> list[Object]:
    """Return OpenShift's own definitions of which the capture has none: its behaviours need them."""
    names = {definition["metadata"]["name"] for definition in captured}
    served = {(kind.group, kind.resource) for kind in api.registry}
    return [
        made
        for made in documents(CUSTOM)
        if made["metadata"]["name"] not in names
        and (made["spec"]["group"], made["spec"]["names"]["plural"]) not in served
    ]


def permissive(kind: str, found: list[Found]) -> Object:
    """Return a definition that accepts any field, of a kind of which there are only objects."""
    group = found[0].object["apiVersion"].rpartition("/")[0]
    plural = next((each.resource for each in found if each.resource), "") or _plural(kind)
    versions = sorted({each.object["apiVersion"].rpartition("/")[2] for each in found}, key=_age)
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": f"{STORAGE[0]}/v1", "kind": _KIND, "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced" if any(each.object["metadata"].get("namespace") for each in found) else "Cluster",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [
                {"name": version, "served": True, "storage": version == versions[0], "schema": schema, "subresources": {"status": {}}}
                for version in versions
            ],
        },
    }  # fmt: skip


def _plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(_ES) else f"{name}s"


def _age(version: str) -> tuple[bool, bool, str]:
    """Order versions as Kubernetes prefers them: v1 before v1beta1 before v1alpha1."""
    return "alpha" in version, "beta" in version, version
