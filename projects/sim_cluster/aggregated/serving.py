"""All that is answered here, put before an API. Called by `server`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import ASGIApp

from projects.sim_cluster.aggregated.builds import BUILD_ROUTES
from projects.sim_cluster.aggregated.image_tags import TAG_ROUTES
from projects.sim_cluster.aggregated.layer import AggregatedLayer
from projects.sim_cluster.aggregated.users import USER_ROUTES
from projects.sim_cluster.monitoring.answers import prometheus_routes
from projects.sim_cluster.monitoring.history import History
from projects.sim_cluster.parts import Parts

_NAME: Final = "openshift-apiserver"
_MONITORING: Final = "prometheus-k8s"


@asynccontextmanager
async def with_aggregated(parts: Parts) -> AsyncIterator[ASGIApp]:
    """Give what answers for a cluster: on OpenShift with its aggregated API servers and its monitoring, until the block ends."""
    if parts.connect is None:
        yield parts.http
        return
    async with History(parts.connect(_MONITORING)) as history:
        routes = (*USER_ROUTES, *TAG_ROUTES, *BUILD_ROUTES, *prometheus_routes(history))
        yield AggregatedLayer(parts.http, parts.connect(_NAME), routes)
