"""What the owner of the system does along the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..chain import Tx
from ..protocol import ADMIN
from .market import Synthetix
from .system import STALE_PERIOD, UNIT, name32

Reform = Callable[["Governance"], Sequence[Tx]]
UPGRADE = 1
ADDED = {"AAVE": 0.15, "LINK": 0.20}
REMOVED = {"AAVE": 0.62}


@dataclass(frozen=True)
class Governance:
    """Scheduled transactions of the admin."""

    synthetix: Synthetix
    steps: int

    def due(self, step: int) -> list[Tx]:
        """Transactions of `step`."""
        return [
            tx for date, reform in REFORMS if step == int(date * self.steps) for tx in reform(self)
        ]

    def open(self, asset: str, step: int) -> bool:
        """Whether one may trade in a market during a step, as far as its owner allows it."""
        added, removed = ADDED.get(asset, 0.0), REMOVED.get(asset, 1.0)
        return int(added * self.steps) < step < int(removed * self.steps) or (
            not added and step == 0
        )

    def parameter(self, name: str, asset: str, value: int) -> Tx:
        """A parameter of one market."""
        key = name32(self.synthetix.perps[asset].key)
        return self._settings(f"set{name}(bytes32,uint256)", key, value)

    def globally(self, name: str, value: int) -> Tx:
        """A parameter of all markets."""
        return self._settings(f"set{name}(uint256)", value)

    def stale_period(self, seconds: int) -> Tx:
        """How old a rate may be."""
        to = self.synthetix.system["SystemSettings"]
        return Tx(ADMIN, to, "setRateStalePeriod(uint256)", (seconds,))

    def suspend(self, section: str, name: str, suspended: bool) -> Tx:
        """A synth or a market, by its name."""
        to = self.synthetix.system["SystemStatus"]
        if suspended:
            signature = f"suspend{section}(bytes32,uint256)"
            return Tx(ADMIN, to, signature, (name32(name), UPGRADE))
        return Tx(ADMIN, to, f"resume{section}(bytes32)", (name32(name),))

    def suspend_all(self, section: str, suspended: bool) -> Tx:
        """The system, all exchanges or all perps."""
        to = self.synthetix.system["SystemStatus"]
        if suspended:
            return Tx(ADMIN, to, f"suspend{section}(uint256)", (UPGRADE,))
        return Tx(ADMIN, to, f"resume{section}()")

    def _settings(self, signature: str, *args: object) -> Tx:
        return Tx(ADMIN, self.synthetix.system["PerpsV2MarketSettings"], signature, args)


# (part of the timeline, what is done)
REFORMS: tuple[tuple[float, Reform], ...] = (
    (ADDED["AAVE"], lambda its: its.synthetix.add("AAVE")),
    (ADDED["LINK"], lambda its: its.synthetix.add("LINK")),
    (0.25, lambda its: [its.parameter("LiquidationBufferRatio", "sETH", 10**16)]),
    (0.30, lambda its: [its.parameter("SkewScale", "sBTC", 80_000 * UNIT)]),
    (0.32, lambda its: [its.suspend("FuturesMarket", "sBTCPERP", True)]),
    (0.34, lambda its: [its.suspend("FuturesMarket", "sBTCPERP", False)]),
    (0.36, lambda its: [its.parameter("LiquidationPremiumMultiplier", "sETH", 3 * UNIT)]),
    (0.40, lambda its: [its.suspend("Synth", "sBTC", True)]),
    (0.46, lambda its: [its.suspend("Synth", "sBTC", False)]),
    (0.46, lambda its: [its.globally("MinInitialMargin", 60 * UNIT)]),
    (0.46, lambda its: [its.globally("MinKeeperFee", 3 * UNIT)]),
    (0.47, lambda its: [its.globally("MaxKeeperFee", 800 * UNIT)]),
    (0.48, lambda its: [its.globally("KeeperLiquidationFee", 25 * UNIT // 10)]),
    (0.49, lambda its: [its.globally("LiquidationFeeRatio", 4 * 10**15)]),
    (0.50, lambda its: [its.parameter("MaxFundingVelocity", "sETH", UNIT // 25)]),
    (0.53, lambda its: [its.parameter("MaxLeverage", "sBTC", 40 * UNIT)]),
    (0.55, lambda its: [its.stale_period(20)]),
    (0.61, lambda its: [its.stale_period(STALE_PERIOD)]),
    (REMOVED["AAVE"], lambda its: [its.synthetix.remove("AAVE")]),
    (0.80, lambda its: [its.suspend_all("Futures", True)]),
    (0.82, lambda its: [its.suspend_all("Futures", False)]),
)
