"""Objects as text: YAML, JSON, kubectl's columns, differences; and the one way to write them to a file.

Called by `capturing` and the action plugins. Whatever is written is redacted, and the values of a Secret never leave here.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from projects.core.values.manifests import secret_values, without_values
from projects.core.values.ordinary import is_ordinary
from projects.core.values.redaction import MASK, REDACTOR, redacted

Object = dict[str, Any]

_UNWRITTEN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_SECRET = re.compile(r"""kind["']?\s*:\s*["']?Secret(?:List)?\b""")


def write(path: Path, text: str) -> None:
    """Write an artifact, without the secrets that are known."""
    learn(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(REDACTOR.redact(text), encoding="utf-8")


def to_yaml(document: Any) -> str:
    """Return a document as YAML; a list of objects as a List, which `kubectl apply -f` reads again."""
    return str(
        yaml.dump(
            _presentable(document),
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=4000,
        )
    )


def to_json(document: Any) -> str:
    """Return a document as indented JSON; a list of objects as a List."""
    return json.dumps(_presentable(document), indent=2, ensure_ascii=False) + "\n"


def to_text(document: Any) -> str:
    """Return one value as a line of text."""
    return (document if isinstance(document, str) else json.dumps(document)) + "\n"


def columns(table: Object, *, namespaces: bool = False) -> str:
    """Return the server's table as ``kubectl get -o wide`` prints it.

    Args:
      table: A Table of meta.k8s.io.
      namespaces: Whether to begin with the namespace, as ``-A`` does.
    """
    heads = [str(each["name"]).upper() for each in table.get("columnDefinitions") or []]
    lines = [["NAMESPACE", *heads] if namespaces else heads]
    for row in table.get("rows") or []:
        cells = ["<none>" if cell is None else str(cell) for cell in row.get("cells") or []]
        metadata = (row.get("object") or {}).get("metadata") or {}
        lines.append([str(metadata.get("namespace", "")), *cells] if namespaces else cells)
    return _aligned(lines) if len(lines) > 1 else "No resources found\n"


def visible(document: Object) -> Object:
    """Return an object as it may be shown: without managedFields, and a Secret without its values."""
    metadata = {key: value for key, value in (document.get("metadata") or {}).items() if key != "managedFields"}
    shown = {**document, "metadata": metadata} if "metadata" in document else document
    return dict(without_values(shown, MASK))


def register_secret(document: Any) -> None:
    """Make the values of the Secrets in a document known to the redactor, so that nothing else shows them either.

    A value such as ``true`` or ``default`` stays in every other text: a Secret often holds settings, too.
    """
    for value in secret_values(document):
        if not is_ordinary(value):
            REDACTOR.register(value)


def learn(text: str) -> None:
    """Make the values of the Secrets whose manifests stand in a text, YAML or JSON, known to the redactor.

    So what a script prints of them (``kubectl get secret -o yaml``) is masked wherever it goes.
    """
    if not _SECRET.search(text):
        return
    with contextlib.suppress(yaml.YAMLError, ValueError):  # a text that only speaks of them
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            register_secret(document)


def difference(before: Object | None, after: Object | None, name: str) -> dict[str, str]:
    """Return what a change did, in the form that Ansible shows with ``--diff``."""
    return {
        "before_header": name,
        "after_header": name,
        "before": _comparable(before),
        "after": _comparable(after),
    }


def _comparable(document: Object | None) -> str:
    if document is None:
        return ""
    shown = visible(document)
    shown.pop("status", None)
    shown["metadata"] = {key: value for key, value in shown["metadata"].items() if key not in _UNWRITTEN}
    return REDACTOR.redact(to_yaml(shown))


def _presentable(document: Any) -> Any:
    """Return what is written of a document: redacted before it is encoded, as a value is not known in two encodings."""
    if isinstance(document, list):
        return {"apiVersion": "v1", "kind": "List", "items": [_presentable(each) for each in document]}
    return redacted(visible(document)) if isinstance(document, dict) else redacted(document)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[number]) for line in lines) for number in range(len(lines[0]))]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = (cell.replace("\n", "\\n").ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "   ".join(padded).rstrip() + "\n"


class _Dumper(yaml.CSafeDumper):
    """The C dumper without anchors: people and other tools read the file."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Several lines in a block are readable; the emitter falls back to quotes where a block cannot hold the text.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
