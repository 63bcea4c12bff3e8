"""The scenarios that are executed: ten single shocks and five joint ones, on each protocol alone.

Prices are absolute, so that what feeds of assets near a dollar answer is not cut to eight decimals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from .markets import AAVE_V3, AAVE_V3_0, COMPOUND, MORPHO
from .record import Settings

SETTINGS = Settings(max_rounds=40)
PROTOCOLS = (AAVE_V3, AAVE_V3_0, COMPOUND, MORPHO)
SINGLE = (
    ("price:WETH=1130",),
    ("price:WETH=880",),
    ("price:WETH=480",),
    ("price:WETH=2400",),
    ("price:WBTC=22300",),
    ("price:WBTC=64000",),
    ("price:LINK=1.9",),
    ("price:DAI=1.3",),
    ("price:USDC=0.88",),
    ("price:USDT=1.25",),
)
JOINT = (
    ("price:WETH=880", "price:WBTC=22300"),
    ("price:WETH=1005", "price:WBTC=27000", "price:LINK=3.4"),
    ("price:WETH=690", "price:USDC=0.95"),
    ("price:LINK=2.4", "price:USDT=1.07"),
    ("price:WETH=600", "price:WBTC=15900", "price:LINK=2"),
)


@dataclass(frozen=True)
class Case:
    """Shocks, the deployments whose units take part, and what is assumed; `note` says what is
    assumed otherwise.
    """

    deployments: tuple[str, ...]
    shocks: tuple[str, ...]
    note: str = ""
    settings: Settings = SETTINGS

    @property
    def label(self) -> str:
        """For people, and for file names."""
        where = self.deployments[0] if len(self.deployments) == 1 else "together"
        return " ".join((where, *self.shocks, *self.note.split()))


CASES = tuple(Case((protocol,), shocks) for protocol in PROTOCOLS for shocks in (*SINGLE, *JOINT))
OTHERWISE = (
    Case(PROTOCOLS, JOINT[1]),  # all sell into the same pools
    Case(
        *((AAVE_V3,), SINGLE[0], "little capacity"),
        replace(SETTINGS, keeper_capacity_usd=Fraction(150_000)),
    ),
    Case(
        *((AAVE_V3_0,), JOINT[4], "slow rounds"),
        replace(SETTINGS, round_seconds=300, slices=1, max_rounds=11),
    ),
    Case(
        *((COMPOUND,), JOINT[0], "lazy feeds"),
        replace(SETTINGS, feed_deviation=Fraction(1, 25), slices=7),
    ),
    Case(
        *((MORPHO,), JOINT[2], "dear gas, known depth"),
        replace(SETTINGS, gas_usd=Fraction(200), unknown_depth=False),
    ),
)
"""Everybody at once, and other assumptions."""

FEW = (
    Case((AAVE_V3,), SINGLE[4]),
    Case((AAVE_V3_0,), JOINT[0]),
    Case((COMPOUND,), SINGLE[7]),
    Case((MORPHO,), SINGLE[4]),
)
"""For every commit: all mechanisms, several rounds, bad debt."""
