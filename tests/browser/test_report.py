"""The pages in a real browser: drawn, quiet, alone, and no wider than the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defirisk.reports.protocol import REPORT
from defirisk.reports.render import render
from defirisk.reports.site import Page, write_site
from defirisk.reports.sources import feeds, page_of, pools
from defirisk.reports.venue import REPORT as VENUE
from tests.browser.looking import DESKTOP, NASTY, PHONE, look
from tests.unit.reports import sample, sources

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_is_drawn_and_alone(
    browser: Browser, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(REPORT.build(sample.book(), run=sample.RUN), "html"), encoding="utf-8")
    seen = look(browser, path, size, dark=dark)
    assert seen.messages == []
    assert seen.requests == [path.as_uri()]
    assert len(seen.drawn) == 4
    assert all(seen.drawn)
    assert seen.overflow <= 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "report.html"
    book = sample.hostile(sample.book(), NASTY)
    path.write_text(render(REPORT.build(book, run=sample.RUN), "html"), encoding="utf-8")
    seen = look(browser, path, size)
    assert seen.messages == []
    assert seen.requests == [path.as_uri()]
    assert all(seen.drawn)
    assert seen.overflow <= 0
    assert any(name.startswith("</script><img") for name in seen.legend)


def test_pages_of_a_site_share_plotly(browser: Browser, tmp_path: Path) -> None:
    report = REPORT.build(sample.book(), run=sample.RUN)
    empty = REPORT.build(sample.empty_book(), run=sample.RUN)
    write_site(tmp_path, {"aave-v3.html": Page(report=report)}, empty)
    seen = look(browser, tmp_path / "aave-v3.html", DESKTOP)
    assert seen.messages == []
    expected = [tmp_path / "aave-v3.html", tmp_path / "plotly.min.js"]
    assert seen.requests == [path.as_uri() for path in expected]
    assert all(seen.drawn)
    index = look(browser, tmp_path / "index.html", PHONE)
    assert index.messages == []
    assert index.overflow <= 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pools_and_feeds(
    browser: Browser, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    """A pool of two tokens, one of three whose lines need a legend, and one that runs out."""
    pair = sources.venue(sources.PAIR, sources.POOL, label=NASTY)
    book = sources.book(pair, sources.three_coins(), sources.depth_table())
    details = {
        page_of("pool", address): VENUE.build(book, run=sample.RUN, subject=address)
        for address in VENUE.subjects(book)
    }
    pages = {
        "pools.html": Page(report=pools(book, run=sample.RUN), details=details),
        "feeds.html": Page(report=feeds(book, run=sample.RUN)),
    }
    write_site(tmp_path, pages, pages["pools.html"].report)

    for name in (*pages, *details):
        seen = look(browser, tmp_path / name, size, dark=dark)
        assert seen.messages == [], name
        assert seen.failed == [], name
        assert seen.overflow <= 0, name
        assert seen.drawn == ([True] if name in details else []), name
    page = browser.new_page()
    page.goto((tmp_path / "pools.html").as_uri())
    page.locator("td a").first.click()
    assert page.locator("h1").text_content() == "WETH/USDC at uniswap-v2"
    page.close()


def test_numbers_behind_a_chart_can_be_saved(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(REPORT.build(sample.book(), run=sample.RUN), "html"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    with page.expect_download() as started:
        page.locator("figure.chart .save").first.click()
    assert started.value.suggested_filename == "health-factors.csv"
    assert started.value.path().read_text().startswith("series,x,y\ndebt,< 1,")
    page.close()


def test_policy_stops_what_is_not_ours(browser: Browser, tmp_path: Path) -> None:
    page = render(REPORT.build(sample.book(), run=sample.RUN), "html")
    planted = "<script>document.title = 'run'</script><img src='https://evil.example/x.png'>"
    path = tmp_path / "report.html"
    path.write_text(page.replace("</main>", planted + "</main>"), encoding="utf-8")
    seen = look(browser, path, DESKTOP)
    assert seen.failed == ["https://evil.example/x.png"]
    assert sum("Content Security Policy" in message for message in seen.messages) == 2
