"""Entrypoints of an orchestration: `@entrypoint()` declares one, `main` is its command line.

`main` accepts the whole line before anything runs: the verb, its arguments by annotation, then the configuration.
Only then the function runs, as the outermost step of the record.
"""

from __future__ import annotations

import functools
import inspect
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from projects.core import console
from projects.core.library import config, env, resume
from projects.core.library.commands import HOST
from projects.core.library.options import RunOptions, run_options
from projects.core.library.post import post_steps
from projects.core.library.scope import StepScope
from projects.core.library.session import run_session
from projects.core.record import context
from projects.core.record.steps import Cause, Step, new_id, read_steps
from projects.core.record.verdict import within
from projects.core.toolbox import completion
from projects.core.toolbox.binding import Parameter, bind_line, parameters_of
from projects.core.toolbox.conversion import to_data
from projects.core.toolbox.help import command_help, listing, options_help, usage_of
from projects.core.toolbox.specification import read_docstring
from projects.core.values.errors import ForesailError, NothingRan, Stop, UsageError, explain
from projects.core.values.nearest import did_you_mean
from projects.core.values.outcomes import ExitCode, Status
from projects.core.values.redaction import REDACTOR

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
SKIPPED = "SKIPPED"
_MARK = "__foresail_entrypoint__"
_OPTIONS = parameters_of(run_options)
_inside: ContextVar[bool] = ContextVar("foresail_inside_entrypoint", default=False)
_line: ContextVar[str] = ContextVar("foresail_line", default="")
_OF_ONE_PROCESS = ("resume", "explain", "from_", "timeout", "grace", "trace")
"""Options that are not part of the line that does the same again: it may need more time than this process was given."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@entrypoint` was given, and the directory of the orchestration."""

    apply_preset_from_pr_args: bool
    may_be_empty: bool
    testing_dir: Path

    @property
    def project(self) -> str:
        """The name of the project that the orchestration is of."""
        return self.testing_dir.parent.name

    def initialise(self, settings: Sequence[str] = ()) -> None:
        """Make the run and load the configuration, with what `--set` says, unless that was done."""
        env.init()
        config.init(self.testing_dir, self.apply_preset_from_pr_args, settings=settings)


def entrypoint(
    ignore_secret_path: bool = False, apply_preset_from_pr_args: bool = True, *, may_be_empty: bool = False
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Declare a function as an entrypoint of the orchestration in its directory.

    It may be called like any function: from another entrypoint it is a step of that one; outside of `main`, it
    initialises the run and the configuration first.

    Args:
      ignore_secret_path: Accepted for TOPSAIL's sake: a missing secret fails what reads it, and nothing else.
      apply_preset_from_pr_args: Whether the presets that the pull request names are applied.
      may_be_empty: Whether it passes when it has recorded no step, as a cleanup that finds nothing does.
    """
    del ignore_secret_path

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        testing_dir = Path(inspect.getfile(function)).resolve().parent
        declaration = Declaration(apply_preset_from_pr_args, may_be_empty, testing_dir)

        @functools.wraps(function)
        def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            declaration.initialise()
            given = inspect.signature(function).bind(*args, **kwargs).arguments
            outermost, token = not _inside.get(), _inside.set(True)
            try:
                # `main` has installed the console; fire, whose boilerplate TOPSAIL has, knows nothing of secrets.
                with (
                    console.install() if outermost else nullcontext(),
                    StepScope(
                        "entrypoint",
                        function.__name__,
                        arguments=to_data(dict(given)),
                        project=declaration.project,
                        line=_line.get() if outermost else "",
                    ) as scope,
                    post_steps() if outermost else nullcontext(),
                ):
                    result = function(*args, **kwargs)
                    if outermost and not may_be_empty:
                        _prove_that_something_ran(scope.step)
                return result
            finally:
                _inside.reset(token)

        setattr(wrapper, _MARK, declaration)
        return wrapper

    return decorate


def main(*components: Any) -> int:
    """Run the entrypoint that the command line names.

    Args:
      *components: Functions, or one class whose instance holds the verbs as attributes.

    Returns:
      The exit code, by the table in docs/reference/exit-codes.md.
    """
    script, words = sys.argv[0], sys.argv[1:]
    try:
        if words[:1] == [completion.WORD]:
            return completion.print_completion(script, words[1:])
        call = _accept(script, _verbs(components), words)
        if call is None:
            return 0
        if call.options.planning:
            from projects.core.library.plans import plan_session  # noqa: PLC0415 - a run needs none of it

            return int(plan_session(call.run, options=call.options))
        return int(run_session(call.run, project=_project_of(call.function), options=call.options))
    except UsageError as error:
        print(REDACTOR.redact(explain(error)), file=sys.stderr)
        return int(ExitCode.USAGE)


@dataclass(frozen=True, slots=True)
class Call:
    """An accepted line: an entrypoint and its arguments, not yet run."""

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    options: RunOptions
    line: str
    """The shell line that does the same again, as a new run."""

    def run(self) -> Any:
        """Load the configuration, then run the entrypoint, unless `exec_list` skips it."""
        declaration: Declaration | None = getattr(self.function, _MARK, None)
        if declaration is not None:
            self._initialise(declaration)
            if reason := config.project.skip_reason(self.name):
                return _skip(self.name, declaration.project, reason)
        HOST.start()
        token = _line.set(self.line)
        try:
            with resume.goes_on(explain=self.options.explain, from_step=self.options.from_step):
                return self.function(**self.arguments)
        finally:
            _line.reset(token)

    def _initialise(self, declaration: Declaration) -> None:
        """Load the configuration; what is wrong with it is what the run fails by, so the record says it."""
        try:
            declaration.initialise(self.options.settings)
        except (ForesailError, Stop):
            with StepScope("entrypoint", self.name, project=declaration.project, line=self.line):
                raise


def _verbs(components: Sequence[Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions by the names that the line may use: dashes and underscores are the same."""
    found: dict[str, Callable[..., Any]] = {}
    for each in components:
        if inspect.isclass(each):
            instance = each()
            names = [name for name in {**vars(each), **vars(instance)} if not name.startswith("_")]
            found |= {name: getattr(instance, name) for name in names if callable(getattr(instance, name))}
        else:
            found[each.__name__] = each
    return found


def _accept(script: str, verbs: Mapping[str, Callable[..., Any]], words: Sequence[str]) -> Call | None:
    """Bind a line; None when it asked for help, which was printed."""
    wants_help = bool({"--help", "-h"} & set(words))
    if not words or (wants_help and words[0] in ("--help", "-h")):
        print(_overview(script, verbs), file=sys.stdout if wants_help else sys.stderr)
        if wants_help:
            return None
        raise UsageError("expected an entrypoint, found the end of the line")
    name = words[0].replace("-", "_")
    if name not in verbs:
        print(f"usage: {script} ENTRYPOINT [ARGUMENTS]", file=sys.stderr)
        raise UsageError(f"unknown entrypoint '{words[0]}'", hint=did_you_mean(name, verbs))
    own = parameters_of(verbs[name])
    if clash := [f"--{each.flag}" for key, each in own.items() if key in _OPTIONS]:
        raise UsageError(
            f"the entrypoint '{name}' declares {', '.join(clash)}, which every entrypoint takes already",
            hint="give its parameter another name",
        )
    if wants_help:
        print(command_help(f"{script} {name}", own, read_docstring(verbs[name]), bare=True))
        print("\n" + options_help(_OPTIONS, read_docstring(run_options)))
        return None
    given = _bind(f"{script} {name}", {**own, **_OPTIONS}, words[1:])
    options = {key: given.pop(key) for key in _OPTIONS if key in given}
    line = _line_of(script, words, options)
    return Call(name, verbs[name], given, run_options(**options), line)


def _line_of(script: str, words: Sequence[str], options: Mapping[str, Any]) -> str:
    """Return the shell line that does the same again as a new run."""
    dropped = [f"--{_OPTIONS[name].flag}" for name in _OF_ONE_PROCESS if name in options]
    kept, skip = [], False
    for word in words:
        flag, equals, _ = word.partition("=")
        if skip or flag in dropped:
            skip = not skip and not equals and flag != "--explain"
            continue
        kept.append(word)
    path = Path(script).absolute()
    runner = [str(path)] if os.access(path, os.X_OK) else [sys.executable, str(path)]
    return REDACTOR.redact(shlex.join([*runner, *kept]))


def _bind(script: str, parameters: Mapping[str, Parameter], words: Sequence[str]) -> dict[str, Any]:
    try:
        return bind_line(parameters, words)
    except UsageError:
        own = {name: each for name, each in parameters.items() if name not in _OPTIONS}
        print(f"{usage_of(script, own, bare=True)} [OPTIONS]", file=sys.stderr)
        raise


def _overview(script: str, verbs: Mapping[str, Callable[..., Any]]) -> str:
    rows = [(name, read_docstring(function).summary) for name, function in verbs.items()]
    return f"usage: {script} ENTRYPOINT [ARGUMENTS] [OPTIONS]\n\nentrypoints:\n{listing(rows)}\n\n{script} ENTRYPOINT --help tells more."


def _project_of(function: Callable[..., Any]) -> str:
    declaration: Declaration | None = getattr(function, _MARK, None)
    directory = declaration.testing_dir if declaration else Path(sys.argv[0]).resolve().parent
    return directory.parent.name


def _skip(name: str, project: str, reason: str) -> None:
    """Record that an entrypoint is skipped, and leave the marker that TOPSAIL leaves."""
    place = context.here()
    (place.directory / SKIPPED).write_text(f"{name}: {reason}\n", encoding="utf-8")
    step = Step(new_id(), place.step, "entrypoint", name, place.relative(place.directory), project=project)
    place.record.start(step)
    place.record.end(step, Status.SKIPPED, Cause("Skipped", reason, step.id, int(ExitCode.PASSED)))
    print(f"{name} is skipped: {reason}")


def _prove_that_something_ran(step: Step) -> None:
    inner = within(read_steps(context.here().record.root), {step.id})
    if all(each.kind == "entrypoint" for each in inner):
        raise NothingRan(
            f"nothing ran: the entrypoint '{step.name}' recorded no step",
            hint="a step is a NextArtifactDir, a Parallel or a toolbox command; a cleanup that may find nothing to do"
            " is declared with @entrypoint(may_be_empty=True)",
        )
