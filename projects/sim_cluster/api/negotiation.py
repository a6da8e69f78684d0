"""What form an answer takes: JSON, YAML, a Table, metadata only; and whether people read it. Called by `http`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from starlette.requests import Request

from projects.sim_cluster.api.errors import not_acceptable

Form = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList"]
_AVAILABLE: Final = ("application/json", "application/yaml", "application/json;stream=watch")
_JSON: Final = frozenset({"application/json", "application/*", "*/*", ""})
_OF_PEOPLE: Final = ("curl", "Wget", "Mozilla/5.0")
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
"""What Go's ``strconv.ParseBool`` takes for true."""


@dataclass(frozen=True)
class Accepted:
    """The form that was chosen."""

    form: Form = ""
    yaml: bool = False
    pretty: bool = False


def is_for_people(request: Request) -> bool:
    """Return whether an answer is to be laid out: on request, and for browsers and command-line tools unless they say no."""
    if wanted := request.query_params.get("pretty"):
        return wanted in _TRUE
    return request.headers.get("user-agent", "").startswith(_OF_PEOPLE)


def accepted(request: Request) -> Accepted:
    """Return the first form of a request's Accept header that can be given."""
    return replace(_form(request.headers.get("accept", "")), pretty=is_for_people(request))


def _form(header: str) -> Accepted:
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
