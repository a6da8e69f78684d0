"""What a write is warned of, and that who refuses one says it too. Called by `writes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from projects.sim_cluster.api.admission_validation import unsupported_expressions
from projects.sim_cluster.api.custom_definitions import definition_warnings
from projects.sim_cluster.api.errors import ApiError
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.pod_warnings import pod_warnings
from projects.sim_cluster.api.validation import differs
from projects.sim_cluster.api.webhooks.matching import not_called


@contextmanager
def telling() -> Iterator[list[str]]:
    """Collect warnings; who refuses a write tells what was warned of until then."""
    warnings: list[str] = []
    try:
        yield warnings
    except ApiError as refused:
        refused.warnings = [*warnings, *refused.warnings]
        raise


def doubtful(kind: Kind, old: Object | None, after: Object) -> Iterable[str]:
    """Return the warnings about an object that is new or, unless it is a pod, has changed in more than its metadata."""
    if kind.kind == "CustomResourceDefinition":
        return definition_warnings(after)
    if kind.kind == "ValidatingAdmissionPolicy":
        return unsupported_expressions(after)
    if kind.kind in {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}:
        return not_called(after)
    if kind.custom or (old is not None and (kind.kind == "Pod" or not differs(old, after))):
        return ()
    return pod_warnings(after, kind)
