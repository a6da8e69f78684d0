"""The log of a container, as far as it is asked for: the last lines, since a time, of the start before, or for as long as it runs.

`http` calls `log_options` and `Logs.read`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from projects.sim_cluster.api.containers import Containers, chosen, status_of
from projects.sim_cluster.api.errors import ApiError, bad_request, forbidden_change, invalid, invalid_value
from projects.sim_cluster.api.kinds import Kind, Object
from projects.sim_cluster.api.resources import Resources
from projects.sim_cluster.api.routing import flag, integer
from projects.sim_cluster.api.store import Change
from projects.sim_cluster.api.timestamps import seconds_of
from projects.sim_cluster.clock import Clock

_PULLS: Final = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
_FORMAT: Final = "2006-01-02T15:04:05Z07:00"
Line = tuple[float, str]


@dataclass(frozen=True)
class LogOptions:
    """Which part of which log is asked for, and how."""

    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    limit: int | None = None
    since: float | None = None


def log_options(query: Mapping[str, str], kind: Kind, name: str, now: float) -> LogOptions:
    """Return the options of a request; raise when they do not fit."""
    tail, limit, ago = (_number(query, key) for key in ("tailLines", "limitBytes", "sinceSeconds"))
    since, text = None if ago is None else now - ago, query.get("sinceTime", "")
    if text:
        try:
            since = datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise bad_request(f'parsing time "{text}" as "{_FORMAT}": cannot parse "{text}" as "2006"') from None
    wrong = [
        invalid_value(key, str(value), f"must be greater than{' or equal to' if least == 0 else ''} 0")
        for key, value, least in (("tailLines", tail, 0), ("sinceSeconds", ago, 1), ("limitBytes", limit, 1))
        if value is not None and value < least
    ]
    if text and ago is not None:
        wrong.append(forbidden_change("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if wrong:
        raise _of_options(invalid(kind, name, wrong))
    flags = {key: flag(query, key) for key in ("previous", "follow", "timestamps")}
    return LogOptions(query.get("container", ""), **flags, tail=tail, limit=limit, since=since)


def _of_options(error: ApiError) -> ApiError:
    message = error.message.replace("Pod ", "PodLogOptions ", 1)
    return ApiError(error.code, error.reason, message, (error.details or {}) | {"kind": "PodLogOptions"})


def _number(query: Mapping[str, str], key: str) -> int | None:
    return integer(query, key) if query.get(key) else None


@dataclass(frozen=True)
class _Start:
    """One start of a container; it has ended when it has an end."""

    began: float
    end: float | None = None
    ended: bool = False


class Logs:
    """Reads the logs of pods."""

    def __init__(self, resources: Resources, containers: Containers, clock: Clock) -> None:
        self._resources, self._containers, self._clock = resources, containers, clock

    def read(self, kind: Kind, namespace: str, name: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Return the log of a container; raise when it has none."""
        pod = self._resources.get(kind, namespace, name).object
        container = chosen(pod, options.container)
        if not pod["spec"].get("nodeName"):
            return self._told(pod, options, [], None)
        start = _start(pod, container, previous=options.previous)
        lines = self._containers.printed(pod, container, start.began)
        past = [line for line in lines if _is_past(line, start, self._clock.now())]
        told = past if options.since is None else [line for line in past if line[0] >= options.since]
        if options.tail is not None:
            told = told[len(told) - options.tail :] if options.tail < len(told) else told
        coming = list(lines[len(past) :]) if options.follow and not start.ended else None
        return _limited(self._told(pod, options, told, coming), options.limit)

    async def _told(
        self, pod: Object, options: LogOptions, past: list[Line], coming: list[Line] | None
    ) -> AsyncIterator[bytes]:
        if past:
            yield b"".join(_shown(past, options))
        if coming is None:
            return
        container = chosen(pod, options.container)
        began = _start(pod, container, previous=False).began
        with _Changes(self._resources, pod) as changes:
            while (found := changes.pod()) is not None:
                start = _start(found, container, previous=False)
                over = start.ended or start.began != began
                now = self._clock.now()
                due = [line for line in coming if (line[0] <= (start.end or now) if over else line[0] <= now)]
                if due:
                    coming = coming[len(due) :]
                    yield b"".join(_shown(due, options))
                if over:
                    return
                await changes.wait(self._clock, coming[0][0] - now if coming else None)


class _Changes:
    """The changes of one pod, while its log is followed."""

    def __init__(self, resources: Resources, pod: Object) -> None:
        self._listeners, self._uid = resources.store.listeners, pod["metadata"]["uid"]
        self._pod: Object | None = pod
        self._changed = asyncio.Event()

    def __enter__(self) -> Self:
        self._listeners.append(self._observe)
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.remove(self._observe)

    def _observe(self, change: Change) -> None:
        if change.now.object["metadata"]["uid"] == self._uid:
            self._pod = None if change.type == "DELETED" else change.now.object
            self._changed.set()

    def pod(self) -> Object | None:
        """Return the pod as it is; None when it is gone."""
        return self._pod

    async def wait(self, clock: Clock, seconds: float | None) -> None:
        """Wait for a change, or for some of the cluster's time."""
        timer = None if seconds is None else clock.after(seconds, self._changed.set)
        try:
            await self._changed.wait()
            self._changed.clear()
        finally:
            if timer is not None:
                timer.cancel()


def _start(pod: Object, container: str, *, previous: bool) -> _Start:
    status, name = status_of(pod, container), pod["metadata"]["name"]
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        if last is None:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return _ended(last)
    if "running" in state:
        return _Start(seconds_of(state["running"]["startedAt"]))
    ended = state.get("terminated") or last
    if ended is not None:
        return _ended(ended)
    reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
    raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {_PULLS.get(reason, reason)}')


def _ended(last: Object) -> _Start:
    began, end = last.get("startedAt"), last.get("finishedAt")
    return _Start(seconds_of(began) if began else 0.0, seconds_of(end) + 1 if end else None, ended=True)


def _is_past(line: Line, start: _Start, now: float) -> bool:
    return line[0] <= (now if start.end is None else start.end)


def _shown(lines: list[Line], options: LogOptions) -> Iterator[bytes]:
    for at, text in lines:
        yield f"{_precisely(at)} {text}\n".encode() if options.timestamps else f"{text}\n".encode()


def _precisely(seconds: float) -> str:
    """Return a time as logs hold it: to the nanosecond, as far as it is known."""
    whole = datetime.fromtimestamp(int(seconds), tz=UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{int(seconds % 1 * 1e9):09d}Z"


async def _limited(pieces: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    """Yield no more than so many bytes."""
    left = limit
    async for piece in pieces:
        yield piece if left is None else piece[:left]
        if left is not None and (left := left - len(piece)) <= 0:
            return
