"""From files to a configuration: which files are read, and every problem in them told at once. Called by the library.

Normally the root `config.yaml` lies under the project's, and the layers over them (`layering`). In a CI whose steps
share a directory, a later step starts from what the earlier one left there; a child process starts from its
parent's resolved file, in which every layer has been applied already.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from projects.core.configuration.declarations import FILE as SCHEMA
from projects.core.configuration.declarations import problems_of
from projects.core.configuration.document import Document, read_document
from projects.core.configuration.errors import Problem, report
from projects.core.configuration.keys import KeyPath
from projects.core.configuration.layering import Overlays, by_command_line, layered
from projects.core.configuration.layers import Assignment, Base, Configuration, Layer, Origin, assigned, base_of
from projects.core.configuration.presets import Presets, check_presets, read_presets
from projects.core.configuration.references import Resolver
from projects.core.configuration.resolved_files import is_resolved, read_provenance
from projects.core.configuration.schema import UNKNOWN, Schema
from projects.core.values.checkout import ROOT
from projects.core.values.errors import ConfigError, SecretMissing

CONFIG = "config.yaml"
OVERRIDES = "variable_overrides.yaml"
STORED_OVERRIDES = "overrides"


@dataclass(frozen=True, slots=True)
class Sources:
    """Which files a configuration comes from.

    Attributes:
      project: The project's `config.yaml`.
      root: The root of the checkout, which holds the base `config.yaml` and the local `variable_overrides.yaml`.
      resolved: A file that a parent process resolved: it is taken as it is; only presets and settings are laid over it.
      shared: What an earlier step of this CI job left; it takes the place of the two `config.yaml`.
      artifacts: The run's root, where a CI puts the `variable_overrides.yaml` of the pull request.
      presets_of_pull_request: Whether the presets that the pull request names are applied.
      presets: Presets that a command line asks for.
      settings: Values that it sets, each ``key=value``.
      traced: Whether what set each value of a resolved file is read too.
      overrides: Whether anything is laid over the base; else the overrides are only kept, under `overrides`.
    """

    project: Path
    root: Path = ROOT
    resolved: Path | None = None
    shared: Path | None = None
    artifacts: Path | None = None
    presets_of_pull_request: bool = False
    overrides: bool = True
    presets: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    traced: bool = False


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
    loaded, problems = examined(sources)
    report(problems)
    return loaded


def examined(sources: Sources) -> tuple[Loaded, list[Problem]]:
    """Do as `load` does, and return everything that is wrong rather than raise it.

    Raises:
      ConfigError: a file cannot be read at all.
    """
    resolved = sources.resolved or (sources.project if is_resolved(sources.project) else None)
    if resolved is not None:
        return _as_it_is(resolved, sources)
    pristine = base_of(*_config_files(sources, CONFIG))
    schema, problems = _declarations(base_of(*_config_files(sources, SCHEMA)))
    presets, wrong = read_presets(pristine)
    problems += [*wrong, *check_presets(pristine, presets, schema)]
    declared = Configuration(pristine, pristine.data, pristine.data, schema=schema)
    base = pristine if sources.shared is None else base_of((Layer.SHARED, read_document(sources.shared)))
    configuration = Configuration(base, pristine.data, base.data, schema=schema)
    overlays = _overlays(sources)
    if sources.overrides:
        configuration, wrong = layered(configuration, presets, overlays)
    else:
        configuration = _with_stored_overrides(configuration, overlays.pull_request)
        configuration, wrong = by_command_line(configuration, presets, overlays)
    problems += [*wrong, *_not_as_declared(declared), *_not_as_declared(configuration)]
    return Loaded(configuration, presets, overlays), problems


def _as_it_is(file: Path, sources: Sources) -> tuple[Loaded, list[Problem]]:
    """Take a resolved file, which was checked by whoever resolved it."""
    base: Base = base_of((Layer.RESOLVED, read_document(file)))
    beside = file.parent / SCHEMA
    schema, _ = _declarations(base_of((Layer.RESOLVED, read_document(beside))) if beside.exists() else base_of())
    presets, _ = read_presets(base)
    origins = read_provenance(file.parent) if sources.traced else {}
    configuration = Configuration(base, base.data, base.data, origins, schema=schema)
    overlays = Overlays(presets=sources.presets, settings=sources.settings)
    configuration, problems = by_command_line(configuration, presets, overlays)
    return Loaded(configuration, presets, overlays), problems


def _declarations(base: Base) -> tuple[Schema | None, list[Problem]]:
    """Return the schema that some files declare; when it is wrong itself, nothing is checked by it."""
    if not base.documents:
        return None, []
    schema = Schema(base)
    problems = list(problems_of(schema.data, base.place))
    return None if problems else schema, problems


def _not_as_declared(configuration: Configuration) -> list[Problem]:
    """Return which values are not as the schema declares, references followed."""
    if configuration.schema is None:
        return []
    resolver = Resolver(configuration)

    def follow(text: str, path: KeyPath) -> object:
        try:
            return resolver.resolve(text, path)
        except (ConfigError, SecretMissing):
            return UNKNOWN  # a secret, or a reference to nothing, which is told by whoever reads it

    return list(configuration.schema.problems(configuration.data, configuration.place, follow))


def _config_files(sources: Sources, name: str) -> list[tuple[Layer, Document]]:
    """Return the root's file of a name and the project's over it. Only the project's own `config.yaml` must be there."""
    root, own = sources.root / name, sources.project if name == CONFIG else sources.project.with_name(name)
    under = [(Layer.ROOT, read_document(root))] if root.exists() and root != own else []
    return [*under, (Layer.PROJECT, read_document(own))] if name == CONFIG or own.exists() else under


def _overlays(sources: Sources) -> Overlays:
    """Read the files of overrides. A CI writes the pull request's line by line: a later line wins over an earlier one."""
    local = sources.root / OVERRIDES if sources.overrides else None
    pull_request = sources.artifacts / OVERRIDES if sources.artifacts else None
    return Overlays(
        read_document(local) if local and local.exists() else None,
        read_document(pull_request, last_wins=True) if pull_request and pull_request.exists() else None,
        sources.presets_of_pull_request,
        sources.presets,
        sources.settings,
    )


def _with_stored_overrides(configuration: Configuration, document: Document | None) -> Configuration:
    value = dict(document.data) if document else {}
    return assigned(configuration, (STORED_OVERRIDES,), Assignment(STORED_OVERRIDES, value, Origin(Layer.PR)))
