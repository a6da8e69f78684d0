import base64
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.cluster import documents
from projects.core.values.redaction import MASK, Redactor

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


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s"},
    "data": {
        "token": base64.b64encode(b"in-data-4711").decode(),
        "bytes": base64.b64encode(b"\xff\xfe\xff\xfe").decode(),
    },
    "stringData": {"plain": "in-string-data-4711", "setting": "true"},
}
CLEAR = ("in-data-4711", "in-string-data-4711", *SECRET["data"].values())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "document",
    [
        SECRET,
        {"kind": "List", "items": [SECRET]},
        {"kind": "SecretList", "items": [{key: value for key, value in SECRET.items() if key != "kind"}]},
        {"kind": "Template", "objects": [{"kind": "List", "items": [SECRET]}]},
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "spec": {"embedded": SECRET}},
    ],
    ids=["alone", "List", "SecretList", "Template", "embedded"],
)
def test_a_secret_anywhere_in_a_document_is_written_without_values(
    document: dict[str, Any], tmp_path: Path, redactor: Redactor
) -> None:
    documents.write(tmp_path / "a.yaml", documents.to_yaml(document))
    documents.write(tmp_path / "b.json", documents.to_json([document]))
    for path in tmp_path.iterdir():
        text = path.read_text()
        assert MASK in text
        assert not [value for value in CLEAR if value in text]
    documents.register_secret(document)
    assert documents.to_text("in-data-4711 in-string-data-4711 true") == "in-data-4711 in-string-data-4711 true\n"
    assert redactor.redact("in-data-4711 in-string-data-4711 true") == f"{MASK} {MASK} true"


@pytest.mark.parametrize("dump", [json.dumps, lambda document: json.dumps(document, indent=2), yaml.safe_dump])
def test_what_a_program_prints_of_a_secret_is_learnt(
    dump: Callable[[Any], str], tmp_path: Path, redactor: Redactor
) -> None:
    documents.write(tmp_path / "said.txt", dump({"kind": "List", "items": [SECRET]}))
    text = (tmp_path / "said.txt").read_text()
    assert not [value for value in CLEAR if value in text]
    assert redactor.redact("later: in-data-4711") == f"later: {MASK}"


def test_a_text_that_only_speaks_of_secrets_is_written_as_it_is(tmp_path: Path, redactor: Redactor) -> None:
    text = "kind: Secret\n\tis: {what it: speaks of\n"
    documents.write(tmp_path / "said.txt", text)
    assert (tmp_path / "said.txt").read_text() == text


def test_a_difference_of_secrets_shows_no_value(redactor: Redactor) -> None:
    shown = documents.difference(SECRET, {**SECRET, "stringData": {"plain": "another-4711"}}, "s")
    assert not [value for value in (*CLEAR, "another-4711") if value in str(shown)]


def test_a_value_is_redacted_before_it_is_encoded(redactor: Redactor) -> None:
    hard = "it's \"5\" \\ o'clock"
    redactor.register(hard)
    quoted = shlex.quote(hard)
    assert "clock" not in documents.to_json({"kind": "ConfigMap", "data": {"script": f"echo {quoted}"}})
    assert "clock" not in documents.to_yaml({"kind": "ConfigMap", "data": {"script": f"echo {quoted}\ttab"}})
