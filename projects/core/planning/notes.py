"""Watching planned code: what it is given that is not known, what it decides by it, which secrets it reads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from projects.core.record.plan_notes import note
from projects.core.values.unknown import Unknown, witnessed


def secret(key: str, file: str, variable: object) -> Unknown:
    """Return the value of a secret in a plan, whose file need not be there, and note that it would be read.

    Args:
      key: The key of the configuration that stands for it.
      file: The name of its file.
      variable: The environment variable that names the directory of secrets.
    """
    note("secret", f"${variable}/{file}")
    return Unknown.of(f"the secret {key}")


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Note what code inside the block is given that is not known, and what it decides by it."""
    from yaml.representer import SafeRepresenter  # noqa: PLC0415 - who only asks whether it is planned needs none of it

    # What is written as YAML is text; `safe_dump` takes no subclass of it.
    SafeRepresenter.add_representer(Unknown, lambda dumper, value: dumper.represent_str(str(value)))
    with witnessed(note):
        yield
