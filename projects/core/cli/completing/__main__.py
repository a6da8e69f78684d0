"""`python -m projects.core.cli.completing SHELL SCRIPT WORDS…`: print what the last word of a line may be, one candidate a line.

Bash hands over the line as it stands, since it cuts words at `=` and `:`; the others hand over its words. Printing nothing
makes the shell offer files. Whatever is wrong with the files that are read, the person who types sees no error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from projects.core.cli.completing.lines import candidates
from projects.core.cli.completing.sources import Candidate
from projects.core.values.errors import ForesailError

_BREAKS = "=:"  # where bash cuts words


def main(argv: Sequence[str]) -> int:
    """Print the candidates for the last word of a line.

    Args:
      argv: This module, the shell, the script, and the line (bash) or its words behind the script.
    """
    shell, script, *rest = argv[1:]
    words = (split(rest[0])[1:] if shell == "bash" else rest) or [""]
    try:
        found = list(candidates(Path(script), words))
    except (ForesailError, OSError, SyntaxError, ValueError):
        return 0
    for each in found:
        print(_written(each, shell, words[-1]))
    return 0


def split(line: str) -> list[str]:
    """Return the words of a line that ends within the last one, which may be empty; a quote may be open."""
    words: list[str] = []
    word: str | None = None
    quote, escaped = "", False
    for character in line:
        if escaped:
            word, escaped = (word or "") + character, False
        elif character == "\\" and quote != "'":
            word, escaped = word or "", True
        elif quote:
            word, quote = (word, "") if character == quote else ((word or "") + character, quote)
        elif character in "'\"":
            word, quote = word or "", character
        elif character.isspace():
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + character
    return [*words, word or ""]


def _written(candidate: Candidate, shell: str, current: str) -> str:
    """Return a candidate as the shell takes it: bash wants what stands behind the last place where it cuts."""
    if shell == "bash":
        return candidate.word[max(current.rfind(each) for each in _BREAKS) + 1 :]
    if shell == "zsh":
        word = candidate.word.replace("\\", "\\\\").replace(":", "\\:")
        return f"{word}:{candidate.text}" if candidate.text else word
    return f"{candidate.word}\t{candidate.text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
