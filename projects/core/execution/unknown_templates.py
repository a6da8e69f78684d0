"""Values in Ansible's templates that only a real run can know. Used by `plan_gate`, in the fork that plans a role.

Ansible's templates have markers, such as that of an undefined variable: what is made of one is the marker again, and
only in the end it is decided what comes of it. Ours comes out as the text that `values.unknown` describes, and a
condition that depends on it is left undecided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible._internal._templating import _lazy_containers, _marker_behaviors
from ansible._internal._templating._jinja_common import ExceptionMarker
from ansible.errors import AnsibleUndefinedVariable

from projects.core.values.unknown import is_unknown, marker, unknowns

RESULT = "foresail_planned"
"""Key in the result of a planned task, whose value says what is known of it; everything else is not."""
_NOT_VALUES = ("vars", "hostvars", "groups")


class NotKnown(AnsibleUndefinedVariable):
    """A template that cannot be filled in, since it needs what only a real run knows."""


class UnknownMarker(ExceptionMarker):
    """A value that is not known, or of which a part is.

    Args:
      text: The text that stands for it.
      known: What is known of it: a mapping or a list.
      path: How it is written in a template.
    """

    __slots__ = ("_unknown_known", "_unknown_path", "_unknown_text")

    def __init__(self, text: str, known: Any = None, path: str = "") -> None:
        super().__init__(hint=text, _no_template_source=True)
        self._unknown_text = text
        self._unknown_known = known
        self._unknown_path = path

    def _as_exception(self) -> Exception:
        return NotKnown(self._unknown_text)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: Any) -> Any:
        known = self._unknown_known
        path = f"{self._unknown_path}.{key}" if self._unknown_path else ""
        if isinstance(known, Mapping) and key in known:
            return _inner(known[key], path)
        if isinstance(known, list) and isinstance(key, int) and -len(known) <= key < len(known):
            return _inner(known[key], path)
        return UnknownMarker(marker(path), path=path) if path else self


def _inner(value: Any, path: str) -> Any:
    if isinstance(value, dict | list):
        return UnknownMarker(marker(path), value, path)
    return with_markers(value)


# The engine knows the marker classes that existed when it was imported.
_lazy_containers.register_known_types(UnknownMarker)


class ShowUnknown(_marker_behaviors.MarkerBehavior):
    """Lets what is not known come out as its text, and remembers it; every other marker is the error that it always is."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def handle_marker(self, value: Any) -> Any:
        """Return what comes of a marker."""
        if not isinstance(value, UnknownMarker):
            value.trip()
        known = value._unknown_known  # noqa: SLF001 - our own class
        if known is not None and not value._unknown_path.isidentifier():  # noqa: SLF001
            return known  # a part of what a task is given in the plan
        self.seen += unknowns(value._unknown_text)  # noqa: SLF001
        return value._unknown_text  # noqa: SLF001


FAIL = _marker_behaviors.FAIL_ON_UNDEFINED


def with_markers(value: Any, path: str = "") -> Any:
    """Return a value in which what is not known is a marker: results of planned tasks, and texts that hold a marker's text."""
    if isinstance(value, str):
        return UnknownMarker(str.__str__(value), path=path) if is_unknown(value) else value
    if isinstance(value, dict):
        if RESULT in value:
            return UnknownMarker(marker(path), {**value[RESULT]}, path)
        return _mapped(value, path)
    if isinstance(value, list):
        made = [with_markers(member, f"{path}[{index}]") for index, member in enumerate(value)]
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
    return value


def informed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of a task with markers for what is not known."""
    return {name: value if name in _NOT_VALUES else with_markers(value, name) for name, value in variables.items()}


def is_of_unknown(error: BaseException | None) -> bool:
    """Return whether an error says that a template needs what is not known."""
    while error is not None:
        if isinstance(error, NotKnown):
            return True
        error = error.__cause__ or error.__context__
    return False


def _mapped(value: dict[Any, Any], path: str) -> dict[Any, Any]:
    made = {key: with_markers(member, f"{path}.{key}") for key, member in value.items()}
    return made if any(made[key] is not value[key] for key in value) else value
