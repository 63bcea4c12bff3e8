"""aTokens as claims on the assets of their reserves: one for one, interest is more of them.

Source: `AToken` of @aave-dao/aave-v3-origin 3.6.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.claim import Claim
from defirisk.core.quote import Conversion, Market, Product
from defirisk.protocols.lending.aave_v3.market_now import market_now

ONE = Fraction(1)


def claims(snapshot: Snapshot) -> Iterator[Claim]:
    """The aToken of every reserve. Its conversion moves where a deficit is written off."""
    market = market_now(snapshot)
    for asset, now in market.reserves.items():
        token = now.reserve.a_token
        supply = market.generation.balances.a_token(
            now.reserve.scaled_supply_raw, now.liquidity_index_ray
        )
        yield Claim(
            token=token,
            kind="a-token",
            program=Product((Conversion(token, ONE), Market(asset, None))),
            underlying=asset,
            rate=ONE,
            total_assets_raw=supply,
            supply_raw=supply,
        )
