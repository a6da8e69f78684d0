from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from projects.core.configuration.comments import comments_of
from projects.core.configuration.derivation import derived
from projects.core.configuration.document import read_document
from projects.core.configuration.loading import Sources, load
from projects.core.values.checkout import ROOT
from tests.core.configuration.checkouts import Checkout, write

CONFIG = """\
ci_presets:
  to_apply: []
  # for a small cluster
  small: {t.size: 1, t.alias: 2}
  sweep: {extends: small, t.size: [1, 2], t.nothing: "@t.size"}

# what is tested
t:
  # how many
  # of them
  size: 3 # at least one
  text: "a # b"
  other: it's # said
  alias: "@t.size"
  nothing: null
  list: [one]
  pin: hush-a1b2
"""
SCHEMA = "properties: {t: {properties: {size: {minimum: 1}, other: {enum: [it's, its]}, pin: {secret: true}}}}\n"


def schema_of(checkout: Checkout, config: str = CONFIG, schema: str | None = SCHEMA) -> dict[str, Any]:
    loaded = checkout.load(config, schema=schema)
    return derived(loaded.configuration, loaded.presets, "one")


def test_kinds_defaults_comments_and_declarations(checkout: Checkout) -> None:
    found = schema_of(checkout)["properties"]["t"]
    assert found["description"] == "what is tested"
    assert found["properties"] == {
        "size": {"type": "integer", "default": 3, "description": "how many of them at least one", "minimum": 1},
        "text": {"type": "string", "default": "a # b"},
        "other": {"type": "string", "default": "it's", "description": "said", "enum": ["it's", "its"]},
        "alias": {"type": ["integer", "string"], "default": "@t.size"},
        "nothing": {"default": None},
        "list": {"type": "array", "default": ["one"]},
        "pin": {"type": "string", "secret": True},
    }


def test_presets_are_described(checkout: Checkout) -> None:
    document = schema_of(checkout)
    block = document["properties"]["ci_presets"]["properties"]
    assert block["small"] == {"$ref": "#/$defs/preset", "description": "for a small cluster"}
    assert "t.size" in document["$defs"]["preset"]["properties"]


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (("", ""), True),
        (("size: 3", "size: many"), False),
        (("size: 3", "size: 0"), False),
        (("t.size: 1", "t.size: many"), False),
        (("extends: small", "extends: smal"), False),
        (("list: [one]", "list: one"), False),
    ],
)
def test_an_editor_finds_what_is_wrong(checkout: Checkout, change: tuple[str, str], right: bool) -> None:
    document = schema_of(checkout)
    Draft202012Validator.check_schema(document)
    changed = yaml.safe_load(CONFIG.replace(*change))
    assert Draft202012Validator(document).is_valid(changed) is right


@pytest.mark.parametrize("file", sorted(ROOT.glob("projects/*/testing/config.yaml")), ids=lambda file: file.parts[-3])
def test_what_our_projects_write_is_right_by_their_own_schemas(file: Path) -> None:
    loaded = load(Sources(file))
    document = derived(loaded.configuration, loaded.presets, "")
    for data in (loaded.configuration.base.data, read_document(file).data):
        assert [error.message for error in Draft202012Validator(document).iter_errors(data)] == []


def test_comments(tmp_path: Path) -> None:
    text = """\
    # not the key's own

    # said of a
    a: 1
    b: 2 # behind
    c: "#no" # yes
    d: x#y
    e: &anchor {f: 1} # of e
      # deeper
    g: 1
    """
    document = read_document(write(tmp_path / "c.yaml", text))
    assert {".".join(map(str, path)): said for path, said in comments_of(document).items()} == {
        "a": "said of a",
        "b": "behind",
        "c": "yes",
        "e": "of e",
    }
