"""Writes to the cluster that a plan does not do: noted in its place. Called by `api`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from projects.core.cluster import documents
from projects.core.record.plan_notes import note
from projects.core.values.unknown import Unknown

if TYPE_CHECKING:
    from projects.core.cluster.api import Target


def note_write(
    verb: str, target: Target, manifest: Mapping[str, Any] | None = None, *, subresource: str | None = None
) -> None:
    """Note a write of planned code; what the server would answer is not known.

    Args:
      verb: ``apply``, ``patch`` or ``delete``.
      target: What it writes to.
      manifest: What it writes.
      subresource: The part of the API that takes it.
    """
    does = f"{verb} {target}"
    fields = {
        "kind": target.kind,
        "api_version": target.api_version,
        "name": target.name,
        "namespace": target.namespace,
        "labels": target.labels,
        "subresource": subresource,
    }
    task = {
        "name": does,
        "action": "projects.core.cluster",
        "place": "",
        "does": does,
        "verb": verb,
        "objects": [{key: value for key, value in fields.items() if value is not None}],
        "manifests": [documents.visible(dict(manifest))] if manifest else [],
    }
    note("effect", does, task)
    Unknown.of(f"what the cluster answers to: {does}")
