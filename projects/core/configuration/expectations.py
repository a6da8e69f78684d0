"""What a JSON Schema expected and what it found, in words. Called by `schema` for each value that is refused.

jsonschema's own messages show the value, which may hold a secret, and speak of instances and arrays.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from projects.core.configuration.data import described
from projects.core.values.nearest import did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "pattern": "text that matches '{}'",
    "minLength": "text of at least {} characters",
    "maxLength": "text of at most {} characters",
    "minItems": "a list of at least {}",
    "maxItems": "a list of at most {}",
    "minProperties": "a mapping of at least {}",
    "maxProperties": "a mapping of at most {}",
    "const": "{}",
}
_LONGEST = 120


def kinds_in_words(kinds: Any) -> str:
    """Return the value of the keyword ``type`` as people say it."""
    return " or ".join(_KINDS.get(kind, str(kind)) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def choices_in_words(choices: list[Any]) -> str:
    """Return the value of the keyword ``enum`` as people say it."""
    return ", ".join(map(_written, choices))


def expectation(error: ValidationError, *, secret: bool = False) -> str:
    """Return what was expected and what was found.

    Args:
      error: What the validator said.
      secret: Whether the value must not be shown.
    """
    keyword = str(error.validator)
    wanted: Any = error.validator_value
    found: Any = error.instance
    if keyword == "required":
        missing = ", ".join(f"'{name}'" for name in wanted if name not in found)
        return f"expected the key {missing}, which is not there"
    if keyword == "additionalProperties" and isinstance(found, dict) and wanted is False:
        return _surplus(error, found)
    return f"expected {_expected(keyword, wanted)}, found {'a secret' if secret else described(found)}"


def _expected(keyword: str, wanted: Any) -> str:
    if keyword == "enum":
        return f"one of {choices_in_words(wanted)}"
    if keyword == "type":
        return kinds_in_words(wanted)
    if keyword in _LIMITS:
        return _LIMITS[keyword].format(_written(wanted))
    rule = json.dumps(wanted, ensure_ascii=False, default=str)
    return f"what '{keyword}' says: {rule if len(rule) <= _LONGEST else f'{rule[:_LONGEST]}…'}"


def _surplus(error: ValidationError, found: dict[str, Any]) -> str:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    surplus = [name for name in found if f"'{name}'" in error.message] or [name for name in found if name not in known]
    hints = {hint for name in surplus if (hint := did_you_mean(name, known))}
    told = f"expected only the declared keys, found {', '.join(map(repr, surplus))}"
    return told + (f"; {'; '.join(sorted(hints))}" if hints else "")


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
