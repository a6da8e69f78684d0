"""The template from which OpenShift makes new projects. Called by the action `plan_project_template`.

A cluster has none at first and uses a built-in one; `built_in` is what ``oc adm create-bootstrap-project-template`` prints.
"""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]
NAME, NAMESPACE = "project-request", "openshift-config"


def built_in() -> Object:
    """Return the template that OpenShift uses when it has no other."""
    return {
        "apiVersion": "template.openshift.io/v1",
        "kind": "Template",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "objects": [
            {
                "apiVersion": "project.openshift.io/v1",
                "kind": "Project",
                "metadata": {
                    "name": "${PROJECT_NAME}",
                    "annotations": {
                        "openshift.io/description": "${PROJECT_DESCRIPTION}",
                        "openshift.io/display-name": "${PROJECT_DISPLAYNAME}",
                        "openshift.io/requester": "${PROJECT_REQUESTING_USER}",
                    },
                },
                "spec": {},
                "status": {},
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "admin", "namespace": "${PROJECT_NAME}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
                "subjects": [
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "${PROJECT_ADMIN_USER}"},
                ],
            },
        ],
        "parameters": [
            {"name": name}
            for name in (
                "PROJECT_NAME",
                "PROJECT_DISPLAYNAME",
                "PROJECT_DESCRIPTION",
                "PROJECT_ADMIN_USER",
                "PROJECT_REQUESTING_USER",
            )
        ],
    }


def annotated(template: Object | None, key: str, value: str | None) -> Object | None:
    """Return the template with an annotation on its project set or removed.

    Args:
      template: The template as it is, or None where the built-in one is used.
      key: The annotation.
      value: Its value; None removes it.

    Returns:
      The template to apply, or None when there is nothing to remove.
    """
    if template is None and value is None:
        return None
    made = copy.deepcopy(template or built_in())
    kept = ("name", "namespace", "labels", "annotations")
    made["metadata"] = {name: made["metadata"][name] for name in kept if made["metadata"].get(name)}
    for each in made.get("objects") or []:
        if each.get("kind") in ("Project", "Namespace", "ProjectRequest"):
            annotations = each.setdefault("metadata", {}).setdefault("annotations", {})
            if value is None:
                annotations.pop(key, None)
            else:
                annotations[key] = value
    return made
