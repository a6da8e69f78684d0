"""`foresail.core.render`: make a manifest from a template, keep it in the artifacts, apply it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.action import ForesailAction, Result
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.arguments import native
from projects.core.ansible_collections.foresail.core.plugins.plugin_utils.manifests import apply_all, keep, manifests_of
from projects.core.cluster.api import target_of
from projects.core.values.errors import UsageError


class ActionModule(ForesailAction):
    """Fill a template's values in and apply the manifests that come of it."""

    NAME = "render"

    def act(self, arguments: dict[str, Any]) -> Result:
        """Render, keep, apply."""
        manifests = self._render(Path(self._find_needle("templates", arguments["template"])))
        if not self._task.no_log:
            keep(manifests, self.artifact(arguments["file"] or f"src/{arguments['template']}"))
        if not arguments["apply"]:
            return {"changed": False, "objects": manifests, "object": manifests[0]}
        self.involve("apply", *(target_of(each, arguments["namespace"]) for each in manifests))
        return apply_all(
            self.cluster,
            manifests,
            namespace=arguments["namespace"],
            checking=self.checking,
            temporary=arguments["temporary"],
        )

    def _render(self, path: Path) -> list[dict[str, Any]]:
        from ansible.template import trust_as_template  # noqa: PLC0415 - known to Ansible 2.19 and later

        try:
            documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        except yaml.YAMLError as error:
            raise UsageError(f"the template is not YAML: {error}", place=path) from error
        # Read first and filled in afterwards: a value keeps its type, and no text in it can break the document.
        trusted = _each_text(documents, trust_as_template)
        return manifests_of(native(self._templar.template(trusted)))


def _each_text(value: Any, act: Any) -> Any:
    if isinstance(value, str):
        return act(value)
    if isinstance(value, dict):
        return {key: _each_text(member, act) for key, member in value.items()}
    if isinstance(value, list):
        return [_each_text(member, act) for member in value]
    return value
