"""The lines of each script: what its words are, one after the other. Called by `__main__`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from projects.core.cli.built_in import BUILT_IN, is_built_in
from projects.core.cli.completing import flags, sources
from projects.core.cli.completing.sources import Candidate, Flag
from projects.core.toolbox.completion import SHELLS, WORD
from projects.core.toolbox.discovery import find_group, summaries
from projects.core.values.outcomes import ExitCode

_CLI = Path(__file__).parents[1]
_RUN_OPTIONS = _CLI.parent / "library" / "options.py", "run_options"
_FROM_CONFIG = ("project", "config_file", "command_args_file", "prefix", "suffix", "extra", "show_args")
_COMPLETION = Candidate(WORD, "print the completion script for a shell")


def candidates(script: Path, words: Sequence[str]) -> Iterator[Candidate]:
    """Yield what the last of the words behind a script may be."""
    if script.name == "run_toolbox.py":
        found = _toolbox(words)
    elif script.name == "run":
        found = _testing_run(words)
    else:
        found = _orchestration(script, words)
    return (each for each in found if each.word.startswith(words[-1]))


def _toolbox(words: Sequence[str]) -> Iterable[Candidate]:
    words = words[1:] if words[0] == "--check" and len(words) > 1 else words
    first, *rest = words
    if not rest:
        from_config = Candidate("from_config", "Run a command with the arguments of a project's configuration.")
        verbs = [Candidate(name, each.summary) for name, each in BUILT_IN.items()]
        return [*_groups(), from_config, *verbs, Candidate("--check"), flags.HELP]
    if first == "from_config":
        return _from_config(rest)
    if is_built_in(first):
        return _verb(first.replace("_", "-"), rest)
    group = find_group(first)
    if len(rest) == 1:
        return _described(group.commands)
    return _arguments([group.module], rest[0], rest[1:], places=False)


def _groups() -> list[Candidate]:
    return [Candidate(*each) for each in summaries()]


def _from_config(words: Sequence[str]) -> Iterable[Candidate]:
    named = [word for word in words[:-1] if not word.startswith("-")]
    if words[-1].startswith("-") or len(named) > 1:
        return flags.candidates([Flag(name, "str", positional=False) for name in _FROM_CONFIG], words, _values_of({}))
    return _described(find_group(named[0]).commands) if named else _groups()


def _verb(name: str, words: Sequence[str]) -> Iterable[Candidate]:
    verb = BUILT_IN[name]
    package = _CLI / verb.module
    modules = sorted(package.glob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
    if not verb.verbs:
        return _arguments(modules, verb.module, words)
    if len(words) == 1:
        return _described(verb.verbs)
    beside = _CLI / f"{words[0]}.py"  # where a verb of the group is that is more than a look
    return _arguments([*modules, *([beside] if beside.is_file() else [])], words[0], words[1:])


def _arguments(
    modules: Iterable[Path], function: str, words: Sequence[str], *, places: bool = True
) -> Iterable[Candidate]:
    found = [node for path in modules if (node := sources.function_in(path, function))]
    if not found:
        return []
    taken = sources.flags_of(found[0])
    return flags.candidates(taken, words, _values_of(flags.given(taken, words[:-1])), places=places)


def _orchestration(script: Path, words: Sequence[str]) -> Iterable[Candidate]:
    declared = {each.word: (each, node) for each, node in sources.entrypoints(script)}
    first, *rest = words
    if not rest:
        return [*(each for each, _ in declared.values()), _COMPLETION, flags.HELP]
    if first == WORD:
        return _shells(rest)
    if (name := first.replace("-", "_")) not in declared:
        return []
    options = sources.function_in(*_RUN_OPTIONS)
    taken = [*sources.flags_of(declared[name][1]), *(sources.flags_of(options) if options else [])]
    known = {**flags.given(taken, rest[:-1]), "project": script.parents[1].name}
    return flags.candidates(taken, rest, _values_of(known))


def _testing_run(words: Sequence[str]) -> Iterable[Candidate]:
    project, *rest = words
    scripts = sources.orchestrations()
    if not rest:
        return [*map(Candidate, scripts), _COMPLETION, flags.HELP]
    if project == WORD:
        return _shells(rest)
    name, *behind = rest
    if not behind:
        return [Candidate(path.stem) for path in scripts.get(project, ())]
    script = next((path for path in scripts.get(project, ()) if name in (path.stem, path.name)), None)
    if script is None or script.suffix != ".py":
        return []
    return (each for each in _orchestration(script, behind) if each is not _COMPLETION)


def _shells(words: Sequence[str]) -> Iterable[Candidate]:
    return map(Candidate, SHELLS) if len(words) == 1 else ()


def _values_of(given: Mapping[str, str]) -> flags.Values:
    """Return what tells the values that an argument may have: by its name, and by what the line has already."""
    project, directory = given.get("project", ""), given.get("directory") or given.get("resume") or "."

    def values(flag: Flag) -> Iterable[str]:
        if flag.name == "project":
            return sources.orchestrations()
        if flag.name == "preset":
            return sources.presets(project)
        if flag.name == "key":
            return sources.keys(project)
        if flag.name == "set":
            return [f"{key}=" for key in sources.keys(project)]
        if flag.name == "code":
            return [str(int(code)) for code in ExitCode]
        return sources.steps(Path(directory)) if flag.name in ("step", "from") else ()

    return values


def _described(lines: Mapping[str, str]) -> list[Candidate]:
    return [Candidate(*each) for each in lines.items()]
