"""The browser that every test of pages opens them in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import FLAGS, NoChromium, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: while it is open, no other test can run an event loop."""
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
