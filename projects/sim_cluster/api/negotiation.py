"""What form an answer takes: JSON, YAML, a Table, metadata only. Called by `http` with the Accept header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from projects.sim_cluster.api.errors import not_acceptable

Form = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList"]
_AVAILABLE: Final = ("application/json", "application/yaml", "application/json;stream=watch")
_JSON: Final = frozenset({"application/json", "application/*", "*/*", ""})


@dataclass(frozen=True)
class Accepted:
    """The form that was chosen."""

    form: Form = ""
    yaml: bool = False


def accepted(header: str) -> Accepted:
    """Return the first form of an Accept header that can be given."""
    for part in header.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        options = dict(parameter.partition("=")[::2] for parameter in parameters)
        if media == "application/yaml" and "as" not in options:
            return Accepted(yaml=True)
        if media not in _JSON:
            continue
        match options.get("as", ""):
            case "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" if options.get("v", "v1") == "v1":
                return Accepted(options["as"])  # type: ignore[arg-type]
            case "APIGroupDiscoveryList" if options.get("v") == "v2":
                return Accepted("APIGroupDiscoveryList")
            case "":
                return Accepted()
    raise not_acceptable(_AVAILABLE)
