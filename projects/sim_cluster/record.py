"""Record what a real kube-apiserver says of itself: discovery, OpenAPI, table columns, protobuf numbers.

A developer runs it against the control plane (``python3 -m projects.sim_cluster.record KUBECONFIG BINARY``) when the
simulated API moves to a newer Kubernetes; the simulated API reads the file it writes and has no table of its own.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

from projects.sim_cluster.record_protobuf import messages

_POLICY = {
    "clusterroles": "ClusterRole", "clusterrolebindings": "ClusterRoleBinding", "roles": "Role", "rolebindings": "RoleBinding",
}  # fmt: skip
DESTINATION = Path(__file__).parent / "api" / "recorded"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def without_descriptions(schema: Any) -> Any:
    """Return a schema without its prose, which is nine tenths of the document."""
    if isinstance(schema, dict):
        return {
            key: without_descriptions(value)
            for key, value in schema.items()
            if not (key == "description" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [without_descriptions(value) for value in schema]
    return schema


class RealApi:
    """Raw GETs on the API that a kubeconfig names."""

    def __init__(self, kubeconfig: str) -> None:
        from kubernetes import client, config  # noqa: PLC0415 - heavy, and only this command needs it

        config.load_kube_config(kubeconfig)
        self._client = client.ApiClient()

    def get(self, path: str, accept: str = "application/json") -> Any:
        """Return the JSON at `path`."""
        return json.loads(self.read(path, accept))

    def read(self, path: str, accept: str = "application/json") -> bytes:
        """Return what is answered at `path`."""
        response = self._client.call_api(
            "GET", self._client.configuration.host + path, header_params={"Accept": accept}
        )
        return bytes(response.read())


def documents(api: RealApi, index: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI documents word by word: those of v3 by their path, and ``v2``."""
    found = {path: api.get(entry["serverRelativeURL"]) for path, entry in index["paths"].items()}
    return found | {"v2": api.get("/openapi/v2")}


def definitions(documents: dict[str, Any]) -> dict[str, Any]:
    """Return all named schemas. Those of OpenAPI v3 say which structs are always there (``default: {}``); v2's do not."""
    found: dict[str, Any] = {}
    for document in documents.values():
        found |= document.get("components", {}).get("schemas", {})
    return dict(sorted(without_descriptions(found).items()))


def storage_hashes(api: RealApi, groups: list[dict[str, Any]]) -> dict[str, str]:
    """Return what legacy discovery says of the version in which a resource is stored, by list path."""
    hashes = {}
    for group in groups:
        name = group["metadata"].get("name", "")
        for version in (entry["version"] for entry in group["versions"]):
            for entry in api.get(list_path(name, version, "").rstrip("/"))["resources"]:
                if said := entry.get("storageVersionHash"):
                    hashes[list_path(name, version, entry["name"])] = said
    return hashes


def wire(binary: Path, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the protobuf messages of the named schemas and of what these hold."""
    known = messages(binary)
    chosen: dict[str, Any] = {}
    pending = [name for name in schemas if name in known]
    while pending:
        name = pending.pop()
        if name in known and name not in chosen:
            chosen[name] = known[name]
            pending += [field[1].replace("[]", "").replace("{}", "") for field in known[name].values()]
    return dict(sorted(chosen.items()))


def list_path(group: str, version: str, resource: str) -> str:
    """Return the path that lists a resource in all namespaces."""
    return f"/apis/{group}/{version}/{resource}" if group else f"/api/{version}/{resource}"


def table_columns(api: RealApi, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the table columns of every resource that can be listed, by list path."""
    columns = {}
    for group in groups:
        for version in group["versions"]:
            for resource in version["resources"]:
                if "list" in resource["verbs"]:
                    path = list_path(group["metadata"].get("name", ""), version["version"], resource["resource"])
                    columns[path] = api.get(path, TABLE)["columnDefinitions"]
    return columns


def policy(api: RealApi) -> list[dict[str, Any]]:
    """Return the roles and bindings that the server makes of its own accord."""
    found = []
    for resource, kind in _POLICY.items():
        for obj in api.get(f"/apis/rbac.authorization.k8s.io/v1/{resource}?labelSelector=kubernetes.io/bootstrapping")[
            "items"
        ]:
            kept = {
                key: obj["metadata"][key]
                for key in ("name", "namespace", "labels", "annotations")
                if key in obj["metadata"]
            }
            rest = {key: obj[key] for key in ("aggregationRule", "rules", "roleRef", "subjects") if key in obj}
            found.append({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": kept, **rest})
    return found


def _write(name: str, document: dict[str, Any]) -> Path:
    path = DESTINATION / f"{name}.json.xz"
    path.write_bytes(lzma.compress(json.dumps(document, separators=(",", ":"), sort_keys=False).encode(), preset=9))
    return path


def record(kubeconfig: str, binary: Path) -> list[Path]:
    """Write the record of one API server and its OpenAPI documents; return the files' paths."""
    api = RealApi(kubeconfig)
    version = api.get("/version")
    groups = [*api.get("/api", AGGREGATED)["items"], *api.get("/apis", AGGREGATED)["items"]]
    index = api.get("/openapi/v3")
    described = documents(api, index)
    schemas = definitions(described)
    document = {
        "version": version,
        "groups": groups,
        "definitions": schemas,
        "messages": wire(binary, schemas),
        "columns": table_columns(api, groups),
        "storage_hashes": storage_hashes(api, groups),
        "root_paths": api.get("/")["paths"],
        "health": {path: api.read(f"/{path}?verbose").decode() for path in ("healthz", "livez", "readyz")},
        "policy": policy(api),
        "openapi": {path: entry["serverRelativeURL"] for path, entry in index["paths"].items()},
    }
    name = f"kubernetes-{version['major']}.{version['minor']}"
    texts = {path: json.dumps(found, separators=(",", ":")) for path, found in described.items()}
    return [_write(name, document), _write(f"{name}.openapi", texts)]


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - the command and its two arguments
        sys.exit(
            "usage: python3 -m projects.sim_cluster.record KUBECONFIG BINARY (of a real kube-apiserver without CRDs)"
        )
    print(*record(sys.argv[1], Path(sys.argv[2])), sep="\n")
