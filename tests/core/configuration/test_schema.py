import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core.configuration.data import copied
from projects.core.configuration.errors import NotAllowed, SecretUnhandled
from projects.core.configuration.loading import load
from projects.core.configuration.project import Project
from projects.core.configuration.resolved_files import ResolvedFiles
from projects.core.values import redaction
from projects.core.values.errors import ConfigError, SecretMissing
from projects.core.values.redaction import MASK, Redactor
from tests.core.configuration.checkouts import Checkout

CONFIG = """\
ci_presets:
  to_apply: []
  wrong: {t.colour: purple}
  right: {t.colour: green}
t:
  colour: red
  size: 3
  version: "4.10"
  link: "@t.size"
  token: "*$@t.file"
  file: probe.token
  servers: [{name: a, port: 1}]
  labels: {8: eight}
"""
RIGHT = CONFIG.replace("  wrong: {t.colour: purple}\n", "")
SCHEMA = """\
type: object
properties:
  t:
    type: object
    properties:
      colour: {type: string, enum: [red, green], description: What it looks like.}
      size:
        type: integer
        minimum: 1
        maximum: 10
      version: {type: [string, "null"], pattern: '^\\d'}
      link: {$ref: "#/$defs/small"}
      token: {type: string, minLength: 40}
      servers:
        type: array
        items: {type: object, required: [name], properties: {port: {$ref: "#/$defs/small"}}}
      labels: {additionalProperties: {type: string}}
$defs:
  small: {type: integer, maximum: 5}
"""
HERE = "projects/one/testing/config.schema.yaml"


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """One of this test's own: what is a secret here is a word elsewhere."""
    own = Redactor()
    for module in ("project", "resolved_files"):
        monkeypatch.setattr(f"projects.core.configuration.{module}.REDACTOR", own)
    monkeypatch.setattr(redaction, "REDACTOR", own)
    return own


def test_what_is_right_is_accepted(checkout: Checkout) -> None:
    project = checkout.project(RIGHT, schema=SCHEMA, presets=("right",), settings=("t.size=4", "t.version=4.20"))
    assert project.get_config("t.version") == "4.20"
    assert project.get_config("t.colour") == "green"
    assert project.get_config("t.link") == 4
    assert project.get_config("t.labels") == {8: "eight"}
    assert project.get_config("t.token", handled_secretly=True) == "<t.token probe.token None>"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("colour: red", "colour: blue"), "6: t.colour: expected one of red, green, found the text 'blue'"),
        (("size: 3", "size: many"), "7: t.size: expected a whole number, found the text 'many'"),
        (("size: 3", "size: 0"), "7: t.size: expected at least 1, found the number 0"),
        (('"4.10"', "4.10"), "8: t.version: expected text or null, found the number 4.1"),
        (('"4.10"', "v4"), "8: t.version: expected text that matches '^\\d', found the text 'v4'"),
        (("port: 1", "port: 9"), "12: t.servers[0].port: expected at most 5, found the number 9"),
        (("name: a", "nmae: a"), "12: t.servers[0]: expected the key 'name', which is not there"),
        (("8: eight", "8: 8"), '13: t.labels["8"]: expected text, found the number 8'),
        (("size: 3", "size: 8"), "9: t.link: expected at most 5, found the number 8"),
    ],
)
def test_a_value_of_the_file_that_is_not_allowed(checkout: Checkout, change: tuple[str, str], said: str) -> None:
    lines = checkout.problems(RIGHT.replace(*change), schema=SCHEMA)
    line, expected = said.split(": ", 1)
    found = [each for each in lines if f"config.yaml:{int(line) - 1}: " in each]
    assert found, lines
    assert expected.replace('["8"]', ".8") in found[0].replace('["8"]', ".8")
    assert HERE in found[0]


def test_every_layer_is_checked_also_what_is_not_applied(checkout: Checkout) -> None:
    lines = checkout.problems(
        CONFIG,
        schema=SCHEMA,
        local="t.size: 11\n",
        pr="t.version: 3\n",
        settings=("t.colour=blue",),
    )
    where = f"({HERE}:6)"
    said = [line.strip() for line in lines[1:]]
    assert said == [
        f"--set: t.colour: expected one of red, green, found the text 'blue' {where}",
        (
            f"artifacts/variable_overrides.yaml:1: overrides of the pull request: t.version: expected text or null, "
            f"found the number 3 ({HERE}:11)"
        ),
        (
            f"projects/one/testing/config.yaml:3: preset 'wrong': t.colour: expected one of red, green, "
            f"found the text 'purple' {where}"
        ),
        f"variable_overrides.yaml:1: local overrides: t.size: expected at most 10, found the number 11 ({HERE}:10)",
    ]


def test_set_config_is_checked(checkout: Checkout) -> None:
    project = checkout.project(RIGHT, schema=SCHEMA)
    with pytest.raises(NotAllowed, match=r"set_config: t\.colour: expected one of red, green, found the text 'purple'"):
        project.set_config("t.colour", "purple")
    project.set_config("t.colour", "green")
    assert project.get_config("t.colour") == "green"
    project.set_config("t.size", "@t.servers[0].port")  # what a reference leads to is not known before it is followed
    assert project.get_config("t.size") == 1


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("t.flexible=4.20", "4.20"),
        ("t.flexible=5", 5),
        ("t.flexible=null", None),
        ("t.text=null", None),
        ("t.text=5", "5"),
    ],
)
def test_settings_are_typed_by_the_schema_first(checkout: Checkout, word: str, value: Any) -> None:
    config = "t: {flexible: null, text: null}\n"
    schema = (
        "properties: {t: {properties: {flexible: {type: [string, number, 'null']}, text: {type: [string, 'null']}}}}"
    )
    found = checkout.data(config, schema=schema, settings=(word,)).data["t"][word[2:].partition("=")[0]]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            "properties:\n  t: {tpye: object}\n",
            ":2: config.schema.yaml: 'tpye' is no keyword of a JSON Schema; did you mean 'type'?",
        ),
        ("t.colour: {type: string}\n", ":1: config.schema.yaml: 't.colour' is no keyword of a JSON Schema"),
        ("properties: {t: {type: txet}}\n", ":1: config.schema.yaml: properties.t.type: expected"),
        ("properties: {t: {$ref: '#/$defs/none'}}\n", "config.schema.yaml: expected a reference into this file"),
        ("properties: {t: {$ref: 'https://example.org/a.json'}}\n", "found 'https://example.org/a.json'"),
        ("properties: {t: {secret: maybe}}\n", "secret: expected true or false, found the text 'maybe'"),
        ("properties: {t: {anyOf: [{secret: true}]}}\n", "a value cannot be a secret only sometimes, below 'anyOf'"),
        ("[]\n", "expected a mapping at the top level"),
    ],
)
def test_what_is_wrong_with_the_schema_itself(checkout: Checkout, schema: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        checkout.load(RIGHT, schema=schema)
    assert said in str(raised.value)


def test_a_property_may_be_called_like_a_keyword(checkout: Checkout) -> None:
    schema = "properties: {if: {type: object, properties: {secret: {secret: true}, not: {type: integer}}}}\n"
    project = checkout.project("if: {secret: hush-a1, not: 1}\n", schema=schema)
    assert project.configuration.is_secret(("if", "secret"))
    assert not project.configuration.is_secret(("if", "not"))


SECRETS = """\
properties:
  t:
    properties:
      password: {type: string, secret: true}
      users: {additionalProperties: {properties: {key: {secret: true}}}}
"""
WITH_SECRETS = """\
ci_presets:
  to_apply: [other]
  other: {t.password: hush-preset}
  unused: {t.password: hush-unused}
t:
  password: hush-file
  short: "@t.password"
  users: {ann: {key: hush-ann, name: Ann}}
"""


def test_a_secret_that_stands_in_a_file_is_a_secret(checkout: Checkout, redactor: Redactor, tmp_path: Path) -> None:
    loaded = checkout.load(WITH_SECRETS, schema=SECRETS, settings=("t.users.ann.key=abc",))
    run = tmp_path / "run"
    run.mkdir()
    project = Project(loaded, read_secret=lambda *_: "", files=ResolvedFiles(run))
    assert {"hush-file", "hush-preset", "hush-unused", "hush-ann"} <= set(redactor.values)
    for key in ("t.password", "t.short", "t.users", "t.users.ann.key", "t"):
        with pytest.raises(SecretUnhandled):
            project.get_config(key)
    assert project.get_config("t.password", handled_secretly=True) == "hush-preset"
    assert project.get_config("t.users.ann.name") == "Ann"
    project.set_config("t.password", "hush-code")
    assert "hush-code" in redactor.values
    written = "".join(file.read_text() for file in run.iterdir())
    assert "hush" not in written
    assert "abc" not in written, "a secret too short for the redactor is masked by its key"
    assert yaml.safe_load((run / "config.yaml").read_text())["t"]["users"]["ann"] == {"key": MASK, "name": "Ann"}


def test_a_child_process_is_told_that_it_does_not_have_the_secret(checkout: Checkout, tmp_path: Path) -> None:
    sources = checkout.files(WITH_SECRETS, schema=SECRETS)
    run = tmp_path / "run"
    run.mkdir()
    Project(load(sources), read_secret=lambda *_: "", files=ResolvedFiles(run)).write()
    child = Project(load(replace(sources, resolved=run / "config.yaml")), read_secret=lambda *_: "")
    with pytest.raises(SecretMissing, match=r"t\.password is a secret that stood in a file, and is not handed on"):
        child.get_config("t.password", handled_secretly=True)
    with pytest.raises(NotAllowed):
        child.set_config("t.password", 5)


def test_an_error_about_a_secret_does_not_show_it(checkout: Checkout) -> None:
    lines = checkout.problems(
        "t: {pin: 12345, other: 1}\n",
        schema="properties: {t: {properties: {pin: {type: string, secret: true}}}}\n",
        pr="t.pin: 67890\n",
        settings=("t.other=a",),
    )
    assert len(lines) == 4
    assert not [line for line in lines if "12345" in line or "67890" in line]
    assert [line for line in lines if "t.pin: expected text, found a secret" in line]


def test_without_a_schema_jsonschema_is_not_imported() -> None:
    code = "import sys; from projects.core.configuration.loading import *; from projects.core.values.checkout import ROOT; "
    code += "load(Sources(ROOT / 'projects/skeleton/testing/config.yaml')); print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


def test_the_schema_of_the_root_lies_under_the_projects(checkout: Checkout) -> None:
    checkout.directory.joinpath("config.schema.yaml").write_text(
        "properties: {t: {properties: {size: {maximum: 2}}}}\n"
    )
    root = "shared: {}\n"
    assert [line for line in checkout.problems(RIGHT, root=root) if "t.size: expected at most 2" in line]
    assert checkout.load(RIGHT, root=root, schema=SCHEMA).configuration.data == copied(
        checkout.load(RIGHT, root=root, schema=SCHEMA).configuration.data
    )


def test_a_secret_is_masked_wherever_a_file_holds_it(checkout: Checkout, tmp_path: Path) -> None:
    config = """\
ci_presets:
  to_apply: []
  variable_overrides: {t.pin: ab1}
  one: {t.pin: ab2, t.users: {bob: {key: ab3}}}
t: {pin: ab4, users: {ann: {key: ab5}}}
"""
    schema = SECRETS.replace("password", "pin")
    sources = checkout.files(config, schema=schema, pr="t.pin: ab6\n", presets=("one",))
    for number, overrides in enumerate((True, False)):
        run = tmp_path / f"run{number}"
        run.mkdir()
        Project(
            load(replace(sources, overrides=overrides)), read_secret=lambda *_: "", files=ResolvedFiles(run)
        ).write()
        written = "".join(file.read_text() for file in run.iterdir())
        assert "pin" in written
        assert not [text for text in (f"ab{digit}" for digit in range(1, 7)) if text in written]


def test_an_error_about_the_kind_does_not_show_what_stands_there(checkout: Checkout) -> None:
    schema = "properties: {t: {properties: {pin: {secret: true}}}}\n"
    lines = checkout.problems("t: {pin: 12345}\n", schema=schema, pr="t.pin: {a: 1}\n", settings=("t.pin=x",))
    assert not [line for line in lines if "12345" in line]
    assert [line.partition("expected ")[2] for line in lines[1:]] == [
        "a number where a secret stands, found something else",
        "a scalar or a list where a secret stands (projects/one/testing/config.yaml:1), found a secret",
    ]


def test_elements_counted_from_the_end(checkout: Checkout) -> None:
    schema = "properties: {t: {prefixItems: [{type: string}, {type: integer}]}}\n"
    assert checkout.data("t: [a, 1]\n", schema=schema, settings=("t[-1]=7", "t[-2]=8")).data["t"] == ["8", 7]
    (line,) = checkout.problems("t: [a, 1]\n", schema=schema, settings=("t[-1]=x",))
    assert "t[1]: expected a whole number, found the text 'x'" in line
