"""`configure schema`: the JSON Schema of a project's configuration."""

from __future__ import annotations

import json

from projects.core.configuration.derivation import derived
from projects.core.configuration.loading import load
from projects.core.library import config


def schema(project: str) -> None:
    """Print the JSON Schema of a project's configuration, for editors: kinds, defaults, comments, names of presets.

    What the project declares in config.schema.yaml is laid over what its config.yaml says.

    Args:
      project: The project.

    Raises:
      UsageError: there is no such project.
      ConfigError: something is wrong in the files.
    """
    loaded = load(config.sources_of(project))
    document = derived(loaded.configuration, loaded.presets, f"The configuration of {project}")
    print(json.dumps(document, indent=2, ensure_ascii=False))
