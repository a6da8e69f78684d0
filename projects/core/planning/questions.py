"""Questions to the cluster that change nothing: is it there, is it permitted. Asked by `checking`.

Each is a value, so that what several steps need is asked once, and answers with a line when something is missing.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.core.cluster.api import Cluster, Target
from projects.core.values.errors import NotFound

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class Question(ABC):
    """Something that a plan needs."""

    of_cluster = True
    """Whether it is the cluster that is asked."""

    @abstractmethod
    def missing(self, cluster: Cluster) -> str | None:
        """Return what is missing, None when nothing is.

        Raises:
          ForesailError: it cannot be found out.
        """


@dataclass(frozen=True, slots=True)
class Answers(Question):
    """Whether there is a cluster at all, for code that asks it what a plan cannot tell."""

    def missing(self, cluster: Cluster) -> str | None:
        """Ask nothing more: who asks has seen that it answers."""
        return None if cluster else "no cluster"


@dataclass(frozen=True, slots=True)
class Served(Question):
    """Whether the server serves a kind."""

    kind: str
    api_version: str | None

    def missing(self, cluster: Cluster) -> str | None:
        """Look among what is served."""
        if cluster.session.discovery.serves(self.kind, self.api_version):
            return None
        return f"no such kind: {self.kind}" + (f" of {self.api_version}" if self.api_version else "")


@dataclass(frozen=True, slots=True)
class NamespaceIsThere(Question):
    """Whether a namespace exists."""

    name: str

    def missing(self, cluster: Cluster) -> str | None:
        """Read it."""
        return None if cluster.get(Target("Namespace", "v1", self.name)) else f"no such namespace: {self.name}"


@dataclass(frozen=True, slots=True)
class MayDo(Question):
    """Whether the user of the kubeconfig may write something."""

    verb: str
    kind: str
    api_version: str | None
    name: str | None
    namespace: str | None
    subresource: str | None

    def missing(self, cluster: Cluster) -> str | None:
        """Let the server review it."""
        try:
            resource = cluster.session.discovery.find(self.kind, self.api_version)
        except NotFound:
            return None  # that the kind is missing is said once
        namespace = (self.namespace or cluster.session.access.namespace) if resource.namespaced else None
        if self.kind == "Namespace":
            namespace = self.name  # as the server itself asks for the object of that name
        attributes = {
            "verb": self.verb,
            "group": resource.group or "",
            "resource": resource.name,
            "subresource": self.subresource,
            "namespace": namespace,
            "name": self.name,
        }
        spec = {"resourceAttributes": {key: value for key, value in attributes.items() if value is not None}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        answer = cluster.session.json("POST", _REVIEWS, body=body, repeat=True)
        if (answer.get("status") or {}).get("allowed"):
            return None
        return f"not permitted: {self.verb} {self._resource(resource)}" + (
            f" in {namespace}" if resource.namespaced else ""
        )

    def _resource(self, resource: Any) -> str:
        parts = [f"{resource.name}.{resource.group}".rstrip("."), self.name, self.subresource]
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Matches(Question):
    """Whether a selector matches something."""

    kind: str
    api_version: str | None
    namespace: str | None
    labels: str

    def missing(self, cluster: Cluster) -> str | None:
        """List what it matches."""
        target = Target(self.kind, self.api_version, namespace=self.namespace, labels=self.labels)
        return None if cluster.objects(target) else f"nothing matches: {target}"


@dataclass(frozen=True, slots=True)
class StorageClassIsThere(Question):
    """Whether a storage class exists."""

    name: str

    def missing(self, cluster: Cluster) -> str | None:
        """Read it."""
        found = cluster.get(Target("StorageClass", "storage.k8s.io/v1", self.name))
        return None if found else f"no such storage class: {self.name}"


@dataclass(frozen=True, slots=True)
class DefaultStorageClassIsThere(Question):
    """Whether there is a storage class for claims that name none."""

    def missing(self, cluster: Cluster) -> str | None:
        """Look for the one that is marked."""
        classes = cluster.objects(Target("StorageClass", "storage.k8s.io/v1"))
        annotations = [each["metadata"].get("annotations") or {} for each in classes]
        if any(each.get(_DEFAULT_CLASS) == "true" for each in annotations):
            return None
        return "no default storage class, which a claim that names none needs"


@dataclass(frozen=True, slots=True)
class PullSecretIsThere(Question):
    """Whether the secret exists that images are pulled with."""

    name: str
    namespace: str | None

    def missing(self, cluster: Cluster) -> str | None:
        """Read it; its value goes nowhere."""
        namespace = self.namespace or cluster.session.access.namespace
        found = cluster.get(Target("Secret", "v1", self.name, namespace))
        return None if found else f"no such image pull secret: {namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SecretFileIsThere(Question):
    """Whether the file of a declared secret is there."""

    variable: str
    file: str
    of_cluster = False

    def missing(self, cluster: Cluster) -> str | None:
        """Look for it; it is not read."""
        del cluster
        directory = os.environ.get(self.variable)
        if not directory:
            return f"no secret file {self.file}: ${self.variable} is not set"
        if not os.access(Path(directory) / self.file, os.R_OK):
            return f"no secret file {self.file} in the directory that ${self.variable} names ({directory})"
        return None
