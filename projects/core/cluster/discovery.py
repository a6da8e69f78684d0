"""Which kinds the API server serves, kept on disk between processes. Called by `session` and, through it, by `api`.

The dynamic client's own discoverers ask for each group in turn (60 requests on OpenShift), whenever a process starts.
This one asks twice (aggregated discovery), remembers the answer under $FORESAIL_CACHE_DIR by server, and when a kind
is missing asks again, once, with the answer's ETag: what has not changed costs a millisecond.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.cluster import groups
from projects.core.cluster.groups import Served
from projects.core.values.errors import NotFound, UsageError
from projects.core.values.nearest import did_you_mean

if TYPE_CHECKING:
    from projects.core.cluster.session import Session

_FORMAT = 1
_AGAIN = 0.2


def cache_directory() -> Path:
    """Return the private directory of the cache; it may not exist."""
    if given := os.environ.get("FORESAIL_CACHE_DIR"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foresail"


@dataclass(slots=True)
class Catalogue:
    """What the server serves, with the ETags of the answers that said so."""

    served: list[Served]
    etags: dict[str, str] = field(default_factory=dict)


class Discovery:
    """The kinds that one API server serves; the `discoverer` of the dynamic client. Safe to use from many threads.

    Args:
      session: The session that asks.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._fresh = False

    @functools.cached_property
    def path(self) -> Path:
        """The file of this server in the cache."""
        access = self._session.access
        authority = b"".join(access.tls.get_ca_certs(binary_form=True)) if access.tls else b""
        name = hashlib.sha256(access.configuration.host.encode() + b"\0" + authority).hexdigest()[:32]
        return cache_directory() / "discovery" / f"{name}.json"

    def find(self, kind: str, api_version: str | None = None) -> Any:
        """Return the dynamic client's resource of a kind.

        Args:
          kind: A kind (``Pod``), a plural, singular or short name (``pods``, ``po``), with its group if needed
            (``machines.machine.openshift.io``).
          api_version: Group and version, such as ``apps/v1``; without one the server's preferred version.

        Raises:
          NotFound: the server does not serve it; the nearest kind is the hint.
          UsageError: several groups serve a kind of this name.
        """
        return self._resource(self._find(kind, api_version))

    def serves(self, kind: str, api_version: str | None = None) -> bool:
        """Return whether the server serves a kind."""
        try:
            self._find(kind, api_version)
        except NotFound:
            return False
        return True

    def await_kind(self, kind: str, api_version: str | None, seconds: float) -> None:
        """Wait until the server serves a kind: one that has just been defined is served a moment later.

        Raises:
          NotFound: it does not in so many seconds.
        """
        clock, pause = self._session.clock, threading.Event()
        deadline = clock.now() + seconds
        while not self.serves(kind, api_version) and clock.now() < deadline:
            clock.wait(_AGAIN, pause.wait)
            self.expire()
        self._find(kind, api_version)

    def search(self, **wanted: Any) -> list[Any]:
        """Return the resources of a kind, as the dynamic client asks for them."""
        found = groups.matching(self.served, str(wanted.get("kind", "")), wanted.get("api_version"))
        return [self._resource(each) for each in found]

    def get(self, **wanted: Any) -> Any:
        """Return the one resource of a kind, as the dynamic client asks for it."""
        return self.find(str(wanted.get("kind", "")), wanted.get("api_version"))

    @property
    def served(self) -> list[Served]:
        """All that the server serves, as far as it is known."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = self._load()
            if self._catalogue is None:
                self._catalogue = self._ask(None)
            return self._catalogue.served

    def refresh(self) -> bool:
        """Ask the server again, once per process and change.

        Returns:
          Whether it was asked.
        """
        with self._lock:
            if self._fresh:
                return False
            self._catalogue = self._ask(self._catalogue)
            return True

    def expire(self) -> None:
        """Allow one more `refresh`: something that defines kinds has been applied, or a served path was not found."""
        with self._lock:
            self._fresh = False

    def warm(self) -> None:
        """Read the cache from disk, when there is one, without asking the server; forked processes share it."""
        with self._lock:
            self._catalogue = self._load() or self._catalogue

    def _find(self, kind: str, api_version: str | None) -> Served:
        found = groups.matching(self.served, kind, api_version)
        if not found and self.refresh():
            found = groups.matching(self.served, kind, api_version)
        if not found:
            of = f" of {api_version}" if api_version else ""
            raise NotFound(
                f"the API server at {self._session.address} does not serve the kind {kind}{of}",
                hint=did_you_mean(kind, {each.kind for each in self.served}),
            )
        if len({each.group for each in found}) > 1 and not api_version:
            names = ", ".join(sorted(f"{each.plural}.{each.group}".rstrip(".") for each in found))
            raise UsageError(f"several groups serve the kind {kind}: {names}", hint="give api_version")
        return found[0]

    def _resource(self, served: Served) -> Any:
        from kubernetes.dynamic.resource import Resource  # noqa: PLC0415 - imported by the client before

        return Resource(
            prefix="apis" if served.group else "api",
            group=served.group,
            api_version=served.version,
            kind=served.kind,
            name=served.plural,
            namespaced=served.namespaced,
            verbs=served.verbs,
            preferred=served.preferred,
            shortNames=served.short_names,
            client=self._session.dynamic,
        )

    def _ask(self, known: Catalogue | None) -> Catalogue:
        answers = groups.ask(self._session, known.etags if known else {})
        self._fresh = True
        if answers is None and known is not None:
            return known
        served, etags = answers or ([], {})
        catalogue = Catalogue(served, etags)
        self._store(catalogue)
        return catalogue

    def _load(self) -> Catalogue | None:
        try:
            status = self.path.stat()
            return _read(self.path, status.st_mtime_ns, status.st_ino) if _is_private(status) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # absent, or from another version: asking again costs milliseconds

    def _store(self, catalogue: Catalogue) -> None:
        document = {"format": _FORMAT, "etags": catalogue.etags, "served": [asdict(each) for each in catalogue.served]}
        with contextlib.suppress(OSError), _replacing(self.path) as file:  # a full disk costs only the time saved
            file.write(json.dumps(document, separators=(",", ":")).encode())


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _inode: int) -> Catalogue | None:
    """Read a file of the cache; a process that was forked from one that has read it need not."""
    document = json.loads(path.read_bytes())
    if document["format"] != _FORMAT:
        return None
    return Catalogue([Served(**each) for each in document["served"]], document["etags"])


def _is_private(status: os.stat_result) -> bool:
    """Return whether a file is ours and nobody else can have written it."""
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            yield file
            file.flush()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
