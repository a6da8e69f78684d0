"""`configure diff`: how two configurations differ, of two runs or of two sets of presets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from projects.core.cli.configure.values import layer_of, on_one_line, place_of, row
from projects.core.configuration.explanation import shown
from projects.core.configuration.keys import MISSING, KeyPath, find, format_key, leaves
from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import CONFIG, Sources, load
from projects.core.configuration.resolved_files import is_resolved
from projects.core.console.paper import Paper
from projects.core.library import config
from projects.core.values.errors import UsageError


def diff(a: str, b: str) -> int:
    """Tell how two configurations differ: each key with both its values, and what set them.

    A and B are artifact directories of runs, or a project with the presets that are applied to it:
    PROJECT, PROJECT:preset or PROJECT:preset,other. Values of secrets are not shown.

    Args:
      a: The first one.
      b: The second one.

    Returns:
      0 when they are equal, 1 when they differ.

    Raises:
      UsageError: one is neither a run's directory nor a project.
      ConfigError: something is wrong in the files.
    """
    before, after = _configuration(a), _configuration(b)
    paper = Paper()
    paths = list(_differing(before, after))
    for path in paths:
        paper.line((format_key(path), "bold"))
        _say_side(paper, "-", "red", before, path)
        _say_side(paper, "+", "green", after, path)
    if paths:
        print()
    told = {0: "no key differs", 1: "1 key differs"}.get(len(paths), f"{len(paths)} keys differ")
    paper.line(f"{told} between {a} (-) and {b} (+)")
    return 1 if paths else 0


def _configuration(text: str) -> Configuration:
    """Return the configuration that an argument means."""
    file = Path(text).absolute() / CONFIG
    if is_resolved(file):
        return load(Sources(project=file, resolved=file, traced=True)).configuration
    project, _, presets = text.partition(":")
    try:
        wanted = tuple(name for name in presets.split(",") if name)
        return config.read(project_name=project, presets=wanted).configuration
    except UsageError as error:
        if Path(text).is_dir():
            raise UsageError(
                f"expected the artifact directory of a run, found no {CONFIG} of one in it", place=file.parent
            ) from error
        raise


def _differing(before: Configuration, after: Configuration) -> Iterator[KeyPath]:
    """Give the keys whose values are not the same, in the order of the files."""
    paths = dict.fromkeys(path for side in (before, after) for path, _ in leaves(side.data))
    for path in paths:
        one, other = find(before.data, path), find(after.data, path)
        if (isinstance(one, dict) and one) or (isinstance(other, dict) and other):
            continue  # what is in it is told
        if type(one) is not type(other) or one != other:
            yield path


def _say_side(paper: Paper, sign: str, style: str, configuration: Configuration, path: KeyPath) -> None:
    value: Any = find(configuration.data, path)
    if value is MISSING:
        paper.line((f"{sign} ", style), ("(not there)", "dim"), indent=2)
        return
    told = "(a secret)" if configuration.is_secret(path) else on_one_line(shown(configuration, path, value))
    origin = configuration.origin(path)
    by = " ".join(filter(None, (layer_of(origin), place_of(origin))))
    row(paper, [(f"{sign} ", style)], told + (f"   ({by})" if by else ""), indent=2)
