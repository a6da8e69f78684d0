"""`make bench [names…]`: run the benchmarks one after the other and print their figures. Ratios are of one run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

NAMES = (
    "startup",
    "configuration",
    "commands",
    "cluster",
    "simulated",
    "parallel",
    "reporting",
    "recording",
    "redaction",
)


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, all when none is named.

    Args:
      names: Modules of this package.

    Returns:
      0; a missed bar is shown, not failed: these machines are noisy.
    """
    for name in names or NAMES:
        print(f"--- {name}", flush=True)
        for figure in importlib.import_module(f"benchmarks.{name}").measure():
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
