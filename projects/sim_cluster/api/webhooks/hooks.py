"""Admission webhooks at work: those that are configured are asked about a write. Called by `writes` and what is beside it.

Mutating ones are asked one after the other and see what those before have made of the object; validating ones are asked all
at once, and the first that refuses, in the order of the configurations, is the one that is told of. The order of things is
that of k8s.io/apiserver, pkg/admission/plugin/webhook/mutating and .../validating.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from collections.abc import Callable, Iterator
from typing import Final

from projects.sim_cluster.api.authorization import Authorizer
from projects.sim_cluster.api.kinds import Kind, Object, Registry
from projects.sim_cluster.api.store import Store
from projects.sim_cluster.api.webhooks.attributes import Attributes
from projects.sim_cluster.api.webhooks.calls import post
from projects.sim_cluster.api.webhooks.matching import GROUP, Invocation, Matcher, is_exempt, why_not_called
from projects.sim_cluster.api.webhooks.patching import operations_of, patched
from projects.sim_cluster.api.webhooks.reviews import (
    CallFailedError,
    Verdict,
    denial,
    failure,
    internal,
    no_dry_run,
    review,
    verdict,
)
from projects.sim_cluster.clock import Clock

log = logging.getLogger(__name__)
MUTATING: Final = (GROUP, "mutatingwebhookconfigurations")
VALIDATING: Final = (GROUP, "validatingwebhookconfigurations")
_WITHOUT_EFFECTS: Final = frozenset({"None", "NoneOnDryRun"})
_SECONDS: Final = 10
#: A webhook among all: the name of its configuration and its place there.
_Place = tuple[str, int]


class Webhooks:
    """The webhooks that a cluster is configured with."""

    def __init__(self, store: Store, registry: Registry, authorizer: Authorizer, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.matcher = Matcher(store, registry, authorizer)

    def concern(self, kind: Kind) -> bool:
        """Return whether there are any that may have to be asked about a kind."""
        return bool(self.store.count(MUTATING) or self.store.count(VALIDATING)) and not is_exempt(kind)

    async def admit(self, asked: Attributes, settle: Callable[[Object], Object], warnings: list[str]) -> None:
        """Ask all about something that is not stored, or goes: who changes it first, then who judges it."""
        await self.mutate(asked, settle, settle, warnings)
        await self.validate(asked, warnings)

    async def mutate(
        self,
        asked: Attributes,
        settle: Callable[[Object], Object],
        again: Callable[[Object], Object],
        warnings: list[str],
    ) -> None:
        """Let webhooks change the object of a request.

        Args:
          asked: The request.
          settle: Gives what was changed its types and its defaults.
          again: Does to what webhooks have changed what the server itself did before they were asked.
          warnings: What they warn of is added here.
        """
        rounds = _Rounds()
        await self._round(asked, settle, rounds, warnings)
        if not rounds.changed:
            return
        assert asked.object is not None  # it was changed
        left = copy.deepcopy(asked.object)
        asked.object = again(asked.object)
        if asked.object != left:
            rounds.change()
        await self._round(asked, settle, rounds, warnings, is_second=True)

    async def _round(
        self,
        asked: Attributes,
        settle: Callable[[Object], Object],
        rounds: _Rounds,
        warnings: list[str],
        *,
        is_second: bool = False,
    ) -> None:
        for place, hook in self._configured(MUTATING):
            found = self.matcher.invocation(hook, asked)
            if found is None or (is_second and place not in rounds.due):
                continue
            if await self._change(found, asked, settle, warnings):
                rounds.change()
            if hook.get("reinvocationPolicy") == "IfNeeded":
                rounds.asked.add(place)

    async def _change(
        self, found: Invocation, asked: Attributes, settle: Callable[[Object], Object], warnings: list[str]
    ) -> bool:
        """Ask one that may change the object; return whether it has."""
        hook = found.hook
        try:
            answer = await self._ask(found, asked, warnings, mutating=True)
            return bool(answer.patch) and _patched(found, asked, answer, settle)
        except CallFailedError as error:
            _forgive(hook, error)
            return False

    async def validate(self, asked: Attributes, warnings: list[str]) -> None:
        """Let webhooks refuse a request."""
        found = [self.matcher.invocation(hook, asked) for _place, hook in self._configured(VALIDATING)]
        chosen = [each for each in found if each is not None]
        told: list[list[str]] = [[] for _ in chosen]
        asking = (self._judge(each, asked, said) for each, said in zip(chosen, told, strict=True))
        results = await asyncio.gather(*asking, return_exceptions=True) if chosen else []
        for said in told:
            warnings += said
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _configured(self, storage: tuple[str, str]) -> Iterator[tuple[_Place, Object]]:
        """Yield the webhooks that can be called, in the order in which they are asked."""
        for stored in self.store.list(storage):
            for index, hook in enumerate(stored.object.get("webhooks") or ()):
                if not why_not_called(hook):
                    yield (stored.object["metadata"]["name"], index), hook

    async def _judge(self, found: Invocation, asked: Attributes, warnings: list[str]) -> None:
        try:
            await self._ask(found, asked, warnings, mutating=False)
        except CallFailedError as error:
            _forgive(found.hook, error)

    async def _ask(self, found: Invocation, asked: Attributes, warnings: list[str], *, mutating: bool) -> Verdict:
        """Return what a webhook says of a request that it allows; raise when it does not, or says nothing."""
        hook, uid = found.hook, str(uuid.uuid4())
        if asked.dry_run and hook.get("sideEffects") not in _WITHOUT_EFFECTS:
            raise no_dry_run(hook["name"])
        with self.clock.held():
            question = review(uid, asked, found.kind)
            answer = await post(hook["clientConfig"], question, hook.get("timeoutSeconds", _SECONDS))
        judged = verdict(uid, answer, mutating=mutating)
        warnings += judged.warnings
        if not judged.allowed:
            raise denial(hook["name"], judged.status)
        return judged


def _forgive(hook: Object, error: CallFailedError) -> None:
    """Let a request pass that a webhook could not be asked about, unless it has to be."""
    if hook.get("failurePolicy") != "Ignore":
        raise failure(hook["name"], error) from None
    log.warning("failed calling webhook %s, failing open: %s", hook["name"], error)


class _Rounds:
    """Which webhooks are asked a second time: those that want to, when another one changes what they have seen."""

    def __init__(self) -> None:
        self.changed = False
        self.asked: set[_Place] = set()
        self.due: set[_Place] = set()

    def change(self) -> None:
        """Take note that the object is another one than those who were asked so far have seen."""
        self.changed = True
        self.due |= self.asked
        self.asked.clear()


def _patched(found: Invocation, asked: Attributes, answer: Verdict, settle: Callable[[Object], Object]) -> bool:
    """Put the patched object into the request; return whether that is another one."""
    if not (operations := operations_of(answer)):
        return False
    if asked.object is None:
        why = "attempted to modify the object, which is not supported for this operation"
        raise internal(f'admission webhook "{found.hook["name"]}" {why}')
    before = asked.shown_as(found.kind, asked.object) or {}
    asked.object = settle(asked.shown_back(found.kind, patched(before, operations)))
    return bool(asked.object != asked.shown_back(found.kind, before))
