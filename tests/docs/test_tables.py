from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from typing import Any

import pytest

from projects.core.cli.built_in import BUILT_IN
from projects.core.configuration import errors as configuration_errors
from projects.core.configuration.layers import Layer
from projects.core.library import commands, common, config, entrypoint, env, export, run, secrets, wait
from projects.core.record import failures, finish, junit, steps
from projects.core.record.verdict import MEANINGS
from projects.core.report import kpis
from projects.core.values import errors
from projects.core.values.checkout import ROOT
from projects.core.values.outcomes import ADVICE, SEVERITY, ExitCode, Status
from tests.docs.pages import page, plain

EXIT_CODES = page("docs/reference/exit-codes.md")
CLI = page("docs/reference/cli.md")
ERRORS = page("docs/reference/errors.md")
ENVIRONMENT = page("docs/reference/environment-variables.md")
RECORD = page("docs/reference/step-record.md")
ARTIFACTS = page("docs/reference/artifacts.md")
LIBRARY = page("docs/reference/library.md")
CONFIGURATION = page("docs/reference/configuration.md")


def test_the_exit_codes_and_their_meanings_are_those_of_the_code() -> None:
    rows = {int(row[0]): row[1] for row in EXIT_CODES.table("code", "meaning")}
    assert rows == {int(code): MEANINGS[code] for code in ExitCode}


def test_what_to_do_about_each_exit_code_is_what_the_code_says() -> None:
    rows = {int(row[0]): tuple(row[1:]) for row in EXIT_CODES.table("code", "who acts")}
    assert rows == {int(code): (each.who, each.look, each.go_on) for code, each in ADVICE.items()}


def test_the_verbs_of_runs_are_those_of_the_code() -> None:
    rows = [plain(row[0]).split()[1] for row in CLI.table("verb", "meaning") if "runs " in row[0]]
    assert rows == list(BUILT_IN["runs"].verbs)


def test_the_order_of_the_exit_codes_is_that_of_the_code() -> None:
    (line,) = re.findall(r"^`(0 < .*)`$", EXIT_CODES.text, re.MULTILINE)
    assert [int(number) for number in line.split(" < ")] == [int(code) for code in SEVERITY]


def tree() -> dict[str, tuple[str | None, str | None, int]]:
    """Return the drawn tree: for each error its parent, the builtin in brackets, and its exit code."""
    drawn = next(block.text for block in ERRORS.blocks if block.text.startswith("ForesailError"))
    found: dict[str, tuple[str | None, str | None, int]] = {}
    around: list[str] = []
    for line in filter(None, drawn.splitlines()):
        match = re.match(r"^(?P<indent>[│├└─ ]*)(?P<name>\w+)(?: \((?P<builtin>\w+)\))? +(?P<code>\d) ", line)
        assert match, line
        depth = len(match["indent"]) // 4
        around = around[:depth]
        found[match["name"]] = (around[-1] if around else None, match["builtin"], int(match["code"]))
        around.append(match["name"])
    return found


def public_errors() -> dict[str, type[BaseException]]:
    roots = (errors.ForesailError, errors.Stop)
    return {
        name: value
        for module in (errors, configuration_errors)
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, roots) and value.__module__ == module.__name__
    }


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    drawn = tree()
    known = public_errors()
    assert drawn.keys() == known.keys()
    for name, (parent, builtin, code) in drawn.items():
        bases = [base.__name__ for base in known[name].__bases__]
        assert parent is None or parent in bases, f"{name}: {bases}"
        others = [base for base in bases if base not in (parent, "Exception")]
        assert others == ([builtin] if builtin else []), name
        assert int(known[name].exit_code) == code, name  # type: ignore[attr-defined]


def test_each_error_that_says_what_to_do_exists() -> None:
    named = {name.strip("` ") for row in ERRORS.table("error", "look at") for name in row[0].split(",")}
    named = {name.removesuffix("` and below") for name in named}
    assert named <= public_errors().keys()


OWN_VARIABLE = re.compile(
    r"""["']((?:FORESAIL|TOPSAIL)_[A-Z_]*[A-Z])["']|environ(?:\.get\(|\[)["']([A-Z_]+)["']|["']([A-Z_]+)["'] in os\.environ"""
)
NOT_OURS = {"PATH", "PYTHONPATH", "LANG", "LC_ALL"}
"""What every program reads."""


def variables_in_the_code() -> set[str]:
    found = set(commands._REMOTE.values())
    found = {f"{prefix}{name}" for prefix in config.PREFIXES for name in found}
    found |= {
        f"{prefix}{name}"
        for prefix in config.PREFIXES
        for name in (config.FROM_CONFIG_FILE, config.FROM_COMMAND_ARGS_FILE)
    }
    for path in (path for room in ("core", "sim_cluster") for path in (ROOT / "projects" / room).rglob("*.py")):
        for groups in OWN_VARIABLE.findall(path.read_text(encoding="utf-8")):
            found |= {name for name in groups if name}
    return found - NOT_OURS


def test_the_table_of_environment_variables_is_that_of_the_code() -> None:
    rows = ENVIRONMENT.table("variable", "meaning")
    listed = {plain(row[0]) for row in rows if row[0].startswith("`")}
    also = {name for row in rows for name in re.findall(r"`(TOPSAIL_\w+)` is read too", row[1])}
    read = variables_in_the_code()
    assert {"KUBECONFIG", "FORESAIL_RECORD", "CI"} <= read, "what looks for variables finds too few"
    undocumented = read - listed - also
    assert undocumented == set()
    assert {name for name in listed | also if name not in read} == set()


def test_the_fields_of_the_record_are_those_of_the_code() -> None:
    assert {plain(row[0]) for row in RECORD.table("field", "type")} == {
        each.name for each in dataclasses.fields(steps.Step)
    }
    for each in dataclasses.fields(steps.Cause):
        assert f"`{each.name}`" in RECORD.text


def test_the_kinds_and_statuses_of_the_record_are_those_of_the_code() -> None:
    assert {plain(row[0]) for row in RECORD.table("kind", "what it is")} == set(typing.get_args(steps.Kind))
    assert {plain(row[0]) for row in RECORD.table("status", "meaning")} == {str(status) for status in Status}


def test_the_example_of_the_record_can_be_read(tmp_path: Any) -> None:
    example = next(block for block in RECORD.blocks if block.language == "json")
    (tmp_path / steps.FILE_NAME).write_text(example.text, encoding="utf-8")
    (step,) = steps.read_steps(tmp_path)
    assert step.status == Status.PASSED
    assert step.duration is not None


def test_the_files_of_a_run_are_named_as_in_the_code() -> None:
    for name in (
        steps.FILE_NAME,
        failures.FAILURE,
        failures.FAILURES,
        finish.FINISHED,
        junit.FILE_NAME,
        kpis.FILE_NAME,
        entrypoint.SKIPPED,
    ):
        assert f"`{name}`" in ARTIFACTS.text, name


def test_the_layers_are_named_as_in_the_code() -> None:
    named = [plain(row[0]) for row in CONFIGURATION.table("layer", "set by")]
    others = re.findall(r"\((?:layer )?`([a-zA-Z ]+)`\)", CONFIGURATION.prose)
    assert {*named, *others} >= {str(layer) for layer in Layer}
    assert set(named) <= {str(layer) for layer in Layer}


MODULES = {
    "env": env,
    "config": config,
    "run": run,
    "wait": wait,
    "export": export,
    "common": common,
    "entrypoint": entrypoint,
    "kpis": kpis,
    "secrets": secrets,
}


def signature_of(function: Any) -> str:
    """Return a signature as the library page writes it: names and defaults."""
    parts: list[str] = []
    parameters = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]
    before = None
    for each in parameters:
        if before is inspect.Parameter.POSITIONAL_ONLY is not each.kind:
            parts.append("/")
        if each.kind is inspect.Parameter.KEYWORD_ONLY and before not in (
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.VAR_POSITIONAL,
        ):
            parts.append("*")
        stars = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
        default = (
            "" if each.default is inspect.Parameter.empty else f"={'…' if each.default is ... else repr(each.default)}"
        )
        parts.append(f"{stars}{each.name}{default}")
        before = each.kind
    return f"({', '.join(parts)})"


def documented() -> dict[str, str]:
    found = (re.fullmatch(r"`([\w.]+)(\(.*\))?`", heading) for heading in LIBRARY.headings)
    return {match[1]: match[2] or "" for match in found if match}


def resolved(name: str) -> Any:
    module, *path = name.split(".")
    value: Any = MODULES[module]
    for step in path:
        value = config.Project if value is config and step == "project" else getattr(value, step)
    return value


@pytest.mark.parametrize("name", [name for name, signature in documented().items() if signature])
def test_signatures_of_the_library_are_those_of_the_code(name: str) -> None:
    assert documented()[name] == signature_of(resolved(name))


def test_everything_public_in_the_library_is_documented() -> None:
    names = documented()
    for short, module in MODULES.items():
        public = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__ and callable(value)
        ]
        elsewhere = {"Call", "CommandRun", "Declaration", "ParallelFailed", "Project", "project"}  # told in the text
        missing = [name for name in public if f"{short}.{name}" not in names and name not in elsewhere]
        assert missing == [], short


def test_the_methods_of_the_configuration_are_documented() -> None:
    for name in ("get_config", "get_secret", "set_config", "apply_preset", "apply_preset_from_pr_args", "command_args"):
        assert f"config.project.{name}" in documented()
