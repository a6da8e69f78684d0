import pytest

from projects.core.configuration.errors import ordered
from projects.core.configuration.linting import references, rendered
from tests.core.configuration.checkouts import Checkout, write

CONFIG = """\
ci_presets:
  to_apply: []
  breaking: {t.mode: special}
  also_breaking: {t.mode: special}
  nulled: {t.tree: null}
t:
  mode: usual
  name: fine
  later: null
  marked: SET_AT_RUNTIME
  tree: {a: 1}
  token: "*$@t.file"
  file: probe.token
  broken: "@t.nmae"
"""


def problems(checkout: Checkout, template: str) -> list[str]:
    loaded = checkout.load(CONFIG, template=template)
    project = checkout.project(CONFIG, template=template)
    found = ordered(rendered(loaded, project.templates).problems())
    return [str(each).replace(f"{checkout.directory}/projects/one/testing/", "") for each in found]


@pytest.mark.parametrize(
    "template",
    [
        "g c:\n  value: {{ t.name }}\n  token: {{ t.token }}\n  other: SET_AT_RUNTIME\n",
        "g c:\n  value: {{ t.later.name }}\n",
        "g c:\n  value: {{ t.later + 1 }}\n",
        "g c:\n  value: {{ t.marked + 1 }}\n",
        'g c:\n  value: {{ t.later | or_env("NOT_SET_ANYWHERE") }}\n',
        'g c:\n{% if not t.later %}\n  value: {{ "give it at run time" | raise_exception }}\n{% endif %}\n',
        "g c:\n  value: {{ t.nothing | default(1) }}\n",
    ],
)
def test_what_only_a_run_can_tell_is_no_error(checkout: Checkout, template: str) -> None:
    assert [line for line in problems(checkout, template) if "nulled" not in line] == []


def test_what_is_wrong_whatever_the_values_are(checkout: Checkout) -> None:
    template = """\
g undefined:
  later: {{ t.later }}
  value: {{ t.nmae }}

g unknown:
  value: {{ tt.name }}

g syntax:
  value: {{ t.name | nameless }}

g reference:
  value: {{ t.broken }}

g sum:
  value: {{ t.name + 1 }}

g yaml:
  value: [1
"""
    assert [line.partition(": ")[::2] for line in problems(checkout, template)] == [
        (
            "command_args.yaml.j2:3",
            "the section 'g undefined' cannot be rendered: 't.nmae' is undefined; did you mean 't.name'?",
        ),
        (
            "command_args.yaml.j2:6",
            "the section 'g unknown' cannot be rendered: 'tt' is undefined; did you mean 't'?",
        ),
        (
            "command_args.yaml.j2:9",
            "the section 'g syntax' cannot be rendered: No filter named 'nameless'.",
        ),
        (
            "command_args.yaml.j2:12",
            "the section 'g reference' cannot be rendered: t.broken: the reference '@t.nmae' leads nowhere: t.nmae is not a key of the configuration; did you mean 't.name'?",
        ),
        (
            "command_args.yaml.j2:15",
            "the section 'g sum' cannot be rendered: TypeError: can only concatenate str (not \"int\") to str",
        ),
        (
            "command_args.yaml.j2:19",
            "the section 'g yaml' is no YAML once it is rendered: expected YAML, found this: did not find expected ',' or ']' while parsing a flow sequence",
        ),
    ]


def test_what_only_some_presets_break(checkout: Checkout) -> None:
    template = 'g c:\n{% if t.mode == "special" %}\n  value: {{ t.nmae }}\n{% endif %}\n'
    (line,) = problems(checkout, template)
    assert line.endswith("(with presets 'breaking', 'also_breaking')")


def test_references_are_followed_with_every_preset(checkout: Checkout) -> None:
    config = """\
ci_presets:
  nulling: {t.tree: null}
  unused: {t.name: "@t.nowhere"}
t:
  name: fine
  tree: {a: 1}
  far: "@t.tree.a"
  wrong: "it is {@t.nmae}"
  token: "*$@t.flie"
  file: probe.token
  later: null
  late: "@t.later"
"""
    found = ordered(references(checkout.load(config)).problems())
    told = [str(each).replace(f"{checkout.directory}/projects/one/testing/config.yaml:", "") for each in found]
    assert told == [
        "3: t.name: the reference '@t.nowhere' leads nowhere: t.nowhere is not a key of the configuration; there are: t.far, t.file, t.late, t.later, t.name, t.token, t.tree, t.wrong (with preset 'unused')",
        "7: t.far: the reference '@t.tree.a' leads nowhere: t.tree.a is not a key of the configuration; did you mean 't.tree'? (with preset 'nulling')",
        "8: t.wrong: the reference '@t.nmae' leads nowhere: t.nmae is not a key of the configuration; did you mean 't.name'?",
        "9: t.token: the reference '@t.flie' leads nowhere: t.flie is not a key of the configuration; did you mean 't.file'?",
    ]


def test_the_root_template_is_checked_too(checkout: Checkout) -> None:
    write(checkout.directory / "command_args.yaml.j2", "g root:\n  value: {{ t.nmae }}\n")
    (line,) = problems(checkout, "g c: {}\n")
    assert "command_args.yaml.j2:2: the section 'g root'" in line
