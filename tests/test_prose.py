"""Pages can be read in any window, whether a person or a program wrote them."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WIDEST = 140
GENERATED = {
    f"docs/{name}.md"
    for name in (
        *("biology", "calibration", "configuration", "evidence"),
        *("evolution", "experiments", "performance", "review", "verification"),
    )
}
"""Pages that programs write."""


def pages() -> list[str]:
    """The pages of the project, by their place."""
    folders = (ROOT, ROOT / "docs", ROOT / "docs" / "decisions", ROOT / "docs" / "reference")
    return sorted(page.relative_to(ROOT).as_posix() for folder in folders for page in folder.glob("*.md"))


def test_every_decision_is_dated_and_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text(encoding="utf-8")
    decisions = sorted(page for page in folder.glob("*.md") if page.name != "index.md")
    assert decisions
    for page in decisions:
        date = page.name[:10]
        assert datetime.date.fromisoformat(date)
        assert f"Decided on {date}." in page.read_text(encoding="utf-8")
        assert f"* {date}: [" in index
        assert f"]({page.name})" in index.replace("\n  ", " ")


@pytest.mark.parametrize("page", sorted(GENERATED))
def test_a_page_that_a_program_writes_says_so(page: str) -> None:
    top = (ROOT / page).read_text(encoding="utf-8")[:600]
    assert re.search(r"\bwritten\s+by\b", top, re.I)


@pytest.mark.parametrize("page", pages())
def test_no_line_of_a_page_is_wider_than_a_window(page: str) -> None:
    lines = enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1)
    assert not [number for number, line in lines if len(line) > WIDEST]
