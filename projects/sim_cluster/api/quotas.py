"""ResourceQuota: what a namespace may hold, kept count of with every write. Put together by `application`.

A ledger for each quota follows the store's changes, so a check costs what one object costs, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from projects.sim_cluster.api.admission_requests import AdmissionRequest
from projects.sim_cluster.api.at_once import at_once
from projects.sim_cluster.api.errors import forbidden
from projects.sim_cluster.api.identity import component
from projects.sim_cluster.api.kinds import Object, Registry
from projects.sim_cluster.api.limit_ranges import Amounts, added
from projects.sim_cluster.api.quantities import Quantity, amount
from projects.sim_cluster.api.requests import WriteOptions
from projects.sim_cluster.api.store import Change, Storage, Store
from projects.sim_cluster.api.usage import PODS, in_scope, unstated, usage_of
from projects.sim_cluster.api.writes import Writer

_QUOTAS: Final = ("", "resourcequotas")
_NOTHING: Final = Quantity(Decimal(0))


@dataclass
class Ledger:
    """What one quota allows and what is used of it."""

    quota: Object
    hard: Amounts
    used: Amounts = field(default_factory=dict)

    def usage(self, storage: Storage, obj: Object) -> Amounts:
        """Return what an object counts for in this quota."""
        if not in_scope(self.quota, storage, obj):
            return {}
        return {name: value for name, value in usage_of(storage, obj).items() if name in self.hard}

    def refusal(self, storage: Storage, obj: Object) -> str:
        """Return why an object does not fit any more; empty when it does."""
        asked, name = self.usage(storage, obj), self.quota["metadata"]["name"]
        if storage == PODS and in_scope(self.quota, storage, obj) and (why := unstated(obj["spec"], list(self.hard))):
            return f"failed quota: {name}: must specify {why}"
        over = [key for key, value in asked.items() if self.used[key].value + value.value > self.hard[key].value]
        said = (f"{word}: {_listed(amounts, over)}" for word, amounts in
                (("requested", asked), ("used", self.used), ("limited", self.hard)))  # fmt: skip
        return f"exceeded quota: {name}, " + ", ".join(said) if over else ""

    def status(self) -> Object:
        """Return the status of the quota."""
        return {part: {name: str(value) for name, value in sorted(amounts.items())}
                for part, amounts in (("hard", self.hard), ("used", self.used))}  # fmt: skip


def _listed(amounts: Amounts, names: list[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in sorted(names))


class Quotas:
    """The quotas of all namespaces."""

    def __init__(
        self, store: Store, registry: Registry, writer: Writer, later: Callable[[Callable[[], None]], object]
    ) -> None:
        self.store, self.registry, self.writer, self._later = store, registry, writer, later
        self._ledgers: dict[str, dict[str, Ledger]] = {}
        self._told: dict[tuple[str, str], str] = {}
        store.listeners.append(self.observe)
        writer.last_checks.append(self.check)

    def check(self, asked: AdmissionRequest) -> None:
        """Refuse a new object that does not fit into a quota of its namespace."""
        if asked.operation != "CREATE":
            return
        for ledger in self._ledgers.get(asked.namespace, {}).values():
            if why := ledger.refusal(asked.kind.storage, asked.after):
                raise forbidden(asked.kind, asked.name, why)

    def observe(self, change: Change) -> None:
        """Take note of one write."""
        namespace = change.now.object["metadata"].get("namespace", "")
        if change.storage == _QUOTAS:
            self._observe_quota(namespace, change)
        writer = "kube-apiserver" if change.type == "ADDED" else "kube-controller-manager"
        for name, ledger in self._ledgers.get(namespace, {}).items():
            gone = ledger.usage(change.storage, change.before.object) if change.before else {}
            come = ledger.usage(change.storage, change.now.object) if change.type != "DELETED" else {}
            if gone != come:
                taken = {key: Quantity(-value.value, value.form) for key, value in gone.items()}
                ledger.used = added(added(ledger.used, taken), come)
                self._tell(namespace, name, writer)

    def _observe_quota(self, namespace: str, change: Change) -> None:
        quota, name = change.now.object, change.now.object["metadata"]["name"]
        ledgers = self._ledgers.setdefault(namespace, {})
        if change.type == "DELETED":
            ledgers.pop(name, None)
            return
        old = change.before.object.get("spec") if change.before else None
        if change.before is not None and quota.get("spec") == old:
            return
        hard = {key: amount(value) for key, value in ((quota.get("spec") or {}).get("hard") or {}).items()}
        ledger = Ledger(quota, hard, dict.fromkeys(hard, _NOTHING))
        for kind in self.registry.stored_kinds():
            for stored in self.store.list(kind.storage, namespace) if kind.namespaced else ():
                if change.before is not None or stored is not change.now:  # a new one is counted below
                    ledger.used = added(ledger.used, ledger.usage(kind.storage, stored.object))
        ledgers[name] = ledger
        self._tell(namespace, name, "kube-controller-manager")

    def _tell(self, namespace: str, name: str, manager: str) -> None:
        first = not self._told
        self._told[namespace, name] = manager
        if first:
            self._later(self._write)

    def _write(self) -> None:
        """Write the status of the quotas whose count has changed."""
        told, self._told = self._told, {}
        kind = self.registry.for_storage(_QUOTAS)
        for (namespace, name), manager in told.items():
            ledger, stored = self._ledgers[namespace].get(name), self.store.get(_QUOTAS, namespace, name)
            if ledger is not None and stored is not None:
                options = WriteOptions(manager, component(manager), subresource="status", internal=True)
                at_once(self.writer.commit(kind, stored, stored.object | {"status": ledger.status()}, options))
