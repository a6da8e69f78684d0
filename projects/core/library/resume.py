"""Going on with an earlier run: which steps need not be done again, and why. Called by whatever in the library can be skipped.

What can be skipped is a toolbox command and a function declared `@run.step`. It is skipped when its last attempt passed and
all that decides what it does is as it was: where it stands in the orchestration (its path), its arguments, the code of its
role or function, and the configuration that it read. Secrets are masked in the record, so a changed secret alone is not seen.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from projects.core.configuration import reads
from projects.core.library import config
from projects.core.record import context
from projects.core.record.naming import find_step
from projects.core.record.steps import Cause, Kind, Step, new_id, redacted
from projects.core.record.verdict import ancestors, within
from projects.core.values.outcomes import Status
from projects.core.values.wording import in_words

RETURNED, READS = "returned", "reads"
"""Keys of a step's details: what it returned, and a digest of each configuration key that it read."""
_LOST = (Status.RUNNING, Status.INTERRUPTED, Status.CANCELLED)
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Settings:
    explain: bool = False
    from_step: str = ""
    again: frozenset[str] = frozenset()
    anew: str = ""


_NO_SETTINGS = _Settings()
_settings: ContextVar[_Settings] = ContextVar("foresail_resume", default=_NO_SETTINGS)


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides what a step does, besides where it stands.

    Attributes:
      kind: What the step is.
      name: Its name.
      occurrence: Which of the steps of this kind and name it is.
      arguments: What it is given, as data.
      digest: What stands for its code.
    """

    kind: Kind
    name: str
    occurrence: int
    arguments: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a step is done.

    Attributes:
      attempt: The number of the attempt that is to be made.
      reused: The earlier attempt that stands for it; None when it has to be done.
      reason: Why, in words; empty in a run that goes on with none.
      was_running: Whether its last attempt was cut off, so that its effect may be there.
    """

    attempt: int = 1
    reused: Step | None = None
    reason: str = ""
    was_running: bool = False


@contextmanager
def goes_on(*, explain: bool, from_step: str | None) -> Iterator[None]:
    """Take the options of a resumed run for what happens inside the block.

    Args:
      explain: Whether each decision is printed.
      from_step: The name or directory of the step from which on everything is done again.

    Raises:
      UsageError: there is no such step.
    """
    again: frozenset[str] = frozenset()
    if from_step:
        earlier = context.here().earlier
        wanted = find_step(earlier.steps, from_step)
        first = min(earlier.steps.index(each) for each in [wanted, *earlier.of(earlier.path(wanted.id))])
        again = frozenset(_with_those_around(earlier.steps, earlier.steps[first:]))
    token = _settings.set(_Settings(explain, from_step or "", again))
    try:
        yield
    finally:
        _settings.reset(token)


def _with_those_around(steps: Sequence[Step], chosen: Sequence[Step]) -> set[str]:
    """Return the ids of some steps and of those around them: one that is skipped would take what is inside along."""
    by_id = {step.id: step for step in steps}
    return {step.id for each in chosen for step in (each, *ancestors(each, by_id))}


@contextmanager
def anew(reason: str) -> Iterator[None]:
    """Skip nothing inside the block.

    Args:
      reason: Why, for the explanations.
    """
    token = _settings.set(replace(_settings.get(), anew=reason))
    try:
        yield
    finally:
        _settings.reset(token)


def decide(identity: Identity, *, code_of: Callable[[Step], str] = lambda step: step.digest) -> Decision:
    """Decide whether a step has to be done; say so when explanations are wanted.

    Args:
      identity: What decides what it does.
      code_of: Returns the digest that the code of a command has now, which was recorded inside of the step.
    """
    place = context.here()
    if not place.earlier:
        return Decision()
    attempts = place.earlier.of((*place.path, (identity.kind, identity.name, identity.occurrence)))
    decision = _judge(identity, attempts, code_of)
    if _settings.get().explain:
        done = decision.reused
        said = f"skipped: {decision.reason} ({done.directory})" if done else f"runs: {decision.reason}"
        print(f"resume: {identity.name}: {said}")
    return decision


def reuse(identity: Identity, decision: Decision) -> Step:
    """Record that an earlier attempt stands for a step; return that attempt."""
    assert decision.reused is not None
    place, done = context.here(), decision.reused
    step = Step(
        new_id(),
        place.step,
        identity.kind,
        identity.name,
        done.directory,
        dict(identity.arguments),
        occurrence=identity.occurrence,
        attempt=done.attempt,
        reuses=done.id,
        digest=identity.digest,
    )
    place.record.start(step)
    place.record.end(step, Status.SKIPPED, Cause("Reused", decision.reason, step.id, exit_code=0))
    return done


def directory_of(step: Step) -> Path:
    """Return the directory of an earlier step."""
    place = context.here()
    return (place.earlier.root or place.record.root) / step.directory


def marked(name: str, decision: Decision) -> str:
    """Return the name of a step's directory, which says so when it is not of the first attempt."""
    return name if decision.attempt == 1 else f"{name}__attempt_{decision.attempt}"


def digest_of(*parts: str | bytes) -> str:
    """Return what stands for some code: a digest of its texts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


@functools.cache
def digest_of_tree(directory: Path) -> str:
    """Return what stands for the files of a directory, such as a role."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return digest_of(*(part for path in files for part in (str(path.relative_to(directory)), path.read_bytes())))


def _judge(identity: Identity, attempts: Sequence[Step], code_of: Callable[[Step], str]) -> Decision:
    if not attempts:
        return Decision(reason="it has not run before")
    last = attempts[-1]
    following = 1 + max(each.attempt for each in attempts)
    if reason := _settings.get().anew:
        return Decision(following, reason=reason)
    if last.id in _settings.get().again:
        return Decision(following, reason=f"--from {_settings.get().from_step} asks for it")
    changed = _difference(identity, last)
    if changed is None and identity.kind == "step":
        changed = _changed_inside(last, code_of)
    if last.status != Status.PASSED:
        lost = last.status in _LOST and changed is None
        return Decision(following, reason=_ending(last), was_running=lost)
    if changed is None and identity.kind == "step" and RETURNED not in last.details:
        changed = "what it returned could not be recorded"
    if changed is None and not directory_of(last).is_dir():
        changed = f"its directory {last.directory} is gone"
    if changed is not None:
        return Decision(following, reason=changed)
    return Decision(following, last, f"passed in attempt {last.attempt}, and nothing has changed since")


def _ending(last: Step) -> str:
    if last.status == Status.RUNNING:
        return f"its attempt {last.attempt} was running when the run died"
    ended = "was " * (last.status in (Status.CANCELLED, Status.INTERRUPTED)) + in_words(last.status)
    return f"its attempt {last.attempt} {ended}"


def _difference(identity: Identity, last: Step) -> str | None:
    """Return in which way a step is not the one that it was."""
    if last.digest != identity.digest:
        return "its code has changed"
    before, now = _as_recorded(last.arguments), _as_recorded(identity.arguments)
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            return f"its argument {name} has changed: {_short(before.get(name))} -> {_short(now.get(name))}"
    for key, digest in last.details.get(READS, {}).items():
        if reads.digest_of(config.project, key) != digest:
            return f"the configuration {key}, which it read, has changed"
    return None


def _changed_inside(last: Step, code_of: Callable[[Step], str]) -> str | None:
    """Return which command inside of a step has another code than it had."""
    for each in within(context.here().earlier.steps, {last.id}):
        if each.kind == "command" and code_of(each) != each.digest:
            return f"the code of {each.name}, which ran in it, has changed"
    return None


def _as_recorded(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as the record holds them, with what is a secret by now masked on both sides."""
    recorded: dict[str, Any] = json.loads(json.dumps(redacted(arguments), default=str))
    return recorded


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
