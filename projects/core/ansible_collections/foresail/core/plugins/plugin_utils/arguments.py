"""The arguments of an action, declared once: in the documentation that `ansible-doc` shows.

Called by `action` for each task, and by the warm Ansible host, which calls `prewarm` before it forks.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean

_PLUGINS = "projects.core.ansible_collections.foresail.core.plugins"
_KEPT = ("type", "required", "default", "choices", "elements", "no_log")


@functools.cache
def specification(name: str) -> dict[str, Any]:
    """Return the argument spec that the documentation of an action declares, fragments included."""
    module = importlib.import_module(f"{_PLUGINS}.modules.{name}")
    documentation = yaml.load(module.DOCUMENTATION, Loader=yaml.CSafeLoader)
    options: dict[str, Any] = {}
    for fragment in documentation.get("extends_documentation_fragment") or []:
        text = importlib.import_module(f"{_PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}").ModuleDocFragment
        options |= yaml.load(text.DOCUMENTATION, Loader=yaml.CSafeLoader)["options"]
    return _spec(options | (documentation.get("options") or {}))


def checked(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a task, with defaults filled in.

    Args:
      name: The action, without its collection.
      given: What the task says.

    Raises:
      UsageError: an argument is unknown, missing or of the wrong kind.
    """
    spec = specification(name)
    plain = {key: native(value) for key, value in given.items()}
    if unknown := sorted(set(plain) - set(spec)):
        hint = did_you_mean(unknown[0], spec)
        raise UsageError(f"foresail.core.{name} has no argument {', '.join(unknown)}", hint=hint)
    result = ArgumentSpecValidator(spec).validate(plain)
    if result.error_messages:
        raise UsageError(f"foresail.core.{name}: {'; '.join(result.error_messages)}")
    return {key: native(value) for key, value in result.validated_parameters.items()}


def native(value: Any) -> Any:
    """Return a value without Ansible's own string, list and mapping classes, which YAML's C dumper does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {native(key): native(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [native(member) for member in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def prewarm() -> None:
    """Read the documentation of every action, for the processes that will be forked from this one."""
    for path in sorted((Path(__file__).parents[1] / "modules").glob("*.py")):
        specification(path.stem)


def _spec(options: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _KEPT if key in option}
        if "suboptions" in option:
            spec[name]["options"] = _spec(option["suboptions"])
    return spec
