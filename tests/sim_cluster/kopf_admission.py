"""An operator on kopf that admits its resources, as its users write them: run by `test_kopf_admission` on both APIs."""

import os
from pathlib import Path
from typing import Any

import kopf

GROUP, VERSION, PLURAL = "admission.kopf.example.dev", "v1", "boxes"
_LARGEST = 5


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    here = Path(os.environ["CERTIFICATES"])
    settings.admission.server = kopf.WebhookServer(
        addr="127.0.0.1",
        host="127.0.0.1",
        cafile=here / "cafile",
        certfile=here / "certfile",
        pkeyfile=here / "pkeyfile",
    )
    settings.admission.managed = os.environ["MANAGED"]


@kopf.on.mutate(GROUP, VERSION, PLURAL, operations=["CREATE", "UPDATE"])
def fill(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    if "colour" not in spec:
        patch.spec["colour"] = "grey"


@kopf.on.validate(GROUP, VERSION, PLURAL)
def check(spec: kopf.Spec, warnings: list[str], **_: Any) -> None:
    if spec["size"] > _LARGEST:
        raise kopf.AdmissionError(f"{spec['size']} is too large", code=422)
    if spec["size"] == _LARGEST:
        warnings.append("as large as can be")
