"""A pod as the checks of the Pod Security Standards look at it, and the words in which they tell what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from projects.sim_cluster.api.kinds import Object

#: The minor version whose checks are the latest.
LATEST: Final = 35
_KNOWS_WINDOWS: Final = 25  # the first version that asks of Windows pods only what there is on Windows
KNOWS_USER_NAMESPACES: Final = 35  # the first that trusts pods whose users are not those of the host
_CONFINED: Final = frozenset({"RuntimeDefault", "Localhost"})


class Violation(NamedTuple):
    """What a pod must not do: in a word, and with where it does so."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Pod:
    """A pod that is looked at by the rules of one version."""

    notes: dict[str, str]
    spec: Object
    version: int

    @property
    def context(self) -> Object:
        """The security context of the pod as a whole."""
        return self.spec.get("securityContext") or {}

    def containers(self) -> Iterator[tuple[Object, Object]]:
        """Yield each container with its security context."""
        for field in ("initContainers", "containers", "ephemeralContainers"):
            for container in self.spec.get(field) or ():
                yield container, container.get("securityContext") or {}

    def where(self, wrong: Callable[[Object], Any]) -> list[str]:
        """Return the names of the containers whose security context is wrong."""
        return [container["name"] for container, context in self.containers() if wrong(context)]

    def setters(self, wrong: Callable[[Object], Any]) -> list[str]:
        """Return who has a wrong security context: the pod as a whole, some of its containers."""
        found = ["pod"] if wrong(self.context) else []
        return found + ([named_containers(names)] if (names := self.where(wrong)) else [])

    @property
    def on_windows(self) -> bool:
        """Whether it runs where there is nothing that some checks ask for."""
        return self.version >= _KNOWS_WINDOWS and (self.spec.get("os") or {}).get("name") == "windows"

    @property
    def has_own_users(self) -> bool:
        """Whether its users are others than those of the host, so that its root is none there."""
        return self.version >= KNOWS_USER_NAMESPACES and self.spec.get("hostUsers") is False


Found = Violation | None


def quoted(items: Iterable[str]) -> str:
    """Return texts in quotes."""
    return ", ".join(f'"{item}"' for item in items)


def plural(word: str, items: Collection[Any]) -> str:
    """Return a word for one thing or for more."""
    return word if len(items) == 1 else f"{word}s"


def use(items: Collection[Any]) -> str:
    """Return what one, or more, does."""
    return "uses" if len(items) == 1 else "use"


def named_containers(names: list[str]) -> str:
    """Return names, with what they are the names of."""
    return f"{plural('container', names)} {quoted(names)}"


def values_of(pod: Pod, value: Callable[[Object], str | None]) -> list[str]:
    """Return what the pod and its containers set, each once."""
    contexts = [pod.context, *(context for _, context in pod.containers())]
    return sorted({found for context in contexts if (found := value(context)) is not None})


def unconfined(field: str) -> Callable[[Object], str | None]:
    """Return what tells the type of a profile that does not confine."""

    def bad(context: Object) -> str | None:
        profile = context.get(field)
        return None if profile is None or profile.get("type") in _CONFINED else str(profile.get("type", ""))

    return bad
