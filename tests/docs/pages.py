"""The documentation as data: its pages, their headings, links, code blocks and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from projects.core.values.checkout import ROOT

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```\s*$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file that it stands for (may be empty), its text."""

    language: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path, relative to the checkout."""
        return str(self.path.relative_to(ROOT))

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks; ```` ```yaml path/of/file ```` names the file that the block is."""
        found = []
        for match in _FENCE.finditer(self.text):
            language, _, file = match["info"].strip().partition(" ")
            found.append(Block(language, file.strip(), match["text"]))
        return found

    def file(self, name: str) -> str:
        """Return the text of a file that it shows."""
        return next(block.text for block in self.blocks if block.file == name)

    def write_files(self, directory: Path) -> None:
        """Write the files that it shows, as its reader would."""
        for block in self.blocks:
            if block.file:
                path = directory / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")

    @property
    def prose(self) -> str:
        """Its text without the blocks."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[str]:
        """Its headings, in order."""
        return [match["text"].strip() for match in _HEADING.finditer(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What a link may name after ``#``, as GitHub makes it of the headings."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings}

    @property
    def links(self) -> list[str]:
        """The targets of its links."""
        return [match["target"] for match in _LINK.finditer(self.prose)]

    def table(self, *head: str) -> list[list[str]]:
        """Return the rows of the table whose head begins with these cells."""
        rows: list[list[str]] = []
        inside = False
        for line in self.prose.splitlines():
            cells = _cells(line)
            if not cells:
                inside = False
            elif cells[: len(head)] == list(head):
                inside = True
            elif inside and not set(cells[0]) <= set("-: "):
                rows.append(cells)
        assert rows, f"{self.name} has no table {head}"
        return rows


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def plain(cell: str) -> str:
    """Return a cell without its backticks."""
    return cell.replace("`", "")


def page(name: str) -> Page:
    """Return a page by its path, relative to the checkout."""
    path = ROOT / name
    return Page(path, path.read_text(encoding="utf-8"))


def all_pages() -> Iterator[Page]:
    """Give every page: README, CONTRIBUTING, CHANGELOG and what is below docs."""
    for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]:
        if not path.is_symlink():  # AGENTS.md is CONTRIBUTING.md
            yield page(str(path.relative_to(ROOT)))
