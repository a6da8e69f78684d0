"""An operator that does nothing, for tests of OLM itself: it has several versions, channels and all install modes."""

from __future__ import annotations

from typing import Final

from projects.sim_cluster.packages.custom_kind import CustomKind
from projects.sim_cluster.packages.package import Channel, OperatorPackage

EXAMPLE: Final = OperatorPackage(
    name="example-operator",
    display="Example Operator",
    channels=(Channel("stable", ("1.2.0", "1.1.0", "1.0.0")), Channel("fast", ("2.0.0", "1.2.0"))),
    kinds=(
        CustomKind(
            "example.foresail.io/v1",
            "Example",
            "examples",
            namespaced=True,
            example={"metadata": {"name": "example"}, "spec": {"size": 1}},
        ),
    ),
)
