"""What clients ask of kubelets on a real API: logs, exec, attach. Stands before the proxy; `cluster` puts it there.

Its nodes are only objects, so there is no kubelet that the API server could ask. These requests are answered by the code that
answers them on the simulated API, from a copy of the cluster's pods; whether somebody may ask is the real API's to say.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from projects.sim_cluster.api.application import Api
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.http import HttpApi
from projects.sim_cluster.api.kubeconfig import GROUP, USER
from projects.sim_cluster.behaviours.console import Console
from projects.sim_cluster.behaviours.interface import Batch, Cluster, Object, RefusedError
from projects.sim_cluster.behaviours.programs import Programs
from projects.sim_cluster.behaviours.resources import PODS
from projects.sim_cluster.clock import Clock
from projects.sim_cluster.over_http.cluster import path_of
from projects.sim_cluster.over_http.connection import Connection
from projects.sim_cluster.over_http.stamps import Stamps
from projects.sim_cluster.real_api.proxy import Proxy

_PATH: Final = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/]+)/(log|exec|attach)")
_STORAGE: Final = (PODS.group, PODS.name)
_ADMINISTRATOR: Final = {"subject": ((("commonName", USER),), (("organizationName", GROUP),))}


class PodCopies:
    """The pods of a cluster, kept as the simulated API keeps its own."""

    def __init__(self, clock: Clock, programs: Programs) -> None:
        self.api = Api(clock)
        self.api.containers = Console(programs)

    async def follow(self, cluster: Cluster) -> None:
        """Keep up with a cluster, for ever."""
        while True:
            try:
                async for batch in cluster.watch(PODS):
                    self._take(batch)
            except RefusedError:  # it was tried for long already; the API may still come back
                await cluster.sleep(1)

    def _take(self, batch: Batch) -> None:
        for happening in batch:
            if happening.type == "DELETED":
                self.drop(happening.object)
            else:
                self.keep(happening.object)

    def keep(self, pod: Object) -> None:
        """Take in a pod, without the owners that the copy does not have."""
        metadata = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
        self.api.store.put(_STORAGE, pod | {"metadata": metadata})

    def drop(self, pod: Object) -> None:
        """Forget a pod; another one of its name stays."""
        metadata = pod["metadata"]
        known = self.api.store.get(_STORAGE, metadata["namespace"], metadata["name"])
        if known is not None and known.object["metadata"]["uid"] == metadata["uid"]:
            self.api.store.remove(_STORAGE, known.object)


class Kubelets:
    """The ASGI application: a proxy whose nodes answer.

    Args:
      proxy: The way to the API.
      api: The API, asked as its administrator.
      copies: The pods.
      stamps: What the API's stamps mean to those who play.
    """

    def __init__(self, proxy: Proxy, api: Connection, copies: PodCopies, stamps: Stamps) -> None:
        self._proxy, self._api, self._copies, self._stamps = proxy, api, copies, stamps
        self._answering = HttpApi(copies.api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one stream."""
        asked = _PATH.fullmatch(scope["path"])
        refused = _NO_SOCKETS if asked is None else await self._refusal(scope, *asked.groups())
        if asked is not None and refused is None:
            await self._answering({**scope, "certificate": _ADMINISTRATOR}, receive, send)
        elif scope["type"] == "http" or refused is None:
            await self._proxy(scope, receive, send)  # which refuses in the words of the real API
        else:
            await refused(scope, receive, send)

    async def _refusal(self, scope: Scope, namespace: str, name: str, part: str) -> JSONResponse | None:
        """Return why a request is refused; None, and the copy of the pod as it is now, when it is not."""
        verb = "get" if scope["method"] == "GET" else "create"
        attributes = {"namespace": namespace, "name": name, "resource": PODS.name, "subresource": part, "verb": verb}
        if not scope.get("certificate") and not await self._proxy.may(scope["headers"], attributes):
            return _status(403, "Forbidden", f'pods "{name}" is forbidden: no permission for pods/{part}')
        try:
            pod = await self._api.ask("GET", path_of(PODS, namespace, name))
        except RefusedError as refused:
            return _status(404, refused.reason, str(refused))
        self._copies.keep(self._stamps.read(pod))
        return None


def _status(code: int, reason: str, message: str) -> JSONResponse:
    return JSONResponse(ApiError(code, reason, message).status(), code)


_NO_SOCKETS: Final = _status(501, "NotImplemented", "WebSockets are for exec and attach")
