"""Routes: the default router admits each one and gives it a host."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.resources import ROUTES
from projects.sim_cluster.behaviours.unit import Behaviour, World

DOMAIN: Final = "apps.sim.example.com"


async def admit(world: World, route: Object) -> None:
    """Give a route its host, and say that it is admitted."""
    metadata, spec = route["metadata"], route.get("spec") or {}
    if not spec.get("host"):
        host = f"{metadata['name']}-{metadata['namespace']}.{DOMAIN}"
        to = {"kind": "Service", "weight": 100} | (spec.get("to") or {})
        patch: Object = {
            "metadata": {"annotations": {"openshift.io/host.generated": "true"}},
            "spec": {"host": host, "wildcardPolicy": "None", "to": to},
        }
        route = await world.patch(ROUTES, route, patch)
    if (route.get("status") or {}).get("ingress"):
        return
    await world.set_status(ROUTES, route, {"ingress": [admitted(route, world.timestamp)]})


def admitted(route: Object, now: str) -> Object:
    """Return what the default router says of a route that it has admitted."""
    condition = {"type": "Admitted", "status": "True", "lastTransitionTime": now}
    return {"host": route["spec"]["host"], "routerName": "default", "routerCanonicalHostname": f"router-default.{DOMAIN}",
            "wildcardPolicy": "None", "conditions": [condition]}  # fmt: skip


ROUTE: Final = Behaviour("routes", ROUTES, admit)
