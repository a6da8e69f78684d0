"""Where the API server is and how to speak to it: $KUBECONFIG, ~/.kube/config, or the pod that we run in.

Called by `session.connect`. Private keys that a kubeconfig holds inline go from memory into the TLS context; the client
library would write them to temporary files. The context is made once and shared by every connection and every fork.
"""

from __future__ import annotations

import base64
import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from projects.core.cluster.clock import EXTENSION
from projects.core.cluster.tls import ResumingContext, client_context
from projects.core.values.errors import InfrastructureError

_PATHS = {
    "clusters": ("cluster", ("certificate-authority",)),
    "users": ("user", ("client-certificate", "client-key", "tokenFile")),
}
_INLINE = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one API server: the client library's configuration, the TLS context, the context's namespace."""

    configuration: Any
    tls: ResumingContext | None
    namespace: str
    clock: str = ""
    """The path at which a simulated cluster tells its time, when it is to be waited for by that."""

    @property
    def address(self) -> str:
        """``host:port`` of the API server, for messages."""
        return str(urlsplit(self.configuration.host).netloc)


def kubeconfig_files(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the kubeconfig files that would be read, whether they exist or not."""
    named = [Path(name).expanduser() for name in environment.get("KUBECONFIG", "").split(os.pathsep) if name]
    return named or [Path("~/.kube/config").expanduser()]


def load_access(files: list[Path] | None = None) -> Access:
    """Return how to reach a cluster.

    Args:
      files: The kubeconfig's files; those of the environment when None.

    Raises:
      InfrastructureError: there is no kubeconfig, or it cannot be understood.
    """
    files = kubeconfig_files() if files is None else files
    present = [path for path in files if path.is_file()]
    if present:
        return _from_documents([_read(path) for path in present])
    if "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG"):
        return _from_pod()
    raise InfrastructureError(
        f"no cluster: there is no kubeconfig at {', '.join(map(str, files))}",
        hint="point KUBECONFIG at the kubeconfig of the cluster under test",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InfrastructureError(f"the kubeconfig cannot be read: {error}", place=path) from error
    if not isinstance(document, dict):
        raise InfrastructureError(
            f"the kubeconfig is not a mapping but {type(document).__name__}",
            place=path,
            hint="an empty file has no cluster in it",
        )
    for section, (kind, keys) in _PATHS.items():
        for entry in document.get(section) or []:
            body = entry.get(kind) or {}
            for key in keys:
                if body.get(key):
                    body[key] = str(path.parent.absolute() / body[key])  # relative to the file it stands in
    return document


def _merge(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge as kubectl does: the first file that names a thing wins."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for section in ("clusters", "users", "contexts"):
        named: dict[str, Any] = {}
        for document in documents:
            for entry in document.get(section) or []:
                named.setdefault(entry["name"], entry)
        merged[section] = list(named.values())
    merged["current-context"] = next((d["current-context"] for d in documents if d.get("current-context")), "")
    return merged


def _from_documents(documents: list[dict[str, Any]]) -> Access:
    from kubernetes.client import Configuration  # noqa: PLC0415 - 0.2 s, and listings import this room
    from kubernetes.config import ConfigException, load_kube_config_from_dict  # noqa: PLC0415

    merged = _merge(documents)
    context = _named(merged, "contexts", merged["current-context"]).get("context") or {}
    inline = _take_inline(merged, context)
    configuration = Configuration()
    try:
        load_kube_config_from_dict(merged, client_configuration=configuration, persist_config=False)
    except (ConfigException, OSError, ValueError) as error:
        raise InfrastructureError(
            f"the kubeconfig cannot be used: {error}", hint="check its current-context and credentials"
        ) from error
    cluster = _named(merged, "clusters", context.get("cluster", "")).get("cluster") or {}
    namespace = context.get("namespace") or "default"
    return Access(configuration, _tls(configuration, inline), namespace, _clock(cluster))


def _clock(cluster: dict[str, Any]) -> str:
    extensions = {each.get("name"): each.get("extension") or {} for each in cluster.get("extensions") or []}
    return str((extensions.get(EXTENSION) or {}).get("path") or "")


def _from_pod() -> Access:
    from kubernetes.client import Configuration  # noqa: PLC0415 - as above
    from kubernetes.config import ConfigException, load_incluster_config  # noqa: PLC0415

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException as error:
        raise InfrastructureError(f"the pod's service account cannot be used: {error}") from error
    namespace = _SERVICE_ACCOUNT / "namespace"
    return Access(configuration, _tls(configuration, {}), namespace.read_text().strip() if namespace.exists() else "")


def _named(merged: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    return next((entry for entry in merged[section] if entry["name"] == name), {})


def _take_inline(merged: dict[str, Any], context: dict[str, Any]) -> dict[str, bytes]:
    cluster = _named(merged, "clusters", context.get("cluster", "")).get("cluster") or {}
    user = _named(merged, "users", context.get("user", "")).get("user") or {}
    taken = {key: entry.pop(key) for entry in (cluster, user) for key in _INLINE if entry.get(key)}
    try:
        return {key: base64.b64decode(value) for key, value in taken.items()}
    except ValueError as error:
        raise InfrastructureError(f"the kubeconfig holds certificate data that is not base64: {error}") from error


def _tls(configuration: Any, inline: dict[str, bytes]) -> ResumingContext | None:
    if not configuration.host.startswith("https"):
        return None
    authority = inline.get("certificate-authority-data")
    try:
        context = client_context(
            None if authority else configuration.ssl_ca_cert, authority.decode() if authority else None
        )
        _load_client_certificate(context, configuration, inline)
    except (OSError, ValueError) as error:
        raise InfrastructureError(f"the kubeconfig's certificates cannot be loaded: {error}") from error
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    configuration.ssl_ca_cert = configuration.cert_file = configuration.key_file = None  # they are in the context
    return context


def _load_client_certificate(context: ssl.SSLContext, configuration: Any, inline: dict[str, bytes]) -> None:
    with contextlib.ExitStack() as stack:
        certificate, key = configuration.cert_file, configuration.key_file
        if data := inline.get("client-certificate-data"):
            certificate = stack.enter_context(_in_memory(data))
        if data := inline.get("client-key-data"):
            key = stack.enter_context(_in_memory(data))
        if certificate:
            context.load_cert_chain(certificate, key)


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """Yield a path under which `data` can be read once; OpenSSL takes a client certificate from a path only."""
    if not hasattr(os, "memfd_create"):  # macOS
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("foresail")
    try:
        os.write(descriptor, data)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
