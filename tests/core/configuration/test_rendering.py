import logging
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projects.core.configuration.document import Document
from projects.core.configuration.layers import Configuration, Layer, base_of
from projects.core.configuration.sections import sections_of
from projects.core.configuration.templates import Templates, arguments, read_templates, without_private
from projects.core.values.errors import SecretMissing, TemplateError, UsageError

FILE = Path("/nowhere/command_args.yaml.j2")
DATA = {
    "t": {
        "text": "hello",
        "version": "4.10",
        "zeros": "007",
        "number": 7,
        "float": 4.1,
        "yes": True,
        "nothing": None,
        "empty": "",
        "list": ["1", 2, None],
        "tree": {"a": "1e3", "b": {"c": None}},
        "items": "a key called items",
        "ref": "see {@t.text}",
        "refs": {"version": "@t.version", "broken": "@t.no_such"},
        "broken": "@t.no_such",
        "alias": "@t.tree",
        "dash-ed": 1,
        "lines": "first\nsecond: {{ x }}\n",
    },
    "names": ["a", "b"],
    "token": "*$@file",
    "missing_token": "*$@lost",
    "file": "f",
    "lost": "lost",
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def secret(key: str, file: str) -> str:
    if file == "lost":
        raise SecretMissing(f"{key}: {file} is lost")
    return f"<{key} {file}>"


def render(template: str, name: str = "g c", data: Any = None, extra: Any = None) -> dict[str, Any]:
    values = DATA if data is None else data
    base = base_of((Layer.PROJECT, Document(Path("config.yaml"), values)))
    sections = sections_of(textwrap.dedent(template), FILE)
    return arguments(sections[name], Configuration(base, values, values), secret, extra)


def failure(template: str, name: str = "g c") -> TemplateError:
    with pytest.raises(TemplateError) as raised:
        render(template, name)
    return raised.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{{ t.version }}", "4.10"),
        ('"{{ t.version }}"', "4.10"),
        ("'{{ t.zeros }}'", "007"),
        ("{{ t.number }}", 7),
        ('"{{ t.number }}"', 7),
        ("{{ t.float }}", 4.1),
        ("{{ t.yes }}", True),
        ("{{ t.nothing }}", None),
        ('"{{ t.nothing }}"', None),
        ("{{ t.empty }}", ""),
        ("{{ t.list }}", ["1", 2, None]),
        ('"{{ t.tree }}"', {"a": "1e3", "b": {"c": None}}),
        ("{{ t.alias.b }}", {"c": None}),
        ("{{ t.refs.version }}", "4.10"),
        ("{{ t.ref }}", "see hello"),
        ("{{ t.items }}", "a key called items"),
        ("{{ t['dash-ed'] }}", 1),
        ("{{ t.list[1] }}", 2),
        ("{{ t.lines }}", "first\nsecond: {{ x }}\n"),
        ("v{{ t.version }}", "v4.10"),
        ('"{{ t.version }}.{{ t.number }}"', "4.10.7"),
        ("{{ t.number }}{{ t.number }}", "77"),
        ("'{{ t.lines }}!'", "first\nsecond: {{ x }}\n!"),
        ("a {{ t.tree.b }}", "a {'c': None}"),
        ("[{{ t.version }}, {{ t.number }}, x]", ["4.10", 7, "x"]),
        ("{a: {{ t.version }}, {{ t.text }}: 1}", {"a": "4.10", "hello": 1}),
        ("{{ t.number + 1 }}", 8),
        ("{{ t.list | length }}", 3),
        ("{{ t.list | map('string') | list }}", ["1", "2", "None"]),
        ("{{ names | map('upper') }}", ["A", "B"]),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ t.tree | tojson }}", '{"a": "1e3", "b": {"c": null}}'),
        ("{{ t.tree.items() | list }}", [["a", "1e3"], ["b", {"c": None}]]),
        ("{{ 'x' if t.yes else 'y' }}", "x"),
        ("{{ t.version ~ '-' ~ t.number }}", "4.10-7"),
        ("{{ t.nothing or t.text }}", "hello"),
        ("{{ t.tree == {'a': '1e3', 'b': {'c': none}} }}", True),
        ("{{ 'a' in t.tree }}", True),
        ("{{ t.tree is mapping }}", True),
        ("{{ t.tree.get('zz', 5) }}", 5),
        ("{{ '4.10' }}", "4.10"),
        ("{{ token }}", "<token f>"),
        ("4.10", 4.1),
        ("", None),
    ],
)
def test_a_value_keeps_its_type_and_with_text_around_it_is_text(written: Any, value: Any) -> None:
    found = render(f"g c:\n  x: {written}\n")["x"]
    assert found == value
    assert type(found) is type(value)


def test_values_in_blocks_of_text_are_not_indented_or_read() -> None:
    found = render("""
        g c:
          script: |
            echo {{ t.lines }}
            done
          folded: >-
            {{ t.version }}
        """)
    assert found == {"script": "echo first\nsecond: {{ x }}\n\ndone\n", "folded": "4.10"}


@given(VALUES)
@example("v" + "0" * 32 + "n0v")
@example("{@broken}".replace("@", ""))
def test_any_value_arrives_as_it_is(value: Any) -> None:
    value = _without_references(value)
    found = render(
        "g c:\n  bare: {{ value }}\n  quoted: \"{{ value }}\"\n  single: '{{ value }}'\n", data={"value": value}
    )
    assert found == {"bare": value, "quoted": value, "single": value}


@given(st.text(), st.text())
def test_any_text_stands_unharmed_between_other_text(one: Any, two: Any) -> None:
    one, two = _without_references(one), _without_references(two)
    found = render(
        'g c:\n  a: "<{{ one }}|{{ two }}>"\n  b: x {{ one }}\n  {{ two }}k: 1\n', data={"one": one, "two": two}
    )
    assert found == {"a": f"<{one}|{two}>", "b": f"x {one}", f"{two}k": 1}


def _without_references(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("@", "")
    if isinstance(value, list):
        return [_without_references(each) for each in value]
    return {key: _without_references(each) for key, each in value.items()} if isinstance(value, dict) else value


def test_conditions_and_loops_see_real_values() -> None:
    found = render("""
        {% set scale = t.number * 2 %}
        g c:
        {% if t.version == "4.10" and not t.nothing %}
          old: true
        {% endif %}
        {%- if t.yes is sameas true %}
          scale: {{ scale }}
        {%- else %}
          scale: 0
        {%- endif %}
          env:
        {% for name in names %}
            {{ name }}_{{ loop.index }}: {{ t[name] if name in t else loop.first }}
        {% endfor %}
          list:
        {% for key, value in t.tree | dictsort %}
          - {{ key }}: {{ value }}
        {% endfor %}
        """)
    assert found == {
        "old": True,
        "scale": 14,
        "env": {"a_1": True, "b_2": False},
        "list": [{"a": "1e3"}, {"b": {"c": None}}],
    }


def test_text_that_a_template_makes_itself_is_text() -> None:
    found = render("""
        {% macro tagged(name) %}{{ name }}:{{ t.version }}{% endmacro %}
        {% macro wrapped() %}[{{ caller() }}]{% endmacro %}
        {% set whole %}{{ t.text }}-{{ t.number }}{% endset %}
        g c:
          macro: {{ tagged("image") | upper }}
          block: {{ whole }}
          same: {{ whole == "hello-7" }}
          filtered: {% filter upper %}{{ t.text }}{% endfilter %}
          called: {% call wrapped() %}{{ t.number }}{% endcall %}
          {% for each in [t.list] recursive %}
          {% if each is string %}r{{ each }}: {{ each }}{% elif each is iterable %}{{ loop(each) }}{% endif %}
          {% endfor %}
        """)
    assert found["called"] == "[7]"
    assert found["r1"] == 1  # inside of a recursive loop there is only text
    assert found["macro"] == "IMAGE:4.10"
    assert found["block"] == "hello-7"
    assert found["same"] is True
    assert found["filtered"] == "HELLO"


def test_what_stands_in_another_section_does_not_matter() -> None:
    template = """
        g c:
          a: 1
        g undefined:
          a: {{ nothing.of.this }}
        g raises:
          a: {{ "no" | raise_exception }}
        g syntax:
          a: {% if %}
        g open:
          a: {{ t.text
        g end:
          a: 1
        """
    assert render(template) == {"a": 1}
    assert render(template, "g end") == {"a": 1}


def test_a_section_may_hold_nothing_and_extra_wins() -> None:
    assert render("g c:\n") == {}
    assert render("g c: {}\n", extra={"x": "{{ t.text }}"}) == {"x": "{{ t.text }}"}
    assert render("g c:\n  x: {a: 1}\n  y: 2\n", extra={"x": {"b": 1}}) == {"x": {"b": 1}, "y": 2}
    assert render("g c:\n  x: 1\n", extra="{x: '4.10', z: [1]}") == {"x": "4.10", "z": [1]}
    with pytest.raises(UsageError, match="extra: expected a mapping of arguments, found list"):
        render("g c:\n", extra="[1]")


def test_private_arguments_are_dropped() -> None:
    assert without_private({"_a": 1, "b": 2}) == {"b": 2}


def test_or_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESAIL_PROBE", "from the environment")
    monkeypatch.delenv("FORESAIL_NO_PROBE", raising=False)
    template = """
        {% set place = false | or_env("FORESAIL_NO_PROBE") %}
        {% set file = place + "/" + t.text %}
        g c:
          found: {{ t.nothing | or_env("FORESAIL_PROBE") }}
          own: {{ t.text | or_env("FORESAIL_PROBE") }}
        {% if not place %}
          place: none
        {% endif %}
        g file:
          a: 1
          file: {{ file }}
        """
    assert render(template) == {"found": "from the environment", "own": "hello", "place": "none"}
    error = failure(template, "g file")
    assert error.place == f"{FILE}:12"
    assert "expected a value, or else the environment variable FORESAIL_NO_PROBE; found neither" in error.message


def test_log_warning_leaves_nothing_in_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = render("""
            {{ "the header warns" | log_warning }}
            g c:
              a: 1
            {% if false %}
              {{ "never" | log_warning }}
            {% endif %}
            """)
    assert found == {"a": 1}
    assert [record.getMessage() for record in caplog.records] == ["the header warns"]


def test_a_reference_that_leads_nowhere_fails_only_what_uses_it() -> None:
    assert render("g c:\n  a: {{ t.text }}{{ t.refs.version }}\n") == {"a": "hello4.10"}
    for written in ("t.broken", "t.refs.broken", "t.refs", "t"):
        error = failure(f"g c:\n  b: 1\n  a: {{{{ {written} }}}}\n")
        assert "the reference '@t.no_such' leads nowhere" in error.message
        assert error.place == f"{FILE}:3"


def test_a_secret_that_is_not_there_fails_only_what_reads_it() -> None:
    assert render("g c:\n  a: {{ token }}\n") == {"a": "<token f>"}
    with pytest.raises(SecretMissing, match="missing_token: lost is lost"):
        render("g c:\n  a: {{ missing_token }}\n")


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        ("x: {{ t.txt }}", "'t.txt' is undefined; did you mean 't.text'?", 4),
        ("x: {{ t.tree.b.zz }}", "'t.tree.b.zz' is undefined", 4),
        ("x: {{ t['txt'] }}", "'t.txt' is undefined; did you mean 't.text'?", 4),
        ("x: {{ tt.text }}", "'tt' is undefined", 4),
        ("y: 1\n\n  x: a {{ t.txt }}", "'t.txt' is undefined", 6),
        ("{% if t.txt %}x: 1{% endif %}", "'t.txt' is undefined", 4),
        ("{% for i in range(3) %}\n  y{{ i }}: 1\n{% endfor %}\n  x: {{ t.txt }}", "'t.txt' is undefined", 7),
        ("x: {{ t.text\n    + t.number }}", 'TypeError: can only concatenate str (not "int") to str', 4),
        ("x: {{ [t.txt] }}", "'t.txt' is undefined", 4),
        ("x: {{ 'of my own' | raise_exception }}", "of my own", 4),
        ("x: {{ t.text | shout }}", "No filter named 'shout'.", 4),
        ("x: {{ t.text", "unexpected end of template", 4),
        ("{% endif %}", "unknown tag 'endif'", 4),
        ("x: {{ range }}", "expected data, found type", 4),
        ("x: {{ t.list / 2 }}", "TypeError: unsupported operand", 4),
        ("x: a: b", "mapping values are not allowed", 4),
        (
            "{% for i in range(3) %}\n  y{{ i }}: 1\n{% endfor %}\n  z: 1\n  x: a: {{ t.text }}",
            "is no YAML once it is rendered",
            8,
        ),
        ("x: 1\n  x: 2", "'[\"g c\"].x' is written twice; first at /nowhere/command_args.yaml.j2:4", 5),
        ("{{ t.text }}: 1\n  {{ t.text }}: 2", "found the text 'hello' twice", 3),
        ("{{ t.list }}: 1", "expected a name as the key of a mapping, found a list of 3", 3),
        ("- 1", "expected arguments, found a list of 1", 3),
        ("x: &a [*a]", "found an alias of what it is in", 4),
    ],
)
def test_what_is_wrong_is_told_with_its_section_and_its_line(body: str, message: str, line: int) -> None:
    error = failure(f"{{% set a = 1 %}}\n# about it\ng c:\n  {body}\n")
    assert message in error.message
    assert error.message.startswith("the section 'g c' ")
    assert error.place == f"{FILE}:{line}"
    assert error.exit_code == 2


def test_the_nearest_variable_is_offered() -> None:
    assert failure("g c:\n  x: {{ nmes }}\n").hint == "did you mean 'names'?"


def test_a_block_around_sections_is_explained() -> None:
    error = failure("{% if t.yes %}\ng c:\n  x: 1\ng d:\n  y: 1\n{% endif %}\n")
    assert "a section holds whole blocks" in str(error.hint)
    assert "a section holds whole blocks" in str(failure("{% set a = 1 %}\ng c:\n  x: 1\n{% endif %}\n").hint)


def test_the_projects_section_takes_the_place_of_the_roots(tmp_path: Path) -> None:
    own = tmp_path / "project"
    own.mkdir()
    (tmp_path / "command_args.yaml.j2").write_text("{% set x = 1 %}\ng c:\n  x: {{ x }}\ng root:\n  x: {{ x }}\n")
    (own / "command_args.yml.j2").write_text("g c:\n  y: 2\n")
    templates = read_templates(own, root=tmp_path)
    assert templates.files == (tmp_path / "command_args.yaml.j2", own / "command_args.yml.j2")
    assert str(templates.named("g", "c").place) == f"{own}/command_args.yml.j2:1"
    assert str(templates.named("g", "root").place) == f"{tmp_path}/command_args.yaml.j2:4"
    assert read_templates(None, root=tmp_path).named("g", "c").place.line == 2


def test_an_unknown_section_names_the_nearest_one() -> None:
    templates = Templates((FILE,), sections_of("pre/g c/post:\ng d:\n", FILE))
    with pytest.raises(TemplateError, match="there is no section 'pre/g c/pots'") as raised:
        templates.named("g", "c", "pre", "pots")
    assert raised.value.hint == "did you mean 'pre/g c/post'?"
    assert raised.value.place == str(FILE)
    with pytest.raises(TemplateError) as raised:
        Templates((), {}).section("g c")
    assert raised.value.place == "no template was found"
