import base64
import json
import re
from pathlib import Path

import yaml

from projects.core.cluster import documents
from projects.core.values.redaction import MASK

AWKWARD = [
    "4.10",
    "1e3",
    "007",
    "None",
    "a: b",
    "{{ x }}",
    "- x",
    "'\"",
    "$HOME",
    "é\u2028☃",
    " lead",
    "two\nlines\n",
    "tab\tx",
    "yes",
    "",
]


def test_yaml_round_trips_awkward_strings() -> None:
    document = {
        "kind": "ConfigMap",
        "metadata": {"name": "x"},
        "data": {f"k{n}": text for n, text in enumerate(AWKWARD)},
    }
    assert yaml.safe_load(documents.to_yaml(document)) == document
    assert json.loads(documents.to_json(document)) == document


def test_a_list_is_a_list_object() -> None:
    text = documents.to_yaml([{"kind": "Pod", "metadata": {"name": "a", "managedFields": [1]}}])
    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"kind": "Pod", "metadata": {"name": "a"}}],
    }


def test_values_of_a_secret_are_never_shown(tmp_path: Path) -> None:
    value = "s3cr3t-of-the-documents-test"
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": value, "a": "b"}},
        "data": {"k": base64.b64encode(value.encode()).decode()},
        "stringData": {"k": value},
    }
    for text in (documents.to_yaml(secret), documents.to_json([secret]), str(documents.difference(None, secret, "s"))):
        assert value not in text
        assert base64.b64encode(value.encode()).decode() not in text
        assert MASK in text
    documents.register_secret(secret)
    documents.write(tmp_path / "deep" / "file", f"elsewhere: {value}")
    assert (tmp_path / "deep" / "file").read_text() == f"elsewhere: {MASK}"


def test_columns() -> None:
    table = {
        "columnDefinitions": [{"name": "Name"}, {"name": "Age", "priority": 1}],
        "rows": [{"cells": ["a-long-name", None], "object": {"metadata": {"namespace": "n"}}}, {"cells": ["b", 3]}],
    }
    assert documents.columns(table) == "NAME          AGE\na-long-name   <none>\nb             3\n"
    assert documents.columns(table, namespaces=True).splitlines()[1] == "n           a-long-name   <none>"
    assert documents.columns({"columnDefinitions": [{"name": "Name"}], "rows": []}) == "No resources found\n"


def test_difference_shows_what_a_person_changed() -> None:
    before = {"kind": "C", "metadata": {"name": "x", "resourceVersion": "1"}, "data": {"a": "1"}, "status": {"s": 1}}
    after = {"kind": "C", "metadata": {"name": "x", "resourceVersion": "2"}, "data": {"a": "2"}, "status": {"s": 2}}
    diff = documents.difference(before, after, "C x")
    assert not re.search("resourceVersion|status", diff["before"] + diff["after"])
    assert "a: '1'" in diff["before"]
    assert "a: '2'" in diff["after"]
