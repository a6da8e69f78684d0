"""`configure explain`: what a key is set to, by which layers, and where its references lead."""

from __future__ import annotations

from typing import Any

from projects.core.cli.configure.values import as_yaml, kind_of, layer_of, on_one_line, place_of, row
from projects.core.configuration.data import is_secret
from projects.core.configuration.expectations import choices_in_words, kinds_in_words
from projects.core.configuration.explanation import Explanation, Setting, Step, explained
from projects.core.configuration.keys import MISSING, format_key
from projects.core.configuration.layers import Configuration
from projects.core.configuration.project import ENV_KEY
from projects.core.console.paper import Paper
from projects.core.library import config
from projects.core.toolbox.conversion import Words
from projects.core.values.outcomes import ExitCode


def explain(project: str, key: str, *, preset: Words = Words(), set_: Words = Words()) -> int:  # noqa: B008 - immutable
    """Tell what a key of a project's configuration is set to, and why: each layer that sets it, and where its references lead.

    Secrets are shown as the references that they are; their files are not read.

    Args:
      project: The project.
      key: The key, such as a.b, a.list[1] or a["b"].
      preset: A preset to apply.
      set_: A value to set over the presets, as KEY=VALUE.

    Returns:
      2 when a reference in it cannot be followed.

    Raises:
      UnknownKey: there is no such key; the message has the nearest one.
      ConfigError: something is wrong in the files.
    """
    found = config.read(project_name=project, presets=preset, settings=set_)
    explanation = explained(found.configuration, key)
    paper = Paper()
    _say_value(paper, explanation)
    _say_declaration(paper, explanation, found.configuration)
    _say_settings(paper, explanation)
    _say_steps(paper, explanation.steps, found.get_config(ENV_KEY, None, warn=False, print=False))
    return int(ExitCode.USAGE) if explanation.value is MISSING else 0


def _say_value(paper: Paper, explanation: Explanation) -> None:
    key, value = format_key(explanation.path), explanation.value
    if explanation.secret:
        paper.line((key, "bold"), ": a secret, which is not shown")
    elif value is MISSING:
        paper.line((key, "bold"), ": ", ("cannot be told: a reference in it leads nowhere", "red"))
    elif isinstance(value, dict | list) and value:
        paper.line((key, "bold"), ":")
        paper.verbatim(as_yaml(value), indent=4)
    else:
        row(paper, [(key, "bold"), (": ", "")], on_one_line(value))
    if value is not MISSING:
        paper.line(("type     ", "dim"), "secret" if explanation.secret else kind_of(value), indent=2)


def _say_declaration(paper: Paper, explanation: Explanation, configuration: Configuration) -> None:
    """Tell what `config.schema.yaml` says about the key."""
    for declared in configuration.schema.declared(explanation.path) if configuration.schema else ():
        for word, text in _declarations(declared):
            row(paper, [(word.ljust(9), "dim")], text, indent=2)


def _declarations(declared: Any) -> list[tuple[str, str]]:
    found = []
    if "description" in declared:
        found.append(("about", str(declared["description"])))
    if "enum" in declared:
        found.append(("allowed", f"one of {choices_in_words(declared['enum'])}"))
    elif "type" in declared:
        found.append(("allowed", kinds_in_words(declared["type"])))
    limits = [f"{name} {declared[name]}" for name in ("minimum", "maximum", "pattern") if name in declared]
    return [*found, *([("limits", ", ".join(limits))] if limits else [])]


def _say_settings(paper: Paper, explanation: Explanation) -> None:
    """Tell the chain: who set it, where, and to what; the last one has won, of each key when they are several."""
    paper.line(("set by", "dim"), indent=2)
    key = format_key(explanation.path)
    winners = {each.key: number for number, each in enumerate(explanation.settings)}
    rows = [(layer_of(each.origin), place_of(each.origin), _told(each, key)) for each in explanation.settings]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for number, (layer, place, text) in enumerate(rows):
        won = number in winners.values()
        head = [("> " if won else "  ", "green"), (layer.ljust(widths[0]), "bold" if won else "dim")]
        row(paper, [*head, ("  " + place.ljust(widths[1]) + "  ", "dim" if place else "")], text, indent=2)


def _told(setting: Setting, key: str) -> str:
    value = on_one_line(setting.value)
    return value if setting.key == key else f"{setting.key}: {value}"


def _say_steps(paper: Paper, steps: tuple[Step, ...], variable: Any) -> None:
    if steps:
        paper.line(("references", "dim"), indent=2)
    for step in steps:
        head = [("  " * step.depth + step.written, "cyan"), (" -> ", "dim")]
        if step.problem:
            row(paper, head, step.problem, indent=4)
        elif is_secret(step.written):
            row(paper, head, f"the file '{step.value}' in the directory of ${variable}, not read", indent=4)
        else:
            by = "  ".join(filter(None, (layer_of(step.origin), place_of(step.origin))))
            row(paper, head, f"{step.key}: {on_one_line(step.value)}" + (f"  ({by})" if by else ""), indent=4)
