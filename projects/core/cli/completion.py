"""`run_toolbox.py completion SHELL`: the script that makes a shell complete its lines. `test.py` and `testing/run` have it, too."""

from __future__ import annotations

from typing import Literal

from projects.core.toolbox.completion import completion_script
from projects.core.values.checkout import ROOT


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print the completion script for a shell, to be loaded by it: `source <(./run_toolbox.py completion bash)`.

    Args:
      shell: The shell; fish loads it with `./run_toolbox.py completion fish | source`.
    """
    print(completion_script(shell, ROOT / "run_toolbox.py"), end="")
