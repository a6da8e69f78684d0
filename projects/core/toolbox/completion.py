"""Shell completion: the scripts that shells load. Called by whatever `SCRIPT completion SHELL` runs.

A loaded script asks `projects.core.cli.completing` for each word, in the checkout that the line's program is of, so that
one serves every checkout.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from projects.core.values.errors import UsageError
from projects.core.values.nearest import did_you_mean

WORD = "completion"
SHELLS = ("bash", "zsh", "fish")
_TEMPLATES = Path(__file__).with_name("completions")


def completion_script(shell: str, script: Path) -> str:
    """Return what a shell loads to complete the words behind a script.

    The function in it is named after the script, so that those of several scripts do not get in each other's way.

    Args:
      shell: One of `SHELLS`.
      script: `run_toolbox.py`, `testing/run`, or a project's `test.py`.

    Raises:
      UsageError: there is no such shell.
    """
    if shell not in SHELLS:
        raise UsageError(f"expected one of {', '.join(SHELLS)}, found '{shell}'", hint=did_you_mean(shell, SHELLS))
    program = "testing/run" if script.name == "run" else script.name
    filled = {
        "@PROGRAM@": program if "/" in program else f"./{program}",
        "@FUNCTION@": "_foresail_" + re.sub(r"\W", "_", program),
        "@NAME@": script.name,
        "@SCRIPT@": f"'{script.resolve()}'",
    }
    return re.sub(r"@[A-Z]+@", lambda found: filled[found[0]], (_TEMPLATES / shell).read_text(encoding="utf-8"))


def print_completion(script: str, words: Sequence[str]) -> int:
    """Print the script that a line ``SCRIPT completion SHELL`` asks for.

    Args:
      script: The script that was called.
      words: The words behind `completion`.

    Returns:
      The exit code.

    Raises:
      UsageError: they are not the name of one shell.
    """
    if set(words) & {"--help", "-h"}:
        print(f"usage: {script} {WORD} {'|'.join(SHELLS)}\n\nPrint the completion script for a shell.")
        return 0
    if len(words) != 1:
        raise UsageError(f"expected one of {', '.join(SHELLS)}, found {' '.join(words) or 'the end of the line'}")
    print(completion_script(words[0], Path(script)), end="")
    return 0
