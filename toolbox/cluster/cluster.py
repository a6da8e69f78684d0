"""Toolbox commands that act on the cluster under test as a whole: its environment, nodes, operators and projects."""

# ruff: noqa: ARG002, PLR0913, PLR0917 - the signatures are declarations; the roles use the arguments

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from projects.core.toolbox import command
from projects.core.values.errors import UsageError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 52  # the pods of a DaemonSet have a suffix of their own
_TAINT = re.compile(r"(?P<key>[^=:\s]+)(=(?P<value>[^=:\s]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of nodes."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        """Return it as `parse` reads it."""
        return f"{self.key}={self.value}:{self.effect}"

    @classmethod
    def parse(cls, text: str) -> Taint:
        """Return the taint that is written as ``key=value:Effect``."""
        found = _TAINT.fullmatch(text)
        if not found:
            raise ValueError("a taint is key=value:Effect, with the effect NoSchedule, PreferNoSchedule or NoExecute")
        return cls(found["key"], found["value"] or "", found["effect"])


class Cluster:
    """Act on the cluster under test."""

    @command
    def capture_environment(self) -> None:
        """Capture what the cluster is: versions, nodes, machines, operators, and the version of Foresail.

        Works on OpenShift and on plain Kubernetes; what the cluster does not have is skipped and noted in
        `_capture.yaml`.

        Raises:
          CommandFailed: the cluster is unreachable, or something that is there could not be read. What could be read
            is in the artifact directory all the same.
        """

    @command
    def set_scale(
        self,
        instance_type: str,
        scale: int,
        base_machineset: str = "",
        force: bool = False,
        taint: Taint | None = None,
        name: str = "",
        spot: bool = False,
        disk_size: int | None = None,
        ibm: bool | None = None,
    ) -> None:
        """Ensure that exactly `scale` nodes of one machine type are ready.

        The first MachineSet of the type is scaled; where there is none, one is derived from a MachineSet of workers.
        Machines of the control plane do not count.

        Args:
          instance_type: Cloud machine type, such as ``m6i.2xlarge`` (AWS) or ``bx2-8x32`` (IBM Cloud).
          scale: Number of ready nodes wanted. Zero removes them all.
          base_machineset: MachineSet from which a new one is derived; one of workers when empty.
          force: Allow reducing the other MachineSets of the type to zero, where they hold more machines than wanted.
          taint: Taint of the nodes of a new MachineSet, as ``key=value:Effect``.
          name: Name of a new MachineSet; made of the base's name and the type when empty. One of that name that has
            another type is deleted first.
          spot: Ask for spot instances in a new MachineSet (AWS).
          disk_size: Size of the root disk in a new MachineSet, in GiB (AWS).
          ibm: Insist on IBM Cloud, or on another one; the base MachineSet says which it is.

        Raises:
          UsageError: `scale` or `disk_size` is negative.
          CommandFailed: the nodes were not ready in time; the error names those that are not.
        """
        if scale < 0:
            raise UsageError(f"scale: expected a number of nodes, found {scale}")
        if disk_size is not None and disk_size <= 0:
            raise UsageError(f"disk_size: expected a size in GiB, found {disk_size}")
        if not instance_type:
            raise UsageError("instance_type: expected a machine type, found nothing")

    @command
    def deploy_operator(
        self,
        catalog: str,
        manifest_name: str,
        namespace: str,
        version: str = "",
        channel: str = "",
        installplan_approval: Literal["Manual", "Automatic"] = "Manual",
        catalog_namespace: str = "openshift-marketplace",
        deploy_cr: int | bool = False,
        namespace_monitoring: bool = False,
        all_namespaces: bool = False,
        config_env_names: list[str] | None = None,
        csv_base_name: str | None = None,
    ) -> None:
        """Install an operator from an OLM catalog and wait until it has succeeded.

        Args:
          catalog: The CatalogSource, such as ``certified-operators``.
          manifest_name: Name of the operator's package in the catalog.
          namespace: Namespace of the operator, made when it is missing. ``all`` stands for ``openshift-operators``,
            where operators watch all namespaces.
          version: Version to install, which needs `channel`; the channel's newest when empty.
          channel: Channel to install from; the package's default one when empty. ``?`` fails with a list of them.
          installplan_approval: Whether later versions wait for an approval. The version that is asked for is
            approved here in any case.
          catalog_namespace: Namespace of the catalog.
          deploy_cr: Make an example of the operator's custom resources: true for the first one that its
            ClusterServiceVersion carries, or the number of one, from 0.
          namespace_monitoring: Label the namespace so that OpenShift's monitoring scrapes it.
          all_namespaces: Let the operator watch all namespaces, not only its own.
          config_env_names: Environment variables to set to ``true`` in the operator.
          csv_base_name: What the ClusterServiceVersion is called before its version, where that is not the name of
            the channel's newest and the catalog does not list the versions.

        Raises:
          UsageError: a version without a channel.
          CommandFailed: the operator did not get there in time, or failed; the error says at which point and why.
        """
        if version and not channel:
            raise UsageError(f"version {version} needs a channel", hint="--channel='?' lists the channels")
        if version and channel == "?":
            raise UsageError("channel '?' lists the channels; it cannot be combined with a version")
        _check_namespace(namespace)

    @command
    def set_project_annotation(
        self,
        key: str,
        value: str | None = None,
        project: str | None = None,
        all: bool = False,  # noqa: A002 - the argument's name is known to users
    ) -> None:
        """Set or remove an annotation of a project, or of all projects that will be made.

        Args:
          key: The annotation.
          value: Its value. Without one the annotation is removed.
          project: The project.
          all: Change the template of new projects instead.

        Raises:
          UsageError: neither or both of `project` and `all` are given.
        """
        if bool(project) == all:
            raise UsageError(
                "expected one of project and all", hint="--project=NAME, or --all for the projects to come"
            )
        if not key:
            raise UsageError("key: expected the name of an annotation, found nothing")

    @command(directory_suffix="_{name}")
    def preload_image(
        self,
        name: str,
        image: str,
        namespace: str = "default",
        node_selector_key: str = "",
        node_selector_value: str = "",
        pod_toleration_key: str = "",
        pod_toleration_effect: str = "",
        run_as_user: int | str = "10001",
    ) -> None:
        """Have an image pulled on nodes before the test needs it, with a DaemonSet that is deleted afterwards.

        Args:
          name: Name of the DaemonSet.
          image: The image.
          namespace: Namespace of the DaemonSet; it has to exist.
          node_selector_key: Label of the nodes; all nodes that take the pod when empty.
          node_selector_value: Value of that label.
          pod_toleration_key: Key of a taint to tolerate.
          pod_toleration_effect: Effect of that taint; every effect when empty.
          run_as_user: User id of the container; the image's own when empty.

        Raises:
          UsageError: `name` is no name for a DaemonSet, `run_as_user` no number, or a value is given without its key.
          CommandFailed: no node matched, or the image was not pulled in time.
        """
        if not _LABEL.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise UsageError(f"name: expected lower-case letters, digits and dashes (at most 52), found {name!r}")
        if str(run_as_user) and not str(run_as_user).isdecimal():
            raise UsageError(f"run_as_user: expected a number, found {run_as_user!r}")
        if node_selector_value and not node_selector_key:
            raise UsageError("node_selector_value needs node_selector_key")
        if pod_toleration_effect and not pod_toleration_key:
            raise UsageError("pod_toleration_effect needs pod_toleration_key")

    @command(directory_suffix="_{name}")
    def delete_object(self, kind: str, name: str, namespace: str | None = None, api_version: str | None = None) -> None:
        """Delete one object and wait until it is gone; one that does not exist is no failure.

        Args:
          kind: Its kind, such as ``DaemonSet``.
          name: Its name.
          namespace: Its namespace, of a kind that has one; that of the kubeconfig's context by default.
          api_version: Its API version, such as ``apps/v1``, when the kind alone does not tell.

        Raises:
          CommandFailed: it is still there after five minutes; the error says what holds it.
        """


def _check_namespace(namespace: str) -> None:
    if not _LABEL.fullmatch(namespace):
        raise UsageError(f"namespace: expected lower-case letters, digits and dashes, found {namespace!r}")
