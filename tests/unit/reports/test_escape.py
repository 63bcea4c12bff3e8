"""Foreign text is inert in every output."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from defirisk.reports import escape

NASTY = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eCDSU\u2066",
    "US\u200bDC",
    "a\r\nb\tc\x00d",
    "=HYPERLINK('http://evil.example')",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\uff1d1",
    "[a](javascript:alert(1))",
    "![a](http://evil.example/x.png)",
    "| a | b |",
    "`code` **bold** _it_ ~~no~~ $x$",
    "https://evil.example www.evil.example evil.example",
    "@everyone #tag",
    "# heading",
    "1. list",
    "- item",
    "> quote",
    "</td></script>&lt;",
    "e" + "\u0301" * 50,
    "X" * 10_000,
    "",
)


@pytest.mark.parametrize("text", NASTY)
def test_clean_is_one_visible_line_of_bounded_length(text: str) -> None:
    shown = escape.clean(text, 40)
    assert len(shown) <= 40
    assert shown.isprintable()
    assert (len(text) > 40) == shown.endswith("…") or "\u0301" in text


@given(st.text(), st.integers(2, 60))
def test_clean_is_idempotent(text: str, limit: int) -> None:
    once = escape.clean(text, limit)
    assert len(once) <= limit
    assert escape.clean(once, limit) == once
    assert all(ord(character) >= 32 for character in once)


def test_lookalikes_differ() -> None:
    assert escape.clean("US\u200bDC") != escape.clean("USDC")


@pytest.mark.parametrize("text", NASTY)
def test_markdown_stays_text(text: str) -> None:
    shown = escape.markdown(text)
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    html = parser.render(f"x {shown}") + parser.render(shown)
    body = html.replace("<p>", "").replace("</p>", "").strip()
    assert "<" not in body, html


@pytest.mark.parametrize("text", NASTY)
def test_markdown_cell_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {escape.markdown(text)} | end |"
    html = MarkdownIt("gfm-like", {"linkify": False}).render(table)
    assert html.count("<td>") == 2
    assert "<td>end</td>" in html


def test_markdown_leaves_numbers_alone() -> None:
    for text in ("1,200.50", "1.5", "2025-11-13", "$12.4M", "owing $5 (or $6)"):
        assert escape.markdown(text) == text
    assert escape.markdown("$5x$") == "$5x\\$"
    assert escape.markdown("At 12.5 % down, 1,200 owe (in all) 3.4M.") == (
        "At 12.5 % down, 1,200 owe (in all) 3.4M."
    )


def test_bare_addresses_do_not_become_links() -> None:
    for text in ("https://evil.example", "www.evil.example", "evil.example"):
        shown = escape.markdown(text)
        assert "\\." in shown or "\\:" in shown
        assert "evil.example" not in shown


@pytest.mark.parametrize("text", NASTY)
def test_csv_field_is_no_formula(text: str) -> None:
    line = io.StringIO()
    csv.writer(line).writerow([escape.csv(text), "end"])
    ((field, end),) = list(csv.reader(io.StringIO(line.getvalue())))
    assert end == "end"
    assert not field.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))


def test_fence_cannot_be_closed() -> None:
    assert "`" not in escape.fenced("```\n# out")
