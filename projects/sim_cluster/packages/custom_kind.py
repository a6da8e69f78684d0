"""A custom kind as a declaration: its names, columns, subresources and fields; and the definition that it stands for.

Operator packages declare theirs with it, `shapes.definitions` those of OpenShift itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from projects.sim_cluster.behaviours.interface import Resource

Object = dict[str, Any]
Columns = tuple[tuple[str, str, str], ...]
AGE: Final[Columns] = (("Age", "date", ".metadata.creationTimestamp"),)
ANYTHING: Final[Object] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@dataclass(frozen=True)
class CustomKind:
    """One kind.

    Args:
      api: Group and version, such as ``example.com/v1``.
      kind: Its name in objects, such as ``Widget``.
      plural: Its name in paths, such as ``widgets``.
      namespaced: Whether its objects live in namespaces.
      short: Short names for kubectl.
      columns: What ``kubectl get`` shows: name, type and JSON path of each.
      status: Whether the status is a subresource of its own.
      replicas: Whether it can be scaled.
      fields: The schema of each top-level field, such as ``spec``; without any, every field is accepted.
      example: An object of it, without ``apiVersion`` and ``kind``; the operator's catalog entry shows it.
    """

    api: str
    kind: str
    plural: str
    namespaced: bool = False
    short: tuple[str, ...] = ()
    columns: Columns = ()
    status: bool = True
    replicas: bool = False
    fields: Mapping[str, Object] = field(default_factory=dict)
    example: Object = field(default_factory=dict)

    @property
    def resource(self) -> Resource:
        """The resource as behaviours name it."""
        group, version = self.api.split("/")
        return Resource(group, version, self.plural)

    def document(self) -> Object:
        """Return it as a CustomResourceDefinition."""
        group, version = self.api.split("/")
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
            "versions": [self._version(version)],
        }
        return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{self.plural}.{group}"}, "spec": spec}  # fmt: skip

    def _version(self, name: str) -> Object:
        subresources: Object = {"status": {}} if self.status else {}
        if self.replicas:
            subresources["scale"] = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                                     "labelSelectorPath": ".status.labelSelector"}  # fmt: skip
        return {
            "name": name, "served": True, "storage": True, "subresources": subresources, "schema": {"openAPIV3Schema": self._schema()},
            "additionalPrinterColumns": [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in self.columns],
        }  # fmt: skip

    def _schema(self) -> Object:
        if not self.fields:
            return ANYTHING
        known = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
        return {"type": "object", "properties": known | dict(self.fields)}
