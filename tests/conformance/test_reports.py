"""Every report, in every format, from the recorded book."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from typing import cast

import pytest

from defirisk.core.book import Book
from defirisk.core.plugins import reports
from defirisk.reports.model import Report, Run
from defirisk.reports.render import FORMATS, render

RUN = Run(command="defirisk report protocol aave-v3", version="0.1.0", chain="local")
EVERY_REPORT = pytest.mark.parametrize("name", sorted(reports()))


class _Page(html.parser.HTMLParser):
    """The tags that are open, and whether any was closed out of order."""

    _void = frozenset({"meta", "link", "br", "hr", "img", "input", "path", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._void:
            assert self.open.pop() == tag


def built(name: str, book: Book) -> Report:
    """The report on the first thing that it can be about."""
    chosen = reports()[name]
    return cast(Report, chosen.build(book, run=RUN, subject=chosen.subjects(book)[0]))


@EVERY_REPORT
def test_a_report_says_what_it_answers(name: str) -> None:
    assert reports()[name].name == name
    assert reports()[name].summary.strip()


@EVERY_REPORT
@pytest.mark.parametrize("format_", FORMATS)
def test_a_report_of_the_recorded_chain_is_made_in_every_format(
    name: str, format_: str, recorded_book: Book
) -> None:
    report = built(name, recorded_book)
    text = render(report, format_)
    assert "nan" not in re.findall(r"\b[a-zA-Z]+\b", text if format_ != "html" else "")
    assert any(asset.symbol in text for asset in recorded_book.assets)
    if format_ == "json":
        said = json.loads(text, parse_constant=pytest.fail)
        assert said["block_hash"] == recorded_book.block.hash
        names = [facts.name for facts in recorded_book.deployments]
        assert said["proof"] == dict.fromkeys(names, "executed")
    elif format_ == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}
    elif format_ == "html":
        page = _Page()
        page.feed(text)
        assert page.open == []
    else:
        assert recorded_book.block.hash in text
        assert RUN.command in text


@EVERY_REPORT
def test_a_report_is_the_same_each_time(name: str, recorded_book: Book) -> None:
    made = [render(built(name, recorded_book), "html") for _ in range(2)]
    assert made[0] == made[1]
