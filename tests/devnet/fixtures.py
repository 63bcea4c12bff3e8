"""Pytest fixtures of the local chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .build import Devnet, build, start


@pytest.fixture(scope="session")
def devnet_path() -> Path:
    """Built directory of seed 1."""
    return build(1)


@pytest.fixture(scope="session")
def devnet(devnet_path: Path) -> Iterator[Devnet]:
    """The chain of seed 1, running."""
    with start(devnet_path) as running:
        yield running
