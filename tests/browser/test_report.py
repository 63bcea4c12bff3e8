"""The pages in a real browser: drawn, quiet, alone, and no wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defirisk.reports.protocol import REPORT
from defirisk.reports.render import render
from defirisk.reports.site import write_site
from defirisk.reports.sources import feeds, page_of, pools
from defirisk.reports.venue import REPORT as VENUE
from tests.browser.chromium import FLAGS, NoChromium, find_chromium
from tests.unit.reports import sample, sources

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (390, 844)
NASTY = "</script><img src=//evil.example/x onerror=alert(1)>\u202e$" + "W" * 10_000
# How many charts have drawn paths, and how wide the page is beyond the window.
MEASURE = """() => ({
    drawn: [...document.querySelectorAll(".plot")]
        .map((box) => box.querySelectorAll("svg .trace path").length > 0),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    legend: [...document.querySelectorAll(".legendtext")].map((text) => text.textContent),
})"""


@dataclass
class Seen:
    """What opening a page caused."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    drawn: list[bool] = field(default_factory=list)
    legend: list[str] = field(default_factory=list)
    overflow: int = 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        chromium = find_chromium()
    except NoChromium as error:
        pytest.skip(str(error))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        env: dict[str, str | float | bool] = dict(chromium.env)
        opened = playwright.chromium.launch(
            executable_path=chromium.path, args=list(FLAGS), env=env, headless=True
        )
        yield opened
        opened.close()


def look(browser: Browser, path: Path, size: tuple[int, int], *, dark: bool = False) -> Seen:
    """Opens the page and waits until its scripts have run."""
    seen = Seen()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.on("console", lambda message: seen.messages.append(message.text))
    page.on("pageerror", lambda error: seen.messages.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    found: dict[str, Any] = page.evaluate(MEASURE)
    seen.drawn, seen.overflow, seen.legend = found["drawn"], found["overflow"], found["legend"]
    context.close()
    return seen


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
    write_site(tmp_path, {"aave-v3.html": report}, empty)
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
    lists = {"pools.html": pools(book, run=sample.RUN), "feeds.html": feeds(book, run=sample.RUN)}
    details = {
        page_of("pool", address): VENUE.build(book, run=sample.RUN, subject=address)
        for address in VENUE.subjects(book)
    }
    write_site(tmp_path, lists, lists["pools.html"], details)

    for name in (*lists, *details):
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
