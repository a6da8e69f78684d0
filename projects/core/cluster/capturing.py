"""Many reads of a cluster at once, each into its files. Called by the `capture` plugin.

A read is done once however many files are made of it. What the server does not serve is skipped, and a read that
fails is reported without costing the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path

from projects.core.cluster import documents
from projects.core.cluster.api import Cluster, Object, Target
from projects.core.cluster.fields import field
from projects.core.cluster.readiness import standing
from projects.core.values.errors import ForesailError, InfrastructureError, NotFound, UsageError

_WORKERS = 8
_FORMATS = {
    ".status": "status",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".desc": "description",
    ".descr": "description",
    ".log": "log",
    ".names": "names",
}


@dataclass(frozen=True, slots=True)
class Read:
    """One thing to read and the files to make of it.

    Args:
      files: File names; the ending says the format (`.status` is what ``kubectl get -o wide`` prints).
      target: The objects to read; None reads the server's version instead.
      fields: Fields of the object that get a file each, by file name.
      first: Make the files of the first object alone, not of the list.
    """

    files: Sequence[str]
    target: Target | None = None
    fields: Mapping[str, str] = attribute(default_factory=dict)
    first: bool = False

    @property
    def subject(self) -> str:
        """What is read, in words."""
        return str(self.target) if self.target else "the version"


@dataclass(slots=True)
class Captured:
    """What came of the reads: files by name, what was skipped and why, what failed and why."""

    written: list[str] = attribute(default_factory=list)
    skipped: dict[str, str] = attribute(default_factory=dict)
    failed: dict[str, str] = attribute(default_factory=dict)
    errors: list[ForesailError] = attribute(default_factory=list)


def check_files(files: Sequence[str]) -> None:
    """Check that the format of each file is known.

    Raises:
      UsageError: an ending says nothing.
    """
    for name in files:
        if Path(name).suffix not in _FORMATS:
            known = ", ".join(_FORMATS)
            raise UsageError(f"the file {name} does not say its format; the endings are {known}")


def capture(cluster: Cluster, reads: Sequence[Read], directory: Path) -> Captured:
    """Do all reads in parallel and write their files.

    Args:
      cluster: Where to read.
      reads: What to read.
      directory: Where the files go.

    Returns:
      What was written, skipped and failed.

    Raises:
      InfrastructureError: the API server cannot be reached at all.
    """
    cluster.session.discovery.serves("Namespace", "v1")  # an unreachable server fails here, once, for all reads
    captured = Captured()
    with ThreadPoolExecutor(min(_WORKERS, len(reads) or 1), thread_name_prefix="capture") as pool:
        outcomes = list(pool.map(lambda read: _attempt(cluster, read, directory), reads))
    for read, (written, error) in zip(reads, outcomes, strict=True):
        captured.written += written
        if isinstance(error, NotFound):
            captured.skipped[read.subject] = error.message
        elif error is not None:
            captured.failed[read.subject] = error.message
            captured.errors.append(error)
    if captured.errors and not captured.written and isinstance(captured.errors[0], InfrastructureError):
        raise captured.errors[0]
    return captured


def _attempt(cluster: Cluster, read: Read, directory: Path) -> tuple[list[str], ForesailError | None]:
    written: list[str] = []
    try:
        for name, text in _texts(cluster, read):
            documents.write(directory / name, text)
            written.append(name)
    except ForesailError as error:
        return written, error
    except OSError as error:
        return written, InfrastructureError(f"cannot write {error.filename}: {error.strerror}")
    return written, None


def _texts(cluster: Cluster, read: Read) -> list[tuple[str, str]]:
    found = _Found(cluster, read)
    texts = [(name, found.text(_FORMATS[Path(name).suffix])) for name in read.files]
    for name, path in read.fields.items():
        if (value := field(documents.visible(found.one), path)) is not None:
            texts.append((name, documents.to_text(value)))
    return texts


class _Found:
    """The answer of one read, as each format wants it; asked for once."""

    def __init__(self, cluster: Cluster, read: Read) -> None:
        self._cluster = cluster
        self._read = read
        self._table: Object = {}
        self.objects: list[Object] = []
        if read.target is None:
            self.objects = [server_version(cluster)]
        elif any(_FORMATS[Path(name).suffix] == "status" for name in read.files):
            self._table = cluster.table(read.target)
            self.objects = self._objects_of_table(read.target)
        elif read.target.name:
            self.objects = [cluster.read(read.target)]
        else:
            self.objects, _ = cluster.snapshot(read.target)

    @property
    def one(self) -> Object:
        """The one object, or the first."""
        return self.objects[0] if self.objects else {}

    @property
    def _alone(self) -> bool:
        return self._read.first or self._read.target is None or bool(self._read.target.name)

    def text(self, form: str) -> str:
        """Return the text of a file."""
        makers: dict[str, Callable[[], str]] = {
            "status": self._status,
            "yaml": lambda: documents.to_yaml(self.one if self._alone else self.objects),
            "json": lambda: documents.to_json(self.one if self._alone else self.objects),
            "names": lambda: "".join(f"{each['metadata']['name']}\n" for each in self.objects),
            "description": self._description,
            "log": self._logs,
        }
        return makers[form]()

    def _objects_of_table(self, target: Target) -> list[Object]:
        rows = self._table.get("rows") or []
        objects = [row.get("object") or {} for row in rows]
        if all(each.get("kind") != "PartialObjectMetadata" for each in objects):
            return objects
        return [self._cluster.read(target)] if target.name else self._cluster.snapshot(target)[0]

    def _status(self) -> str:
        assert self._read.target is not None
        located = self._cluster.located(self._read.target)
        every = not located.namespace and any("namespace" in each.get("metadata", {}) for each in self.objects)
        return documents.columns(self._table, namespaces=every)

    def _description(self) -> str:
        """Return each object with how it stands and what happened to it, as ``kubectl describe`` does."""
        events = self._events()
        parts = []
        for each in self.objects:
            metadata = each["metadata"]
            lines = events.get(str(metadata.get("uid"))) or ["<none>"]
            listed = "".join(f"  {line}\n" for line in lines)
            head = f"# {each.get('kind')} {metadata['name']}: {standing(each)}"
            parts.append(f"{head}\n{documents.to_yaml(each)}Events:\n{listed}")
        return "\n".join(parts) or "No resources found\n"

    def _events(self) -> dict[str, list[str]]:
        """Return what happened to the objects, by uid; one list for all of them."""
        assert self._read.target is not None
        located = self._cluster.located(self._read.target)
        chosen = f"involvedObject.kind={located.kind}"
        found: dict[str, list[str]] = {}
        for each in self._cluster.objects(Target("Event", "v1", namespace=located.namespace, fields=chosen)):
            when = each.get("lastTimestamp") or each.get("eventTime") or each["metadata"].get("creationTimestamp")
            line = f"{when}  {each.get('type')}  {each.get('reason')}  {each.get('message')}"
            found.setdefault(str(each["involvedObject"].get("uid")), []).append(line)
        return found

    def _logs(self) -> str:
        parts: list[str] = []
        for each in self.objects:
            metadata = each["metadata"]
            for container in [*(each["spec"].get("initContainers") or []), *each["spec"]["containers"]]:
                title = f"==> {metadata['namespace']}/{metadata['name']} {container['name']} <==\n"
                try:
                    text = self._cluster.logs(metadata["name"], metadata["namespace"], container=container["name"])
                except InfrastructureError:
                    raise
                except ForesailError as error:  # not started yet, or gone meanwhile
                    text = f"(no log: {error})\n"
                parts.append(title + text)
        return "\n".join(parts) or "No resources found\n"


def server_version(cluster: Cluster) -> Object:
    """Return what ``oc version -o yaml`` tells about the server; ``openshiftVersion`` only where there is one."""
    version: Object = {"serverVersion": cluster.session.json("GET", "/version")}
    operator = cluster.get(Target("ClusterVersion", "config.openshift.io/v1", "version"))
    history = ((operator or {}).get("status") or {}).get("history") or []
    done = next((each for each in history if each.get("state") == "Completed"), None)
    number = (done or {}).get("version") or field(operator or {}, "status.desired.version")
    return {"openshiftVersion": number, **version} if number else version
