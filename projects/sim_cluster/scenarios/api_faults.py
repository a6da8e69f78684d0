"""Faults of the API, as data: which requests are hurt, when, and how. Read by `reading`, done by `projects.sim_cluster.faults`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from projects.sim_cluster.scenarios.fields import Patterns, Probability, Seconds, Section

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]


class Requests(Section):
    """Which requests; a key that is not given fits every request."""

    verbs: tuple[Verb, ...] = ()
    """The API's verbs."""
    groups: tuple[str, ...] = ()
    """API groups; `""` is the core's."""
    resources: tuple[str, ...] = ()
    """Resources, such as `deployments`."""
    subresources: tuple[str, ...] = ()
    """Subresources, such as `status`; `""` is the object itself."""
    namespaces: Patterns = ()
    """Patterns of namespaces."""
    names: Patterns = ()
    """Patterns of names of objects; that of a created object is in the request's body."""
    user_agents: Patterns = ()
    """Patterns of what the client calls itself, such as `kubectl/*`."""
    about: tuple[Literal["objects", "discovery", "health"], ...] = ("objects",)
    """Whether requests about objects are meant, about what the API serves (`/apis`, `/openapi`, `/version`), about its health."""


class Times(Section):
    """How many times the very same request (verb, object, client) is hurt; a key that is not given sets no bound.

    Counted for each request of its own, so that what other clients do at the same time changes nothing.
    """

    first: int | None = Field(default=None, ge=1)
    """Only the first so many times that it is made."""
    every: int | None = Field(default=None, ge=1)
    """Only each so-manieth time: the first, and so on; 3 is the 1st, 4th, 7th."""


class When(Section):
    """When a fault is there, on the cluster's clock since its start; all the time unless something is given."""

    after: Seconds = 0.0
    """From when on."""
    until: Seconds | None = None
    """Until when."""
    once_seen: Requests | None = None
    """Not before such a request has been answered: what happens in the midst of a run, however fast that is."""


class ApiFault(Section):
    """What all faults of the API have: who is hurt, when, how often."""

    name: str = ""
    """What the fault is called where it is counted; by default what it does."""
    requests: Requests = Requests()
    """Which requests."""
    times: Times = Times()
    """How often."""
    when: When = When()
    """When."""
    probability: Probability = 1.0
    """How probable it is, for each time by itself; the seed decides."""


class TooManyRequests(ApiFault):
    """The server is busy: 429, and when to come back."""

    do: Literal["too-many-requests"]
    retry_after: int = Field(default=1, ge=0)
    """What `Retry-After` says, in seconds of the client's clock."""


class ServerError(ApiFault):
    """The server fails: 500."""

    do: Literal["server-error"]
    done: bool = False
    """Whether what was asked for has been done all the same."""
    message: str = "etcdserver: request timed out"
    """What it says."""


class Unavailable(ApiFault):
    """Nobody is behind the load balancer: 503."""

    do: Literal["unavailable"]
    by: Literal["load-balancer", "server"] = "load-balancer"
    """Who says it: a load balancer in HTML, or the API server with a `Status`."""
    retry_after: int | None = Field(default=None, ge=0)
    """What `Retry-After` says; the header is not there by default."""


class Latency(ApiFault):
    """The answer takes a while."""

    do: Literal["latency"]
    seconds: Seconds
    """How long, of the cluster's time."""
    jitter: Seconds = 0.0
    """Up to so much more; the seed decides."""


class Reset(ApiFault):
    """The connection is reset in place of an answer."""

    do: Literal["reset"]
    done: bool = False
    """Whether what was asked for has been done all the same."""


class Cut(ApiFault):
    """The answer breaks off in the middle of its body; what was asked for has been done."""

    do: Literal["cut"]
    clean: bool = False
    """Whether the connection ends as if all of it had come, and only the half document tells."""


class Hang(ApiFault):
    """No answer ever comes; the connection stays open."""

    do: Literal["hang"]


class WatchCut(ApiFault):
    """A watch ends too soon: in the midst of an event."""

    do: Literal["watch-cut"]
    events: int = Field(default=0, ge=0)
    """How many pieces of the stream come through before."""


class Expired(ApiFault):
    """What a list goes on from, or a watch begins at, is too old: 410. Hurts only what names a version or goes on."""

    do: Literal["expired"]
    in_stream: bool = False
    """Whether it is told by an event, as the API server does for a watch when it knows only later, and not by the status."""


class Unauthorized(ApiFault):
    """The credentials of the client have expired: 401."""

    do: Literal["unauthorized"]


AnyApiFault = Annotated[
    TooManyRequests | ServerError | Unavailable | Latency | Reset | Cut | Hang | WatchCut | Expired | Unauthorized,
    Field(discriminator="do"),
]
