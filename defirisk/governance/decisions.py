"""Decisions near the edge, written down: repeating them needs neither rows nor a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

from defirisk.core.book import Edge
from defirisk.core.errors import CheckFailed


class Recording:
    """Asks another edge and remembers what it said. Implements `core.book.Edge`."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.said: dict[str, bool] = {}

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """As the other edge says."""
        key = _key(unit, prices)
        if key not in self.said:
            self.said[key] = self._edge.liquidatable(unit, prices)
        return self.said[key]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Says again what was said. Implements `core.book.Edge`."""

    said: Mapping[str, bool]

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Errors: `CheckFailed` where nobody asked before: the numbers are then others."""
        key = _key(unit, prices)
        if key not in self.said:
            raise CheckFailed(
                f"unit {unit} comes nearer to the edge than when the bundle was made, and the "
                "contract's integers are not in it: repeat it with the version that made it"
            )
        return self.said[key]


def _key(unit: int, prices: Mapping[int, Fraction]) -> str:
    """The question in few characters: which unit, at which exact prices."""
    stated = ";".join(f"{quote}={prices[quote]}" for quote in sorted(prices))
    return f"{unit}:{sha256(stated.encode()).hexdigest()[:24]}"
