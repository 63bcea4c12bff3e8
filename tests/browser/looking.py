"""What opening a page in a browser shows and causes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Size = tuple[int, int]
DESKTOP: Size = (1280, 900)
PHONE: Size = (390, 844)
SIZES = {"desktop": DESKTOP, "phone": PHONE}
SETTLED = 150
"""Milliseconds after a page is loaded within which it would draw again, or ask for something."""
NASTY = "</script><img src=//evil.example/x onerror=alert(1)>\u202e$" + "W" * 10_000
# Which charts have drawn paths, how wide the page is beyond the window, which names in a picture
# lie over each other.
MEASURE = """() => {
    const boxes = [...document.querySelectorAll(".names text")].map((name) => name.getBBox());
    const meet = (start, long, from, length) => start < from + length && from < start + long;
    const over = (one, two) => meet(one.x, one.width - 1, two.x, two.width - 1)
        && meet(one.y, one.height - 3, two.y, two.height - 3);
    const pairs = boxes.flatMap((one, place) => boxes.slice(place + 1).map((two) => [one, two]));
    return {
        drawn: [...document.querySelectorAll(".plot")]
            .map((box) => box.querySelectorAll("svg .trace path").length > 0),
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        legend: [...document.querySelectorAll(".legendtext")].map((text) => text.textContent),
        overlaps: pairs.filter(([one, two]) => over(one, two)).length,
    };
}"""


@dataclass
class Seen:
    """What opening a page caused."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    drawn: list[bool] = field(default_factory=list)
    legend: list[str] = field(default_factory=list)
    overflow: int = 0
    overlaps: int = 0


@contextmanager
def opened(
    browser: Browser, path: Path, size: Size, *, dark: bool = False
) -> Iterator[tuple[Page, Seen]]:
    """The page after its scripts have run, and what it goes on to cause."""
    seen = Seen()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: seen.messages.append(message.text))
    page.on("pageerror", lambda error: seen.messages.append(str(error)))
    page.on("dialog", lambda dialog: seen.messages.append(dialog.message))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(SETTLED)
    try:
        yield page, seen
    finally:
        context.close()


def look(browser: Browser, path: Path, size: Size, *, dark: bool = False) -> Seen:
    """Opens the page, waits until its scripts have run, and measures it."""
    with opened(browser, path, size, dark=dark) as (page, seen):
        found: dict[str, Any] = page.evaluate(MEASURE)
    seen.drawn, seen.overflow, seen.legend = found["drawn"], found["overflow"], found["legend"]
    seen.overlaps = found["overlaps"]
    return seen
