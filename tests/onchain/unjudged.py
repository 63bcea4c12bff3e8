"""Prices of the shared chain of which nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unjudged(described: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """By feed and asset, why: Maker's pip says what its owner writes, and marks of Perp Curie are
    moved by trades in its own pools.

    `described` is the chain's `deployment.json`.
    """
    marks = {
        (described["assets"][base["asset"]]["feed"], symbol): "perpetual"
        for symbol, base in described["curie_perp"]["bases"].items()
    }
    return {(described["maker"]["addresses"]["PIP_ETH"], "WETH"): "unknown source", **marks}
