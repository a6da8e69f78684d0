"""The API put together: one store, one registry, the rules, and the listeners that are part of kube-apiserver.

`server` and tests make an `Api`; `http` serves it; everything outside of this package uses its attributes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from projects.sim_cluster.api.admission import Admission
from projects.sim_cluster.api.admission_policies import AdmissionPolicies
from projects.sim_cluster.api.authorization import Authorizer
from projects.sim_cluster.api.builtin import builtin_kinds
from projects.sim_cluster.api.containers import Containers, NoContainers
from projects.sim_cluster.api.crds import CustomResources
from projects.sim_cluster.api.custom_definitions import check_definition
from projects.sim_cluster.api.definition_cleanup import DefinitionCleanup
from projects.sim_cluster.api.deletes import Deleter
from projects.sim_cluster.api.garbage import Garbage
from projects.sim_cluster.api.kinds import Kind, Registry
from projects.sim_cluster.api.logs import Logs
from projects.sim_cluster.api.openapi import Documents
from projects.sim_cluster.api.pod_security import PodSecurity
from projects.sim_cluster.api.protobuf import Decoder
from projects.sim_cluster.api.quotas import Quotas
from projects.sim_cluster.api.recorded import record
from projects.sim_cluster.api.resources import Resources
from projects.sim_cluster.api.reviews import answerers
from projects.sim_cluster.api.store import Store
from projects.sim_cluster.api.subresources import Subresources
from projects.sim_cluster.api.webhooks.hooks import Webhooks
from projects.sim_cluster.api.writes import Writer
from projects.sim_cluster.clock import Clock


def soon(work: Callable[[], None]) -> None:
    """Do some work after the current request, or now when no event loop runs."""
    try:
        asyncio.get_running_loop().call_soon(work)
    except RuntimeError:
        work()


class Api:
    """A simulated API server without its transport."""

    def __init__(self, clock: Clock, kinds: Iterable[Kind] = ()) -> None:
        self.clock = clock
        now = self.now = clock.now
        self.recorded = record()
        self.store, self.registry = Store(), Registry()
        for kind in (*builtin_kinds(self.recorded), *kinds):
            self.registry.add(kind)
        admission = Admission(self.store, self.registry, now)
        self.authorizer = Authorizer(self.store)
        self.webhooks = Webhooks(self.store, self.registry, self.authorizer, clock)
        writer = Writer(self.store, admission, self.webhooks, now)
        policies = AdmissionPolicies(self.store, self.registry, self.authorizer)
        writer.checks += [check_definition, admission.check_limits, PodSecurity(self.store).review, policies.review]
        Quotas(self.store, self.registry, writer, soon)
        deleter = Deleter(self.store, now)
        deleter.checks.append(policies.review)
        self.resources = Resources(self.store, self.registry, writer, deleter)
        self.subresources = Subresources(self.resources, now)
        self.resources.answerers.update(answerers(self.authorizer, now))
        self.resources.answerers["", "bindings"] = self.subresources.bind_named
        self.containers: Containers = NoContainers()
        self.documents = Documents(self.registry, self.recorded)
        CustomResources(self.store, self.registry, self.recorded.definitions, now)
        self.garbage = Garbage(self.store, self.registry, deleter, soon)
        DefinitionCleanup(self.store, self.registry, deleter, soon)
        self.protobuf = Decoder(self.recorded.messages, self.recorded.definitions.by_kind)

    @property
    def logs(self) -> Logs:
        """What reads the logs of pods."""
        return Logs(self.resources, self.containers, self.clock)
