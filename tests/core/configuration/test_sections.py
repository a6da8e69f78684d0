from pathlib import Path

import pytest

from projects.core.configuration.sections import name_of_section, read_sections, sections_of, template_file
from projects.core.values.errors import TemplateError

FILE = Path("/nowhere/command_args.yaml.j2")


def names(text: str) -> list[str]:
    return list(sections_of(text, FILE))


def test_sections_are_the_keys_at_the_start_of_a_line() -> None:
    text = """\
{% set a = {
"not": 1,
"a section": 2,
} %}
{# nor: this
or: this #}
# a comment: with a colon
cluster set_scale:
  instance_type: x
  list:
  - a: 1
pre/cluster  set_scale/post:  # a comment
  x: {{
"neither": 1
}}
"cluster capture_environment":
cluster other: {a: 1}
url: http://x:80
"""
    found = sections_of(text, FILE)
    assert {name: section.place.line for name, section in found.items()} == {
        "cluster set_scale": 8,
        "pre/cluster set_scale/post": 12,
        "cluster capture_environment": 16,
        "cluster other": 17,
        "url": 18,
    }


def test_a_section_keeps_its_lines_and_has_the_header_and_nothing_of_the_others() -> None:
    section = sections_of("{% set a = 1 %}\n\none:\n  x: {{ a }}\ntwo:\n  y: 2\nthree:\n  z: 3\n", FILE)["two"]
    assert section.source.splitlines() == ["{% set a = 1 %}", "", "", "", "two:", "  y: 2", "", ""]


def test_what_is_set_between_two_sections_is_for_all_that_follow() -> None:
    text = "one:\n  x: 1\n{% if a %}\n  y: 1\n{% endif %}\n\n# about b\n{% set b = 2 %}\n{%- set c = 3 -%}\ntwo:\n  z: {{ b }}\nthree: {}\n"
    found = sections_of(text, FILE)
    assert "set b" in found["one"].source  # it stands in its text, too
    assert "set b" in found["two"].source
    assert "set c" in found["three"].source
    assert "if a" not in found["two"].source


def test_a_bracket_that_is_never_closed_hides_no_other_section() -> None:
    assert names("one:\n  x: {{ a\ntwo:\n  y: {% if b\nthree:\n  z: {{ c }}\n") == ["one", "two", "three"]


def test_a_file_without_sections_has_none() -> None:
    assert names("") == []
    assert names("{% set a = 1 %}\n# nothing\n") == []


def test_a_section_written_twice() -> None:
    with pytest.raises(
        TemplateError, match=r"the section 'one' is written twice; first at /nowhere/command_args.yaml.j2:1"
    ) as raised:
        sections_of("one:\n  x: 1\none:\n  x: 2\n", FILE)
    assert raised.value.place == f"{FILE}:3"


@pytest.mark.parametrize("name", ["command_args.yaml.j2", "command_args.yml.j2"])
def test_both_spellings_are_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert template_file(tmp_path) == tmp_path / name


def test_no_template_and_two(tmp_path: Path) -> None:
    assert template_file(tmp_path) is None
    (tmp_path / "command_args.yaml.j2").touch()
    (tmp_path / "command_args.yml.j2").touch()
    with pytest.raises(
        TemplateError, match=r"expected one template, found command_args.yaml.j2 and command_args.yml.j2"
    ) as raised:
        template_file(tmp_path)
    assert raised.value.place == str(tmp_path)


def test_a_template_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be read"):
        read_sections(tmp_path / "command_args.yaml.j2")


def test_names_of_sections() -> None:
    assert name_of_section("g", "c", None, None) == "g c"
    assert name_of_section("g", "c", "pre", "post") == "pre/g c/post"
    assert name_of_section("g", "c", "", "post") == "g c/post"


def test_only_a_newline_ends_a_line() -> None:
    found = sections_of('one:\n  x: "a\u2028b\x0cc"\ntwo: {}\n', FILE)
    assert found["two"].place.line == 3
    assert "a\u2028b\x0cc" in found["one"].source
