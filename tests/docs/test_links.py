from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from projects.core.values.checkout import ROOT
from tests.docs.pages import Page, all_pages, page

PAGES = list(all_pages())
LARGEST_IMAGE = 300_000


def broken(each: Page) -> list[str]:
    found = []
    for link in each.links:
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = unquote(link).partition("#")
        path = (each.path.parent / target).resolve() if target else each.path
        if not path.exists():
            found.append(f"{link}: there is no {path}")
        elif anchor and anchor not in page(str(path.relative_to(ROOT))).anchors:
            found.append(f"{link}: {path.name} has no heading for it")
    return found


@pytest.mark.parametrize("each", PAGES, ids=lambda each: each.name)
def test_links_lead_somewhere(each: Page) -> None:
    assert broken(each) == []


def test_a_broken_link_and_a_broken_anchor_are_found() -> None:
    text = "[a](nowhere.md) [b](index.md#not-there) [c](index.md#learn) ![d](images/none.png) [e](https://example.org)"
    assert [found.partition(":")[0] for found in broken(Page(ROOT / "docs" / "made-up.md", text))] == [
        "nowhere.md",
        "index.md#not-there",
        "images/none.png",
    ]


def test_every_page_is_reachable_from_the_readme() -> None:
    known = {each.path: each for each in PAGES}
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path not in known:
            continue
        seen.add(path)
        waiting += [(path.parent / link.partition("#")[0]).resolve() for link in known[path].links]
    assert sorted(each.name for each in PAGES if each.path not in seen) == []


def test_each_page_has_one_title_and_it_comes_first() -> None:
    for each in PAGES:
        first = each.prose.removeprefix("<!--").partition("\n")[0] if each.prose.startswith("<!--") else each.prose
        titles = [line for line in each.prose.splitlines() if line.startswith("# ")]
        assert len(titles) == 1, f"{each.name}: {titles}"
        assert first.startswith(("# ", " ")), each.name


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs").rglob("*.png"):
        assert path.stat().st_size < LARGEST_IMAGE, path
