"""Fixtures that every test may ask for."""

from collections import Counter

import pytest
from hypothesis import settings

pytest_plugins = ["tests.devnet.fixtures", "tests.fixtures"]

# These machines are shared: how long an example takes says nothing about the code.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

LONG = {"browser", "packaging", "onchain", "hostile"}
"""Folders whose tests are few and long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, lest one process ends long after the other.

    One process runs a file. Among equals, that with the most tests counts as the longest.
    """
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (LONG.isdisjoint(item.path.parts), -tests[item.path], item.path))
