"""The browser that every test of pages opens them in, and the demo's pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import FLAGS, NoChromium, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TWO_MINUTES = 120


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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `defirisk demo` writes, which it must do within two minutes."""
    folder = tmp_path_factory.mktemp("site") / "out"
    command = [sys.executable, "-m", "defirisk", "demo", "-o", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=TWO_MINUTES)
    return folder
