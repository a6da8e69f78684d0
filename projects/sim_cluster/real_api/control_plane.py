"""A real control plane on this machine: etcd, kube-apiserver, its controllers and scheduler, KWOK, Karpenter when asked.

Everything listens on 127.0.0.1 or on sockets in its directory, and ends with the thread that started it. Run by `cluster`.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from projects.sim_cluster.api.certificates import Authority
from projects.sim_cluster.api.kubeconfig import GROUP, USER, kubeconfig
from projects.sim_cluster.over_http.connection import Access, Connection
from projects.sim_cluster.real_api.binaries import API_SERVER, CONTROLLERS, ETCD, KARPENTER, KWOK, SCHEDULER, Binaries
from projects.sim_cluster.real_api.processes import ProcessEndedError, Processes
from projects.sim_cluster.real_api.stages import documents, stages

KARPENTER_NAMESPACE: Final = "karpenter"
_LOCAL: Final = "127.0.0.1"
_ATTEMPTS: Final = 3
_TAKEN: Final = "address already in use"
_START_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.05
#: etcd takes what follows unix:// for the name of a socket in its working directory, which is the API server's as well.
_ETCD_CLIENT: Final = "unix://etcd:1"
_ETCD_PEER: Final = "unix://etcd:2"
#: The client's own limits would be what is measured, not the control plane.
_UNTHROTTLED: Final = ("--kube-api-qps=2000", "--kube-api-burst=4000", "--leader-elect=false", "--secure-port=0")


class ControlPlaneError(Exception):
    """The control plane does not come up."""


class ControlPlane:
    """The processes of one control plane.

    Args:
      binaries: Where the programs are.
      directory: Where data, certificates and logs go; it exists and is the control plane's own.
      authority: Who signs the certificates of servers and of the administrator.
    """

    def __init__(self, binaries: Binaries, directory: Path, authority: Authority) -> None:
        self._binaries, self._directory, self._authority = binaries, directory, authority
        self._processes = Processes(directory)
        self._administrator = authority.for_client(USER, GROUP)
        self._port = 0

    @property
    def administrator(self) -> Access:
        """How its administrator gets in."""
        return Access(f"https://{_LOCAL}:{self._port}", self._authority.certificate, self._administrator)

    @property
    def anyone(self) -> Access:
        """How somebody gets in who brings credentials of their own."""
        return Access(f"https://{_LOCAL}:{self._port}", self._authority.certificate)

    async def start_api(self) -> None:
        """Start etcd and the API server, and wait until it serves and lets its administrator in."""
        for left in reversed(range(_ATTEMPTS)):
            self._write_keys()
            self._run_api()
            try:
                await self._answers("/readyz/poststarthook/rbac/bootstrap-roles")
            except ProcessEndedError as error:  # somebody else may have taken the port before the server did
                self._processes.stop()
                if not left or _TAKEN not in str(error):
                    raise
            else:
                return

    async def start_controllers(self) -> None:
        """Start the others, and wait until pods are accepted.

        The garbage collector sees definitions that are there already at once, later ones after half a minute.
        """
        self._run_controllers()
        for namespace in ("default", "kube-system"):
            await self._answers(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")

    def start_karpenter(self) -> None:
        """Start Karpenter with the provider whose machines KWOK plays; its kinds and its namespace are there."""
        self._processes.start(
            self._binaries.path(KARPENTER), "--disable-leader-election",
            environment={
                "KUBECONFIG": str(self._directory / "kubeconfig"), "SYSTEM_NAMESPACE": KARPENTER_NAMESPACE, "KARPENTER_SERVICE": "karpenter",
                "KUBERNETES_MIN_VERSION": "1.21", "METRICS_PORT": "0", "HEALTH_PROBE_PORT": "0",
            },
        )  # fmt: skip

    def stop(self) -> None:
        """End all of it; what stays is its logs."""
        self._processes.stop()
        self._tidy()

    def _tidy(self) -> None:
        for path in self._directory.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".log":
                path.unlink()

    def _write_keys(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy()  # one that was killed leaves its data
        self._port = _free_port()
        signing = ec.generate_private_key(ec.SECP256R1())
        private = signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        server = self._authority.for_server()
        self._write("ca.crt", self._authority.certificate)
        self._write("server.crt", server.certificate)
        self._write("server.key", server.key)
        self._write("accounts.key", private)
        access = kubeconfig(self.administrator.server, self._authority.certificate, self._administrator)
        self._write("kubeconfig", access.encode())

    def _write(self, name: str, content: bytes) -> None:
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _run(self, name: str, *arguments: str) -> None:
        self._processes.start(self._binaries.path(name), *arguments)

    def _run_api(self) -> None:
        self._run(
            ETCD, "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=error", "--name=0", f"--initial-cluster=0={_ETCD_PEER}",
            f"--listen-client-urls={_ETCD_CLIENT}", f"--advertise-client-urls={_ETCD_CLIENT}",
            f"--listen-peer-urls={_ETCD_PEER}", f"--initial-advertise-peer-urls={_ETCD_PEER}",
        )  # fmt: skip
        self._run(
            API_SERVER, f"--etcd-servers={_ETCD_CLIENT}", f"--bind-address={_LOCAL}", f"--secure-port={self._port}",
            "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt", "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=accounts.key",
            "--service-account-signing-key-file=accounts.key", "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true", "--endpoint-reconciler-type=none",
        )  # fmt: skip

    def _run_controllers(self) -> None:
        self._run(
            CONTROLLERS, "--kubeconfig=kubeconfig", *_UNTHROTTLED, "--service-account-private-key-file=accounts.key",
            "--use-service-account-credentials=false", "--root-ca-file=ca.crt",
            "--controllers=*,-node-ipam-controller,-cloud-node-lifecycle-controller,-ttl-controller",
        )  # fmt: skip
        self._run(SCHEDULER, "--kubeconfig=kubeconfig", *_UNTHROTTLED)
        self._write("kwok.yaml", documents(stages()).encode())
        self._run(
            KWOK, "--kubeconfig=kubeconfig", "--config=kwok.yaml", "--manage-all-nodes=true", "--node-lease-duration-seconds=40",
            f"--node-ip={_LOCAL}",
        )  # fmt: skip

    async def _answers(self, path: str) -> None:
        """Wait until there is something at a path."""
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        async with Connection(self.administrator) as api:
            while not await api.has(path):
                self._processes.check()
                if asyncio.get_running_loop().time() > deadline:
                    raise ControlPlaneError(
                        f"{path} was not there within {_START_SECONDS:.0f} s; the logs are in {self._directory}"
                    )
                await asyncio.sleep(_LOOK_SECONDS)  # noqa: TID251 - a server that does not listen yet tells nobody when it will


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOCAL, 0))
        port: int = probe.getsockname()[1]
        return port
