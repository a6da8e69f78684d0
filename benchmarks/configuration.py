"""The bars of the configuration: a lookup, and a large file loaded and checked. Called by ``python -m benchmarks``."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from jsonpath_ng import parse

from benchmarks.results import Figure
from projects.core.configuration.loading import Loaded, Sources, load
from projects.core.configuration.project import Project
from projects.core.configuration.resolved_files import ResolvedFiles

PRESETS, GROUPS, KEYS = 57, 7, 24


def measure() -> Iterator[Figure]:
    """Yield what a lookup and a change cost, and a 900-line file with 57 presets beside plain loads of its YAML."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "project" / "config.yaml"
        file.parent.mkdir()
        text = large()
        file.write_text(text, encoding="utf-8")
        loaded = load(Sources(file))
        pure = _best(lambda: yaml.load(text, Loader=yaml.SafeLoader), 1, 3)
        taken = _best(lambda: load(Sources(file)), 1, 7)
        yield Figure(f"{text.count(chr(10))} lines with {PRESETS} presets, loaded and checked", 1e3 * taken, "ms", 150)
        yield Figure("the same in plain loads by the pure-Python YAML loader", taken / pure, "")
        yield Figure("writing its resolved files for the first time", 1e3 * _writing(loaded, file.parents[1]), "ms")
        yield Figure("set_config, files written", 1e3 * _setting(loaded, file.parents[1]), "ms")
    yield from _lookups(loaded)


def large() -> str:
    """Return the text of a large configuration: 57 presets in chains of five, over 168 values."""
    leaves = "".join(f"  group{g}:\n" + "".join(f"    key{k}: value {k}\n" for k in range(KEYS)) for g in range(GROUPS))
    presets = "".join(_preset(number) for number in range(PRESETS))
    return f"ci_presets:\n  to_apply: [preset4]\n{presets}big:\n{leaves}"


def _preset(number: int) -> str:
    extends = f"    extends: [preset{number - 1}]\n" if number % 5 else ""
    values = "".join(f"    big.group{number % GROUPS}.key{k}: preset {number}\n" for k in range(11))
    return f"  preset{number}:\n{extends}{values}"


def _lookups(loaded: Loaded) -> Iterator[Figure]:
    get = Project(loaded, read_secret=lambda _key, _file, _variable: "").get_config
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        plain = _best(lambda: get("big.group0.key0"), 2000)
        jsonpath = _best(lambda: parse("big.group0.key0").find(loaded.configuration.data), 50)
        yield Figure("get_config of a text", 1e6 * plain, "µs", 5)
        yield Figure("get_config of a reference", 1e6 * _best(lambda: get("clusters.driver.is_metal"), 2000), "µs")
        yield Figure(f"get_config of a mapping of {KEYS}", 1e6 * _best(lambda: get("big.group0"), 500), "µs")
        yield Figure("a jsonpath_ng parse and find, in get_configs", jsonpath / plain, "")
    finally:
        logging.disable(level)


def _writing(loaded: Loaded, directory: Path) -> float:
    return _best(lambda: ResolvedFiles(directory).write(loaded.configuration), 1)


def _setting(loaded: Loaded, directory: Path) -> float:
    project = Project(loaded, read_secret=lambda _key, _file, _variable: "", files=ResolvedFiles(directory))
    numbers = iter(range(10**6))
    return _best(lambda: project.set_config("big.group0.key0", next(numbers), print=False), 50)


def _best(function: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Return the seconds a call takes, in the best of some rounds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            function()
        found.append((time.perf_counter() - started) / count)
    return min(found)
