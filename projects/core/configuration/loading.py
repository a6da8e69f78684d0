"""From files to a configuration: which files are read, and every problem in them told at once. Called by the library.

Normally the root `config.yaml` lies under the project's, and the layers over them (`layering`). In a CI whose steps
share a directory, a later step starts from what the earlier one left there; a child process starts from its
parent's resolved file, in which every layer has been applied already.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from projects.core.configuration.document import Document, read_document
from projects.core.configuration.errors import report
from projects.core.configuration.layering import Overlays, layered
from projects.core.configuration.layers import Assignment, Base, Configuration, Layer, Origin, assigned, base_of
from projects.core.configuration.presets import Presets, check_presets, read_presets
from projects.core.configuration.resolved_files import is_resolved
from projects.core.values.checkout import ROOT

CONFIG = "config.yaml"
OVERRIDES = "variable_overrides.yaml"
STORED_OVERRIDES = "overrides"


@dataclass(frozen=True, slots=True)
class Sources:
    """Which files a configuration comes from.

    Attributes:
      project: The project's `config.yaml`.
      root: The root of the checkout, which holds the base `config.yaml` and the local `variable_overrides.yaml`.
      resolved: A file that a parent process resolved: it is taken as it is, and no other is read.
      shared: What an earlier step of this CI job left; it takes the place of the two `config.yaml`.
      artifacts: The run's root, where a CI puts the `variable_overrides.yaml` of the pull request.
      presets_of_pull_request: Whether the presets that the pull request names are applied.
      overrides: Whether anything is laid over the base; else the overrides are only kept, under `overrides`.
      settings: What `--set` says: KEY=VALUE, each.
    """

    project: Path
    root: Path = ROOT
    resolved: Path | None = None
    shared: Path | None = None
    artifacts: Path | None = None
    presets_of_pull_request: bool = False
    overrides: bool = True
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and the presets that can still be applied to it."""

    configuration: Configuration
    presets: Presets
    overlays: Overlays


def load(sources: Sources) -> Loaded:
    """Read, lay over each other and check everything that makes a configuration.

    Raises:
      ConfigError: something is wrong; its text lists everything, each with file and line.
    """
    resolved = sources.resolved or (sources.project if is_resolved(sources.project) else None)
    if resolved is not None:
        return _as_it_is(resolved)
    pristine = base_of(*_config_files(sources))
    presets, problems = read_presets(pristine)
    problems += check_presets(pristine, presets)
    base = pristine if sources.shared is None else base_of((Layer.SHARED, read_document(sources.shared)))
    overlays = _overlays(sources)
    configuration = Configuration(base, pristine.data, base.data)
    if sources.overrides:
        configuration, wrong = layered(configuration, presets, overlays)
        problems += wrong
    else:
        configuration = _with_stored_overrides(configuration, overlays.pull_request)
    report(problems)
    return Loaded(configuration, presets, overlays)


def _as_it_is(file: Path) -> Loaded:
    base: Base = base_of((Layer.RESOLVED, read_document(file)))
    presets, _ = read_presets(base)  # whoever resolved the file has checked them
    return Loaded(Configuration(base, base.data, base.data), presets, Overlays())


def _config_files(sources: Sources) -> list[tuple[Layer, Document]]:
    root = sources.root / CONFIG
    under = [(Layer.ROOT, read_document(root))] if root.exists() and root != sources.project else []
    return [*under, (Layer.PROJECT, read_document(sources.project))]


def _overlays(sources: Sources) -> Overlays:
    """Read the files of overrides. A CI writes the pull request's line by line: a later line wins over an earlier one."""
    local = sources.root / OVERRIDES if sources.overrides else None
    pull_request = sources.artifacts / OVERRIDES if sources.artifacts else None
    return Overlays(
        read_document(local) if local and local.exists() else None,
        read_document(pull_request, last_wins=True) if pull_request and pull_request.exists() else None,
        sources.presets_of_pull_request,
    )


def _with_stored_overrides(configuration: Configuration, document: Document | None) -> Configuration:
    value = dict(document.data) if document else {}
    return assigned(configuration, (STORED_OVERRIDES,), Assignment(STORED_OVERRIDES, value, Origin(Layer.PR)))
