"""Machine types: what they offer, and which GPUs they hold. Data, from the provider's public tables.

Sizes and counts: AWS, "Amazon EC2 instance types" (general purpose, compute, memory, accelerated computing).
Products, memory and compute capability: what GPU Feature Discovery reports for these GPUs (NVIDIA's data sheets, CUDA GPUs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Gpu:
    """A GPU model, in the words of GPU Feature Discovery; `memory` is in MiB."""

    product: str
    memory: int
    family: str
    compute: tuple[int, int]
    mig_capable: bool = False


@dataclass(frozen=True)
class Size:
    """What a machine type offers."""

    cpu: int
    memory_gib: int
    gpus: int = 0
    gpu: Gpu | None = None


_T4: Final = Gpu("Tesla-T4", 15360, "turing", (7, 5))
_A10G: Final = Gpu("NVIDIA-A10G", 23028, "ampere", (8, 6))
_L4: Final = Gpu("NVIDIA-L4", 23034, "ada-lovelace", (8, 9))
_L40S: Final = Gpu("NVIDIA-L40S", 46068, "ada-lovelace", (8, 9))
_V100: Final = Gpu("Tesla-V100-SXM2-16GB", 16384, "volta", (7, 0))
_V100_32: Final = Gpu("Tesla-V100-SXM2-32GB", 32768, "volta", (7, 0))
_A100: Final = Gpu("NVIDIA-A100-SXM4-40GB", 40960, "ampere", (8, 0), mig_capable=True)
_A100_80: Final = Gpu("NVIDIA-A100-SXM4-80GB", 81920, "ampere", (8, 0), mig_capable=True)
_H100: Final = Gpu("NVIDIA-H100-80GB-HBM3", 81559, "hopper", (9, 0), mig_capable=True)
_H200: Final = Gpu("NVIDIA-H200", 143771, "hopper", (9, 0), mig_capable=True)
_B200: Final = Gpu("NVIDIA-B200", 183359, "blackwell", (10, 0), mig_capable=True)

_CPUS: Final = {
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "12xlarge": 48,
    "16xlarge": 64,
    "24xlarge": 96,
}
_FAMILIES: Final = {2: ("c5", "c5a", "c6a", "c6i", "c7a", "c7i"), 4: ("m5", "m5a", "m5n", "m6a", "m6i", "m7a", "m7i"),
                    8: ("r5", "r5a", "r6a", "r6i", "r7a", "r7i")}  # fmt: skip
#: Model → machine type → (CPUs, GiB, GPUs).
_ACCELERATED: Final[tuple[tuple[Gpu, dict[str, tuple[int, int, int]]], ...]] = (
    (_T4, {"g4dn.xlarge": (4, 16, 1), "g4dn.2xlarge": (8, 32, 1), "g4dn.4xlarge": (16, 64, 1), "g4dn.8xlarge": (32, 128, 1),
           "g4dn.12xlarge": (48, 192, 4), "g4dn.16xlarge": (64, 256, 1), "g4dn.metal": (96, 384, 8)}),
    (_A10G, {"g5.xlarge": (4, 16, 1), "g5.2xlarge": (8, 32, 1), "g5.4xlarge": (16, 64, 1), "g5.8xlarge": (32, 128, 1),
             "g5.12xlarge": (48, 192, 4), "g5.16xlarge": (64, 256, 1), "g5.24xlarge": (96, 384, 4), "g5.48xlarge": (192, 768, 8)}),
    (_L4, {"g6.xlarge": (4, 16, 1), "g6.2xlarge": (8, 32, 1), "g6.4xlarge": (16, 64, 1), "g6.8xlarge": (32, 128, 1),
           "g6.12xlarge": (48, 192, 4), "g6.16xlarge": (64, 256, 1), "g6.24xlarge": (96, 384, 4), "g6.48xlarge": (192, 768, 8)}),
    (_L40S, {"g6e.xlarge": (4, 32, 1), "g6e.2xlarge": (8, 64, 1), "g6e.4xlarge": (16, 128, 1), "g6e.8xlarge": (32, 256, 1),
             "g6e.12xlarge": (48, 384, 4), "g6e.16xlarge": (64, 512, 1), "g6e.24xlarge": (96, 768, 4), "g6e.48xlarge": (192, 1536, 8)}),
    (_V100, {"p3.2xlarge": (8, 61, 1), "p3.8xlarge": (32, 244, 4), "p3.16xlarge": (64, 488, 8)}),
    (_V100_32, {"p3dn.24xlarge": (96, 768, 8)}),
    (_A100, {"p4d.24xlarge": (96, 1152, 8)}),
    (_A100_80, {"p4de.24xlarge": (96, 1152, 8)}),
    (_H100, {"p5.4xlarge": (16, 256, 1), "p5.48xlarge": (192, 2048, 8)}),
    (_H200, {"p5e.48xlarge": (192, 2048, 8), "p5en.48xlarge": (192, 2048, 8)}),
    (_B200, {"p6-b200.48xlarge": (192, 2048, 8)}),
)  # fmt: skip


def _sizes() -> Iterator[tuple[str, Size]]:
    for memory, families in _FAMILIES.items():
        for family in families:
            yield from ((f"{family}.{name}", Size(cpus, cpus * memory)) for name, cpus in _CPUS.items())
    for gpu, kinds in _ACCELERATED:
        yield from ((name, Size(cpu, memory, gpus, gpu)) for name, (cpu, memory, gpus) in kinds.items())


SIZES: Final[dict[str, Size]] = dict(_sizes())
_UNKNOWN: Final = SIZES["m6i.xlarge"]


def size_of(instance_type: str) -> Size:
    """Return what a machine type offers; one that is not in the table is taken for a small one without GPUs."""
    return SIZES.get(instance_type, _UNKNOWN)
