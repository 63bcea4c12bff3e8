"""Every page of the demo in a real browser: drawn, quiet, alone, no wider than the screen."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import (
    DESKTOP,
    MODES,
    PHONE,
    SIZES,
    Size,
    look_in_every_mode,
    opened,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PAGES = ("index.html", "pools.html", "feeds.html", "stress.html", "graph.html", "verify.html")
LINKS = "nodes => nodes.map(node => node.getAttribute('href'))"


def test_every_page_is_drawn_quiet_alone_and_fits_in_every_mode(
    browser: Browser, site: Path
) -> None:
    pages = sorted(site.glob("*.html"))
    assert set(PAGES) < {path.name for path in pages}
    looks, papers = set(), set()
    for path, mode, seen in look_in_every_mode(browser, pages):
        where = f"{path.name} in {mode}"
        shared = [(site / "plotly.min.js").as_uri()] if seen.drawn else []
        assert seen.messages == [], where
        assert seen.requests == [path.as_uri(), *shared], where
        assert all(seen.drawn), where
        assert seen.overflow <= 0, where
        assert seen.overlaps == 0, where
        looks.add((path, mode))
        papers.add((mode[1], seen.paper))
    assert looks == set(product(pages, MODES))
    assert len(papers) == len({paper for _, paper in papers}) == 2  # one dark, one light


def test_every_page_has_the_same_navigation_which_leads_to_it(browser: Browser, site: Path) -> None:
    with opened(browser, site / "index.html", DESKTOP) as (page, _):
        expected = page.locator("nav.site a").evaluate_all(LINKS)
        rows = page.locator("figure.table:has(b:text-is('Pages')) td a").evaluate_all(LINKS)
    assert set(PAGES) < set(expected)
    assert rows == expected[1:]
    reached = set(expected)
    for path in site.glob("*.html"):
        bar, _, body = path.read_text(encoding="utf-8").partition("</nav>")
        assert re.findall(r'<a href="([^"]*)"', bar) == expected, path.name
        assert bar.count('aria-current="page"') == 1, path.name
        reached |= set(re.findall(r'<td[^>]*><a href="([^"]*)"', body))
    assert {path.name for path in site.glob("*.html")} == reached


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
def test_the_pages_of_protocols_are_folded(browser: Browser, site: Path, size: Size) -> None:
    with opened(browser, site / "graph.html", size) as (page, seen):
        link = page.locator("nav.site a", has_text="morpho-devnet")
        assert not link.is_visible()
        page.locator("nav.site summary").click()
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        link.click()
        assert page.locator("h1").text_content() == "Risk of morpho-devnet"
        folded = page.locator("nav.site summary").text_content()
        assert folded == "Protocols: morpho-devnet"
    assert seen.messages == []


def test_a_table_wider_than_a_phone_scrolls_by_itself(browser: Browser, site: Path) -> None:
    with opened(browser, site / "pools.html", PHONE) as (page, _):
        wide = page.locator(".scroll").first
        hidden = wide.evaluate("box => box.scrollWidth - box.clientWidth")
        wide.evaluate("box => { box.scrollLeft = 10000; }")
        assert wide.evaluate("box => box.scrollLeft") == hidden > 0
