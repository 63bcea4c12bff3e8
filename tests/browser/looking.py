"""What opening a page in a browser shows and causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Size = tuple[int, int]
Mode = tuple[Size, bool]
"""A window, and whether the reader likes it dark."""
DESKTOP: Size = (1280, 900)
PHONE: Size = (390, 844)
SIZES = {"desktop": DESKTOP, "phone": PHONE}
MODES: tuple[Mode, ...] = ((DESKTOP, False), (PHONE, True), (PHONE, False), (DESKTOP, True))
"""Each differs in brightness from the one before, and a page that goes dark or light draws anew."""
SETTLED = 150
"""Milliseconds after a page is loaded within which it would draw again, or ask for something."""
AT_ONCE = 6
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
        paper: getComputedStyle(document.documentElement).getPropertyValue("--paper"),
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
    paper: str = ""


@contextmanager
def opened(
    browser: Browser, path: Path, size: Size, *, dark: bool = False
) -> Iterator[tuple[Page, Seen]]:
    """The page after its scripts have run, and what it goes on to cause."""
    with _loaded(browser, path, (size, dark)) as (page, seen):
        page.wait_for_timeout(SETTLED)
        yield page, seen


@contextmanager
def _loaded(browser: Browser, path: Path, mode: Mode) -> Iterator[tuple[Page, Seen]]:
    seen = Seen()
    size, dark = mode
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
    try:
        yield page, seen
    finally:
        context.close()


def look(browser: Browser, path: Path, size: Size, *, dark: bool = False) -> Seen:
    """Opens the page, waits until its scripts have run, and measures it."""
    with opened(browser, path, size, dark=dark) as (page, seen):
        return _measured(page, seen)


def look_in_every_mode(
    browser: Browser, paths: Sequence[Path]
) -> Iterator[tuple[Path, Mode, Seen]]:
    """Each page opened once, each in another mode than the one before, and measured in all modes.

    What a page causes counts for every mode from then on. Pages wait together.
    """
    for first in range(0, len(paths), AT_ONCE):
        with ExitStack() as stack:
            pages = []
            for place, path in enumerate(paths[first : first + AT_ONCE], first):
                turn = place % len(MODES)
                modes = MODES[turn:] + MODES[:turn]
                page, seen = stack.enter_context(_loaded(browser, path, modes[0]))
                pages.append((path, page, seen, modes))
            for step in range(len(MODES)):
                if step:
                    for _, page, _, modes in pages:
                        _turn(page, modes[step])
                pages[-1][1].wait_for_timeout(SETTLED)
                for path, page, seen, modes in pages:
                    yield path, modes[step], _measured(page, seen)


def _turn(page: Page, mode: Mode) -> None:
    """The window first: what is then drawn anew is drawn as if the page had been opened so."""
    size, dark = mode
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if dark else "light")


def _measured(page: Page, seen: Seen) -> Seen:
    found: dict[str, Any] = page.evaluate(MEASURE)
    seen.drawn, seen.overflow, seen.legend = found["drawn"], found["overflow"], found["legend"]
    seen.overlaps, seen.paper = found["overlaps"], found["paper"]
    return seen
