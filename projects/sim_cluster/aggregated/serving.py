"""All that is answered here, put before an API. Called by `server`."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp

from projects.sim_cluster.aggregated.builds import BUILD_ROUTES
from projects.sim_cluster.aggregated.image_tags import TAG_ROUTES
from projects.sim_cluster.aggregated.layer import AggregatedLayer
from projects.sim_cluster.aggregated.users import USER_ROUTES
from projects.sim_cluster.parts import Parts

_NAME: Final = "openshift-apiserver"


def with_aggregated(parts: Parts) -> ASGIApp:
    """Return what answers for a cluster: on OpenShift with its aggregated API servers."""
    if parts.connect is None:
        return parts.http
    return AggregatedLayer(parts.http, parts.connect(_NAME), (*USER_ROUTES, *TAG_ROUTES, *BUILD_ROUTES))
