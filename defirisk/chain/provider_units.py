"""What calls cost at providers that charge by method."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderUnits:
    """One provider's prices: units per call by method, and where they were read."""

    name: str
    unit: str
    source: str
    default: int
    prices: Mapping[str, int]

    def cost(self, calls: Mapping[str, int]) -> int:
        """Units for so many calls of each method."""
        return sum(self.prices.get(name, self.default) * count for name, count in calls.items())


@cache
def provider_units() -> tuple[ProviderUnits, ...]:
    """Every provider whose prices are known."""
    path = files("defirisk.chain").joinpath("provider_units.toml")
    return tuple(
        ProviderUnits(
            name=name,
            unit=table.pop("unit"),
            source=table.pop("source"),
            default=table.pop("default"),
            prices=table,
        )
        for name, table in tomllib.loads(path.read_text("utf-8")).items()
    )
