"""Everything that a cluster holds, read through its API. Called by `verbs`; the cluster may be a simulated or a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects.sim_cluster.captures.errors import UnreachableError

Object = dict[str, Any]
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
_PAGE: Final = 500
_NOT_FOUND: Final = (404, 405, 501)


@dataclass(frozen=True)
class Saved:
    """An object, and the resource of which it is one."""

    group: str
    resource: str
    object: Object


def everything(kubeconfig: Path) -> list[Saved]:
    """Return every object that the API stores, once: the first of its faces, which is Kubernetes' own if it has one.

    Raises:
      UnreachableError: the API does not answer.
    """
    from kubernetes import client, config  # noqa: PLC0415 - heavy, and only this verb needs it
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - the same

    try:
        with config.new_client_from_config(str(kubeconfig)) as connection:
            found = _Reader(connection).everything()
    except (HTTPError, client.ApiException, config.ConfigException) as error:
        raise UnreachableError(f"the cluster of {kubeconfig.parent} does not answer: {error}") from None
    faces = (
        (saved.object["metadata"].get("uid"), saved) for saved in reversed(found)
    )  # one without a uid is not stored
    return list(reversed(list({uid: saved for uid, saved in faces if uid}.values())))


class _Reader:
    """Lists of one API."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def everything(self) -> list[Saved]:
        groups = [*self._get("/api", _DISCOVERY)["items"], *self._get("/apis", _DISCOVERY)["items"]]
        resources = sorted(
            ((group["metadata"].get("name", ""), *each) for group in groups for each in _preferred(group)),
            key=lambda each: (not _is_kubernetes(each[0]), each),
        )
        return [
            Saved(group, resource, obj)
            for group, resource, version, kind in resources
            for obj in self._list(group, version, resource, kind)
        ]

    def _list(self, group: str, version: str, resource: str, kind: str) -> Iterator[Object]:
        api_version = f"{group}/{version}" if group else version
        path = f"/apis/{api_version}/{resource}" if group else f"/api/{version}/{resource}"
        token = ""
        while True:
            page = self._get(f"{path}?limit={_PAGE}" + (f"&continue={token}" if token else ""))
            for item in page.get("items") or ():
                yield {"apiVersion": api_version, "kind": kind} | item
            if not (token := (page.get("metadata") or {}).get("continue", "")):
                return

    def _get(self, path: str, accept: str = "application/json") -> Object:
        from kubernetes.client import ApiException  # noqa: PLC0415 - loaded already

        try:
            answer = self._connection.call_api(
                "GET", self._connection.configuration.host + path, header_params={"Accept": accept}
            )
        except ApiException as error:
            if error.status in _NOT_FOUND:  # an aggregated API may be listed and not be there
                return {}
            raise
        return dict(json.loads(answer.read()))


def _preferred(group: Object) -> Iterator[tuple[str, str, str]]:
    """Yield each resource of a group that can be listed, in the first version that has it."""
    known = set()
    for version in group["versions"]:
        for resource in version.get("resources") or ():
            if "list" in resource["verbs"] and resource["resource"] not in known:
                known.add(resource["resource"])
                yield resource["resource"], version["version"], resource["responseKind"]["kind"]


def _is_kubernetes(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")
