"""What tools write in Markdown fits a window and means what was said."""

from __future__ import annotations

from markdown_it import MarkdownIt

from tools.markdown import BELOW, WIDTH, items, paragraph, table_and_list

LONG = "a sentence that goes on and on and " * 8


def test_no_line_of_a_paragraph_begins_with_a_mark() -> None:
    for shift in range(20):
        text = "x" * (WIDTH - shift) + " + 0.01 - 2 * 3 # 4 > 1e-06 1. 2) | end"
        rendered = MarkdownIt().render(paragraph(text))
        assert rendered.startswith("<p>")
        assert rendered.count("<") == 2
        assert paragraph(text).split() == text.split()


def test_lines_of_a_list_fit_and_hold_together() -> None:
    written = items([LONG, "short"])
    assert max(map(len, written.splitlines())) <= WIDTH
    assert MarkdownIt().render(written).count("<li>") == 2


def test_a_cell_too_wide_for_its_row_stands_beneath_the_table() -> None:
    written = table_and_list(["key", "unit", "meaning"], [("`a`", "days", LONG), ("`b`", "", "short")])
    assert max(map(len, written.splitlines())) <= WIDTH
    assert f"| `a` | days | {BELOW} |" in written
    assert "| `b` |  | short |" in written
    assert " ".join(written.split("* `a`: ")[1].split()) == LONG.strip()
