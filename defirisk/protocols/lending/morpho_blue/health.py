"""Whether a position can be liquidated, in the contract's integers.

Source: `Morpho._isHealthy` and `Morpho.liquidate` of @morpho-org/morpho-blue 1.0.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.protocols.lending.morpho_blue.market_now import MarketNow, markets_now, unit_name
from defirisk.protocols.lending.morpho_blue.oracle_price import (
    MAX_UINT256,
    ORACLE_PRICE_SCALE,
    shocked_price,
)
from defirisk.protocols.lending.morpho_blue.rows import Market, Position
from defirisk.protocols.lending.morpho_blue.shares import (
    WAD,
    mul_div_down,
    to_assets_up,
    w_div_down,
    w_mul_down,
)

LIQUIDATION_CURSOR = 3 * 10**17
MAX_LIQUIDATION_INCENTIVE_FACTOR = 115 * 10**16
COLLATERAL, SUPPLY, DEBT = 0, 1, 2
QUOTES_PER_MARKET = 3
"""Quotes of a market, in this order: its collateral, its lent and its borrowed loan token."""


def liquidation_incentive_factor(lltv_wad: int) -> int:
    """What a liquidator gets for 1 of repaid debt, in wad."""
    factor = w_div_down(WAD, WAD - w_mul_down(LIQUIDATION_CURSOR, WAD - lltv_wad))
    return min(MAX_LIQUIDATION_INCENTIVE_FACTOR, factor)


def is_healthy(market: Market, position: Position, price: int) -> bool | None:
    """`_isHealthy` in a market whose interest is accrued; `price` as the oracle states it.

    None where the contract fails, of more than 256 bits: then nobody can liquidate.
    """
    if position.collateral_raw * price > MAX_UINT256:
        return None
    borrowed = to_assets_up(
        position.borrow_shares_raw,
        market.total_borrow_assets_raw,
        market.total_borrow_shares_raw,
    )
    worth = mul_div_down(position.collateral_raw, price, ORACLE_PRICE_SCALE)
    return w_mul_down(worth, market.lltv_wad) >= borrowed


class Liquidatable:
    """Whether `liquidate` would be allowed with the prices of some quotes scaled.

    False where the oracle would not answer: then nobody can liquidate.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._units: dict[str, tuple[int, MarketNow, Position]] = {
            unit_name(position): (QUOTES_PER_MARKET * at, now, position)
            for at, now in enumerate(markets_now(snapshot))
            for position in now.positions
        }

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        if unit not in self._units:
            return False
        first, now, position = self._units[unit]
        base = prices.get(first + COLLATERAL, Fraction(1))
        quote = prices.get(first + DEBT, Fraction(1))
        price = now.price.price
        if base != 1 or quote != 1:
            price = shocked_price(now.price, base, quote, apart=now.worth.apart)
        return price is not None and is_healthy(now.market, position, price) is False
