"""A hint that changes no result: see `fetch`."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def ahead(array: npt.NDArray[Any], index: int) -> None:
    """The item will be read soon. Python does nothing about that."""
