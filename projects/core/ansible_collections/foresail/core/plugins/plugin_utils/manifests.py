"""Manifests of a task: checked, kept in the artifacts, applied. Called by the actions `apply` and `render`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils import temporaries
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import (
    Result,
    shown_change,
    without_fields_of_others,
)
from projects.core.cluster import documents
from projects.core.cluster.api import Change, Cluster, FieldValidation, Object, target_of
from projects.core.values.errors import NotFound, UsageError
from projects.core.values.redaction import REDACTOR


def manifests_of(value: Any) -> list[Object]:
    """Return the manifests that an argument holds: one, several, or the items of a List.

    Raises:
      UsageError: it holds something else.
    """
    values = value if isinstance(value, list) else [value]
    found: list[Object] = []
    for each in values:
        if not isinstance(each, dict):
            raise UsageError(
                f"expected a manifest, found the {type(each).__name__} {REDACTOR.redact(str(each))[:80]!r}"
            )
        found += manifests_of(each["items"]) if each.get("kind") == "List" else [each]
    if not found:
        raise UsageError("expected a manifest, found none")
    for each in found:
        target_of(each)
        documents.register_secret(each)
    return found


def keep(manifests: list[Object], path: Path) -> None:
    """Write manifests to the artifacts, one document after the other; a Secret without its values."""
    documents.write(path, "---\n".join(documents.to_yaml(each) for each in manifests))


def apply_all(
    cluster: Cluster,
    manifests: list[Object],
    *,
    namespace: str | None,
    checking: bool,
    validation: FieldValidation = "Strict",
    temporary: bool = False,
) -> Result:
    """Apply manifests in order.

    Args:
      cluster: Where.
      manifests: What.
      namespace: Namespace of those that name none.
      checking: Whether to ask only what would change.
      validation: What the server does about unknown fields.
      temporary: Whether the role deletes them again, which is noted before they are made.

    Returns:
      The result of the task.
    """
    if temporary and not checking:
        for each in manifests:
            temporaries.note(cluster.located(target_of(each, namespace)))
    changes = [_apply(cluster, each, namespace, checking=checking, validation=validation) for each in manifests]
    shown = [
        shown_change(change, target_of(manifest, namespace))
        for change, manifest in zip(changes, manifests, strict=True)
    ]
    objects = [without_fields_of_others(change.after) for change in changes]
    return {
        "changed": any(each["changed"] for each in shown),
        "diff": [diff for each in shown if each["changed"] for diff in each["diff"]],
        "objects": objects,
        "object": objects[0],
    }


def _apply(
    cluster: Cluster, manifest: Object, namespace: str | None, *, checking: bool, validation: FieldValidation
) -> Change:
    try:
        return cluster.apply(manifest, namespace=namespace, dry_run=checking, validation=validation)
    except NotFound:
        if not checking:
            raise
        return Change(None, manifest)  # its namespace, or its kind, would have been made by an earlier task
