import contextvars

import pytest

from projects.core.configuration.project import Project
from projects.core.configuration.reads import ABSENT, collected, digest_of
from tests.core.configuration.checkouts import Checkout

CONFIG = """\
t:
  text: one
  number: 3
  tree: {a: 1, b: {c: 2}}
  alias: "@t.text"
  whole: "@t.tree"
  token: "*$@t.file"
  file: probe.token
  broken: "@t.nothing_there"
"""
TEMPLATE = """\
{% set tree = t.whole %}
g c:
  text: {{ t.text }}
  c: {{ tree.b.c }}
  token: {{ t.token }}
{% if t.nothing_there is defined %}
  never: 1
{% endif %}

g all:
  tree: {{ t.tree }}
"""


@pytest.fixture
def project(checkout: Checkout) -> Project:
    return checkout.project(CONFIG, template=TEMPLATE)


def reads(project: Project, *keys: str) -> dict[str, str]:
    with collected() as found:
        for key in keys:
            project.get_config(key, None, warn=False, handled_secretly=True)
    return found


def test_nothing_is_noted_when_nobody_collects(project: Project) -> None:
    project.get_config("t.text")
    assert reads(project) == {}
    with collected() as found:
        pass
    project.get_config("t.text")
    assert found == {}


def test_what_was_read_is_the_same_until_it_changes(project: Project) -> None:
    found = reads(project, "t.text", "t.number", "t.tree")
    assert list(found) == ["t.text", "t.number", "t.tree"]
    assert {key: digest_of(project, key) for key in found} == found
    project.set_config("t.tree.b.c", 3)
    assert [key for key in found if digest_of(project, key) != found[key]] == ["t.tree"]
    project.set_config("t.tree.b.c", 2)
    assert digest_of(project, "t.tree") == found["t.tree"]


def test_a_reference_counts_as_what_it_leads_to(project: Project) -> None:
    found = reads(project, "t.alias")
    project.set_config("t.text", "two")
    assert digest_of(project, "t.alias") != found["t.alias"]


def test_of_a_secret_the_reference_counts(project: Project) -> None:
    found = reads(project, "t.token")
    assert digest_of(project, "t.token") == found["t.token"]
    project.set_config("t.file", "other.token")
    assert digest_of(project, "t.token") != found["t.token"]


def test_a_declared_secret_has_one_digest_whatever_it_is(checkout: Checkout) -> None:
    schema = "properties: {t: {properties: {pin: {secret: true}}}}\n"
    project = checkout.project('t: {pin: hush-one-two, other: "@t.pin"}\n', schema=schema)
    found = reads(project, "t.pin", "t.other")
    project.set_config("t.pin", "hush-three-four", print=False)
    assert {key: digest_of(project, key) for key in found} == found


def test_a_key_that_is_not_there(project: Project) -> None:
    found = reads(project, "t.nowhere", "t.text")
    assert found["t.nowhere"] == ABSENT == digest_of(project, "t.nowhere")
    assert digest_of(project, "t.broken") is None


def test_a_template_notes_what_it_uses(project: Project) -> None:
    with collected() as found:
        project.command_args("g", "c")
    assert {"t.text", "t.tree.b.c", "t.token", "t.nothing_there"} <= set(found)
    assert "t.number" not in found
    assert {key: digest_of(project, key) for key in found} == found
    with collected() as found:
        project.command_args("g", "all")
    assert "t.tree" in found


def test_a_branch_notes_for_the_block_around_it(project: Project) -> None:
    with collected() as outer:
        context = contextvars.copy_context()
        with collected() as inner:
            project.get_config("t.text")
        context.run(lambda: project.get_config("t.number"))
    assert list(inner) == ["t.text"]
    assert sorted(outer) == ["t.number", "t.text"]
