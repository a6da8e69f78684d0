"""What `doctor` asks the cluster: whether there is one, whether it answers, what we may do there."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from projects.core.cli.doctor.findings import SECONDS, Finding, bounded, ok, problem, warning
from projects.core.values.errors import ForesailError

_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WRITES = (
    ("create", "", "namespaces"),
    ("delete", "", "namespaces"),
    ("create", "", "secrets"),
    ("create", "", "pods"),
    ("create", "apps", "deployments"),
    ("patch", "", "nodes"),
)
"""What most toolbox commands do: verb, group, resource. What one orchestration does is what its `--check` asks for."""
_SKEW = 30.0


def check() -> Iterator[Finding]:
    """Ask for the kubeconfig, then what it leads to."""
    from projects.core.cluster.kubeconfig import kubeconfig_files  # noqa: PLC0415 - this room imports yaml

    files = kubeconfig_files()
    present = [path for path in files if path.is_file()]
    if not present and not ("KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG")):
        text = f"there is none at {', '.join(map(str, files))}"
        yield warning("kubeconfig", text, "point KUBECONFIG at the cluster under test; a rehearsal needs none")
        return
    yield from _reach(present)


def _reach(files: list[Path]) -> Iterator[Finding]:
    where = ", ".join(map(str, files)) or "the pod's service account"
    # Before anything is asked: on a busy machine importing the client takes longer than an answer may.
    importlib.import_module("kubernetes.dynamic")
    try:
        session = bounded(_connect, "the kubeconfig")
    except (ForesailError, OSError) as error:
        yield problem(
            "kubeconfig", f"{where}: {error}", getattr(error, "hint", "") or "check it with `kubectl config view`"
        )
        return
    yield ok("kubeconfig", where)
    server = f"the API server at {session.address}"
    try:
        answer = bounded(lambda: session.send("GET", "/version", read_seconds=SECONDS, repeat=False), server)
        version = json.loads(answer.data).get("gitVersion", "of unknown version")
    except (ForesailError, OSError, ValueError) as error:
        advice = getattr(error, "hint", "") or "is it up, and is the network to it (VPN, proxy)? has the login expired?"
        yield problem("cluster", str(error), advice)
        return
    yield ok("cluster", f"{session.address} answers: Kubernetes {version}")
    yield from _skew(answer)
    yield from _permissions(session)


def _connect() -> Any:
    from projects.core.cluster.session import connect  # noqa: PLC0415 - imports the client

    return connect()


def _skew(answer: Any) -> Iterator[Finding]:
    with contextlib.suppress(TypeError, ValueError, AttributeError):  # a server need not say the time
        behind = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
        if abs(behind) > _SKEW:
            text = f"{abs(behind):.0f} s {'behind' if behind > 0 else 'ahead of'} the cluster's"
            yield warning("clock", text, "set it: times in the artifacts and certificates are compared")


def _permissions(session: Any) -> Iterator[Finding]:
    try:
        answers = bounded(lambda: [(each, _may(session, *each)) for each in _WRITES], session.address)
    except (ForesailError, OSError, ValueError, KeyError) as error:
        yield warning("permissions", f"could not be asked for: {error}", "ask the cluster's owner what you may do")
        return
    refused = [_named(*each) for each, allowed in answers if not allowed]
    if refused:
        advice = "`test.py ENTRYPOINT --check` tells which of them an orchestration needs"
        yield warning("permissions", f"not allowed: {', '.join(refused)}", advice)
    else:
        yield ok("permissions", f"allowed: {', '.join(_named(*each) for each in _WRITES)}")


def _may(session: Any, verb: str, group: str, resource: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = session.json("POST", _REVIEW, body=review, read_seconds=SECONDS, repeat=False)
    return bool(answer["status"]["allowed"])


def _named(verb: str, group: str, resource: str) -> str:
    return f"{verb} {resource}{f'.{group}' if group else ''}"
