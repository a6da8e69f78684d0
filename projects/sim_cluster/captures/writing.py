"""Objects as the files that `oc adm inspect` writes (see `layout`), so that other tools read them. Called by `verbs`.

The same objects give the same files: keys are sorted, and nothing tells when or where they were written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from projects.sim_cluster.captures.layout import CLUSTER_SCOPED, CORE, INDEX, NAMESPACES, PODS
from projects.sim_cluster.captures.saving import Saved
from projects.sim_cluster.captures.secrets import without_values

Object = dict[str, Any]
_LONGEST: Final = 255  # bytes of a file name
_INT: Final = "tag:yaml.org,2002:int"
_FLOAT: Final = "tag:yaml.org,2002:float"
_BOOL: Final = "tag:yaml.org,2002:bool"
_LISTS = dict[tuple[str, str, str, str], list[str]]  # by directory, resource, apiVersion, kind


class _Dumper(yaml.CSafeDumper):
    """The C dumper without anchors, whose texts stay texts for readers of any YAML version."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    in_a_block = "\n" in text and not text[0].isspace()  # libyaml does not read every block that tells its depth
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if in_a_block else None)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver(_FLOAT, re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789"))
_Dumper.add_implicit_resolver(_INT, re.compile(r"[-+]?0o?[0-7_]+$"), list("-+0"))
_Dumper.add_implicit_resolver(_BOOL, re.compile(r"[yYnN]$"), list("yYnN"))


def write(saved: Iterable[Saved], out: Path, *, with_secrets: bool) -> int:
    """Write objects and return how many Secrets were written without their values."""
    lists: _LISTS = defaultdict(list)
    withheld = 0
    for each in saved:
        obj = each.object
        if (each.group, each.resource) == ("", "secrets") and not with_secrets:
            obj = without_values(obj)
            withheld += obj.get("data") != each.object.get("data")
        _place(each, _yaml(obj), out, lists)
    for (directory, resource, api_version, kind), items in lists.items():
        _write(out / directory / f"{resource}.yaml", _list(api_version, kind, items))
    _write(out / INDEX, _yaml({"complete": True}))
    return withheld


def _place(saved: Saved, text: str, out: Path, lists: _LISTS) -> None:
    """Write an object into its own file, into the list of its namespace, or into both."""
    metadata, group = saved.object["metadata"], saved.group or CORE
    name, namespace = metadata["name"], metadata.get("namespace", "")
    own = _own_directory(saved, group, namespace, name)
    has_own = own is not None and len(f"{name}.yaml".encode()) <= _LONGEST
    if has_own:
        _write(out / str(own) / f"{name}.yaml", f"---\n{text}")
    if namespace or not has_own:
        directory = f"{NAMESPACES}/{namespace}/{group}" if namespace else f"{CLUSTER_SCOPED}/{group}"
        lists[directory, saved.resource, saved.object["apiVersion"], saved.object["kind"]].append(text)


def _own_directory(saved: Saved, group: str, namespace: str, name: str) -> str | None:
    if (group, saved.resource) == (CORE, NAMESPACES):
        return f"{NAMESPACES}/{name}"
    if not namespace:
        return f"{CLUSTER_SCOPED}/{group}/{saved.resource}"
    return f"{NAMESPACES}/{namespace}/{PODS}/{name}" if (group, saved.resource) == (CORE, PODS) else None


def _list(api_version: str, kind: str, items: list[str]) -> str:
    """Return a list of objects that are YAML already."""
    shown = "".join(f"- {_indented(text)}" for text in items)
    return f"---\napiVersion: {api_version}\nitems:\n{shown}kind: {kind}List\nmetadata: {{}}\n"


def _indented(text: str) -> str:
    """Return a mapping as it stands behind a dash; where lines begin says nothing in YAML but how deep they are."""
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))[2:]


def _yaml(document: Object) -> str:
    return str(yaml.dump(document, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, width=1_000_000))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
