"""Half a year of prices: random walks with two crashes and two broken pegs, or with none."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .reserves import RESERVES

DAYS = 182.0

# Daily volatility, and how much of the common market movement a token takes.
VOLATILITY = {
    "WETH": (0.022, 1.0),
    "WBTC": (0.018, 0.8),
    "LINK": (0.032, 1.2),
    "AAVE": (0.032, 1.2),
}
MARKET_VOLATILITY = 0.018
STABLE_NOISE = {"USDC": 0.0003, "USDT": 0.0006, "DAI": 0.0008}
VAULT_NOISE = 0.0006
BELIEVED = {"FRAX": 1.0}  # in dollars; no feed reports it


@dataclass(frozen=True)
class Jump:
    """A movement on top of the random walk, spread evenly over part of the timeline."""

    start: float
    end: float
    factors: dict[str, float]


JUMPS = (
    # A slide that keepers can follow: mostly partial liquidations.
    Jump(0.38, 0.44, {"WETH": 0.74, "WBTC": 0.80, "LINK": 0.72, "AAVE": 0.75}),
    Jump(0.48, 0.60, {"WETH": 1.25, "WBTC": 1.18, "LINK": 1.30, "AAVE": 1.25}),
    # A gap that leaves some accounts with more debt than collateral.
    Jump(0.74, 0.745, {"WETH": 0.80, "WBTC": 0.86, "LINK": 0.52, "AAVE": 0.55}),
    Jump(0.75, 0.79, {"WETH": 0.90, "WBTC": 0.93, "LINK": 0.90, "AAVE": 0.92}),
    Jump(0.82, 0.95, {"WETH": 1.12, "WBTC": 1.10, "LINK": 1.25, "AAVE": 1.20}),
)
# The last step goes below everything since the edge borrowers came.
LAST_DROP = {"WETH": 0.94, "WBTC": 0.94, "LINK": 0.90, "AAVE": 0.91}
LAST_STEPS = 6

# Relative to the peg, in these parts of the timeline.
BROKEN_PEGS = (("USDC", 0.28, 0.31, 0.965), ("yWETH", 0.64, 0.68, 0.955))


class Prices:
    """The current price of every asset in dollars; `advance` moves them one step on.

    In a `calm` half year nothing crashes, and no peg breaks.
    """

    def __init__(self, rng: random.Random, steps: int, calm: bool = False) -> None:
        self._calm = calm
        self._rng = rng
        self._steps = steps
        self._walk = {reserve.symbol: reserve.price for reserve in RESERVES}
        self._low = dict(self._walk)
        self.current = dict(self._walk)

    def advance(self, step: int, vault_rate: float) -> None:
        """Prices of `step`, given what a share of yWETH is worth in WETH."""
        days = DAYS / self._steps
        common = self._rng.gauss(0.0, MARKET_VOLATILITY * math.sqrt(days))
        for symbol, (volatility, beta) in VOLATILITY.items():
            own = self._rng.gauss(0.0, volatility * math.sqrt(days))
            self._walk[symbol] *= math.exp(beta * common + own) * self._jump(symbol, step)
            self.current[symbol] = self._walk[symbol]
            if step < self._steps - LAST_STEPS:
                self._low[symbol] = self._walk[symbol]
            self._low[symbol] = min(self._low[symbol], self._walk[symbol])
            if step == self._steps - 1 and not self._calm:
                self.current[symbol] = self._low[symbol] * LAST_DROP[symbol]
        for symbol, noise in STABLE_NOISE.items():
            self.current[symbol] = self._rng.gauss(1.0, noise) * self._peg(symbol, step)
        vault = self.current["WETH"] * vault_rate * self._rng.gauss(1.0, VAULT_NOISE)
        self.current["yWETH"] = vault * self._peg("yWETH", step)

    def _jump(self, symbol: str, step: int) -> float:
        factor = 1.0
        for jump in () if self._calm else JUMPS:
            first = int(jump.start * self._steps)
            last = max(first, int(jump.end * self._steps))
            if first <= step <= last:
                factor *= jump.factors[symbol] ** (1 / (last - first + 1))
        return factor

    def _peg(self, symbol: str, step: int) -> float:
        for broken, start, end, level in () if self._calm else BROKEN_PEGS:
            if symbol == broken and int(start * self._steps) <= step <= int(end * self._steps):
                return level
        return 1.0
