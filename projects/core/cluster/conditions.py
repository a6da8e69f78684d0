"""What a wait waits for, as data: a judgement over the objects of a target. Called by `waiting` and the `wait` plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Literal

from projects.core.cluster.fields import field
from projects.core.cluster.readiness import has_failed, is_ready, standing
from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean
from projects.core.values.redaction import MASK, REDACTOR

Object = dict[str, Any]
Until = Literal["present", "absent", "ready"]
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Requirement:
    """One field and what it has to be.

    Args:
      path: The field, as `fields.field` reads it.
      values: Values of which it has to have one; text is compared with the field's text.
      exists: Whether it has to be set at all, instead of having one of the values.
      equal_to: Another field of the same object that it has to be equal to, instead.
      message: What to say when it is met, where a wait gives up because of it.
    """

    path: str
    values: tuple[Any, ...] = ()
    exists: bool | None = None
    equal_to: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Requirement:
        """Return the requirement that a mapping of a role describes.

        Raises:
          UsageError: it does not say what the field has to be.
        """
        chosen = [key for key in ("equals", "any_of", "exists", "equal_to") if document.get(key) is not None]
        if len(chosen) != 1:
            raise UsageError(f"the requirement on {document['path']} needs one of equals, any_of, exists and equal_to")
        values = document.get("any_of")
        return cls(
            path=str(document["path"]),
            values=tuple(values) if values is not None else (document.get("equals"),),
            exists=document.get("exists"),
            equal_to=document.get("equal_to"),
            message=document.get("message"),
        )

    def holds(self, thing: Object) -> bool:
        """Return whether an object meets it."""
        found = field(thing, self.path)
        if self.exists is not None:
            return self.exists == (found is not None and found not in ("", [], {}))
        if self.equal_to is not None:
            return (found or 0) == (field(thing, self.equal_to) or 0)
        return any(_same(found, value) for value in self.values)

    def found(self, thing: Object) -> str:
        """Return in words what an object has there instead."""
        paths = [self.path] if self.equal_to is None else [self.path, self.equal_to]
        return ", ".join(f"{path} is {_shown(thing, path)}" for path in paths)

    def __str__(self) -> str:
        """Return it in words."""
        if self.exists is not None:
            return f"{self.path} {'set' if self.exists else 'not set'}"
        if self.equal_to is not None:
            return f"{self.path} equal to {self.equal_to}"
        return f"{self.path} {' or '.join(map(_text, self.values))}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the objects found: done, failed for good, or waiting, with what is still missing in words."""

    done: bool
    lacking: str = ""
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What the objects of a target have to be.

    Args:
      until: Whether they have to exist, to be gone, or to be ready.
      where: What each has to be besides; all must hold.
      unless: What ends the wait at once when one of them is it.
      count: How many objects there have to be, all of them so; without it, all, and at least one.
      names: The only objects that are looked at, by name.
      uids: The only objects that are looked at, by uid; one made anew under the same name is another one.
    """

    until: Until = "present"
    where: Sequence[Requirement] = ()
    unless: Sequence[Requirement] = ()
    count: int | None = None
    names: frozenset[str] | None = None
    uids: frozenset[str] | None = None
    _shown: int = attribute(default=8, repr=False)

    def judge(self, objects: Sequence[Object]) -> Verdict:
        """Return the verdict on the objects of a target."""
        seen = self.of_interest(objects)
        for each in seen:
            if reason := self._failure(each):
                return Verdict(done=False, failed=f"{_called(each)}: {reason}")
        if self.until == "absent":
            return Verdict(not seen, self._listed("still there", seen))
        good = [each for each in seen if self._fulfils(each)]
        bad = [each for each in seen if each not in good]
        others = {str(each["metadata"]["name"]) for each in objects} - {str(each["metadata"]["name"]) for each in seen}
        return self._counted(good, bad, others)

    def of_interest(self, objects: Sequence[Object]) -> list[Object]:
        """Return the objects that are looked at."""
        return [
            each
            for each in objects
            if (self.names is None or each["metadata"]["name"] in self.names)
            and (self.uids is None or each["metadata"].get("uid") in self.uids)
        ]

    def __str__(self) -> str:
        """Return it in words, to stand after ``waiting for <target>``."""
        words = {"present": "to exist", "absent": "to be gone", "ready": "to be ready"}[self.until]
        if self.where:
            required = " and ".join(map(str, self.where))
            words = f"with {required}" if self.until == "present" else f"{words}, with {required}"
        return words

    def _counted(self, good: list[Object], bad: list[Object], others: set[str]) -> Verdict:
        if self.count is not None:
            there = f"{len(good)} of {self.count} are so; {self._listed('not yet', bad)}"
            return Verdict(len(good) == self.count and not bad, there)
        missing = sorted((self.names or frozenset()) - {each["metadata"]["name"] for each in (*good, *bad)})
        lacking = [f"not there: {', '.join(missing)}"] if missing else []
        if missing and (hint := did_you_mean(missing[0], others)):
            lacking[0] += f" ({hint})"
        if bad:
            lacking.append(self._listed("not yet", bad))
        if not good and not lacking:
            lacking.append("there is none")
        return Verdict(not lacking, "; ".join(lacking))

    def _fulfils(self, thing: Object) -> bool:
        return (self.until != "ready" or is_ready(thing)) and all(each.holds(thing) for each in self.where)

    def _failure(self, thing: Object) -> str | None:
        for each in self.unless:
            if each.holds(thing):
                return f"{each.message or each}; {standing(thing)}"
        return has_failed(thing) if self.until == "ready" else None

    def _listed(self, word: str, things: list[Object]) -> str:
        if not things:
            return "there is no other"
        shown = [f"{_called(each)} ({self._standing(each)})" for each in things[: self._shown]]
        more = len(things) - len(shown)
        return f"{word}: " + ", ".join(shown) + (f" and {more} more" if more else "")

    def _standing(self, thing: Object) -> str:
        """Return how an object stands: what it has instead of what is required, and what its conditions say of why."""
        if self.until == "absent":
            return standing(thing)
        wrong = [each.found(thing) for each in self.where if not each.holds(thing)]
        return "; ".join(wrong if wrong and is_ready(thing) else [*wrong, standing(thing)])


def _called(thing: Object) -> str:
    metadata = thing["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _same(found: Any, value: Any) -> bool:
    """Return whether a field has a value; YAML of a role may hold a number or a truth where the API holds text."""
    if found == value or found is None:
        return bool(found == value)
    return _text(found).lower() == _text(value).lower() if isinstance(value, bool) else _text(found) == _text(value)


def _shown(thing: Object, path: str) -> str:
    value = field(thing, path)
    if value is None:
        return "not set"
    if thing.get("kind") == "Secret":
        return MASK
    # Redacted before it is cut: half a secret would not be known any more.
    text = REDACTOR.redact(value if isinstance(value, str) else json.dumps(value, default=str)) or "empty"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
