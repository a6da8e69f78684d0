"""How the device plugin shares GPUs: what the configuration that a ClusterPolicy or a node label names says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

import yaml

from projects.sim_cluster.behaviours.interface import Object
from projects.sim_cluster.behaviours.metadata import labels_of
from projects.sim_cluster.behaviours.resources import CONFIG_MAPS
from projects.sim_cluster.behaviours.unit import World
from projects.sim_cluster.packages.gpu_operator.kinds import CLUSTER_POLICY

RESOURCE: Final = "nvidia.com/gpu"
CONFIG_LABEL: Final = "nvidia.com/device-plugin.config"


@dataclass(frozen=True)
class Sharing:
    """How many pods share a GPU, how (``none``, ``time-slicing``, ``mps``), and whether the resource is renamed."""

    strategy: str = "none"
    replicas: int = 1
    renamed: bool = False

    @property
    def resource(self) -> str:
        """The resource that nodes offer."""
        return f"{RESOURCE}.shared" if self.renamed else RESOURCE

    @property
    def text(self) -> str:
        """This, as an annotation holds it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Sharing:
        """Return what an annotation holds."""
        return cls(**json.loads(text))


def sharing_of(world: World, node: Object, namespace: str) -> Sharing:
    """Return how the plugin that starts on a node now shares its GPUs; it reads its configuration only then."""
    policy = next(iter(world.cache(CLUSTER_POLICY.resource)), None)
    config = (((policy or {}).get("spec") or {}).get("devicePlugin") or {}).get("config") or {}
    key = labels_of(node).get(CONFIG_LABEL) or config.get("default") or ""
    found = world.cache(CONFIG_MAPS).get(namespace, config.get("name") or "")
    return _read((found.get("data") or {}).get(key, "")) if found is not None else Sharing()


def _read(text: str) -> Sharing:
    try:
        sharing = (yaml.safe_load(text) or {}).get("sharing") or {}
        for key, strategy in (("timeSlicing", "time-slicing"), ("mps", "mps")):
            section = sharing.get(key) or {}
            for entry in section.get("resources") or ():
                if entry.get("name") == RESOURCE and int(entry["replicas"]) > 1:
                    return Sharing(strategy, int(entry["replicas"]), bool(section.get("renameByDefault")))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
        return Sharing()  # the real plugin would crash; here its GPUs stay unshared
    return Sharing()
