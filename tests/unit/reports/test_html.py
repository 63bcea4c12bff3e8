"""The page stands alone."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from defirisk.core.errors import UsageError
from defirisk.reports.protocol import REPORT
from defirisk.reports.renderers.html import embedded, html, plotly_js
from defirisk.reports.site import Page, write_site
from tests.unit.reports import sample

LOADING = ("src", "srcset", "data", "poster", "action", "background")


class Tags(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def page() -> str:
    return html(REPORT.build(sample.book(finding="Revision 7 is unproven."), run=sample.RUN))


def test_nothing_is_loaded(page: str) -> None:
    for tag, attributes in Tags(page).found:
        assert not any(name in attributes for name in LOADING), (tag, attributes)
        href = attributes.get("href", "")
        if tag == "a":
            assert href.startswith(("#", "data:text/csv;", sample.RUN.explorer)), href
        else:
            assert href in ("", "data:,")
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_policy_names_exactly_the_scripts_of_the_page(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert plotly_js() in scripts
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    named = re.findall(r"&#39;sha256-([^&]*)&#39;", policy[1])
    assert named == digests
    assert "default-src &#39;none&#39;" in policy[1]


def test_every_chart_and_table_can_be_saved(page: str) -> None:
    tags = Tags(page).found
    saved = [a["download"] for tag, a in tags if tag == "a" and "download" in a]
    drawn = [a for tag, a in tags if tag == "div" and a.get("class") == "plot"]
    tables = [tag for tag, _ in tags if tag == "table"]
    assert len(saved) == len(drawn) + len(tables)
    assert len(set(saved)) == len(saved)
    assert all(name.endswith(".csv") for name in saved)


def test_contents_lead_to_every_section(page: str) -> None:
    tags = Tags(page).found
    anchors = {a["id"] for _, a in tags if "id" in a}
    links = {a["href"][1:] for tag, a in tags if tag == "a" and a["href"].startswith("#")}
    assert links <= anchors
    assert {"size", "health", "drops", "wall", "closest", "oracles", "deficits", "repeat"} <= links


def test_json_cannot_close_its_script() -> None:
    assert "<" not in embedded({"a": "</script><!--"})


def test_page_without_charts_has_no_scripts() -> None:
    page = html(REPORT.build(sample.empty_book(), run=sample.RUN))
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page


def test_site_links_its_pages_and_has_plotly_once(tmp_path: Path) -> None:
    report = REPORT.build(sample.book(), run=sample.RUN)
    index = REPORT.build(sample.empty_book(), run=sample.RUN, title="All reports")
    written = write_site(tmp_path / "out", {"aave.html": Page(report=report)}, index)
    assert sorted(path.name for path in written) == ["aave.html", "index.html", "plotly.min.js"]
    text = (tmp_path / "out/aave.html").read_text()
    assert '<script src="plotly.min.js"></script>' in text
    assert '<a href="index.html">All reports</a>' in text
    assert len(text) < 500_000
    assert '<a href="aave.html">' in (tmp_path / "out/index.html").read_text()


@pytest.mark.parametrize("name", ["index.html", "../up.html", "page"])
def test_site_refuses_names_that_are_no_pages(tmp_path: Path, name: str) -> None:
    report = REPORT.build(sample.empty_book(), run=sample.RUN)
    with pytest.raises(UsageError):
        write_site(tmp_path, {name: Page(report=report)}, report)
