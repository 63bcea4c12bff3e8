"""cTokens as claims on their underlying tokens, at the exchange rate of their last accrual.

Source: `CToken.exchangeRateStored` of npm @thenextblock/hardhat-compound 0.0.14.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.claim import Claim
from defirisk.core.quote import Conversion, Market, Product
from defirisk.protocols.lending.compound_v2.market_now import CTokenNow, market_now
from defirisk.protocols.lending.compound_v2.rows import MANTISSA

C_TOKEN_DECIMALS = 8


def claims(snapshot: Snapshot) -> Iterator[Claim]:
    """Every listed cToken whose exchange rate and underlying decimals are known."""
    for now in market_now(snapshot).tokens.values():
        rate = exchange_rate(now)
        if rate is not None:
            yield _claim(now, rate)


def exchange_rate(now: CTokenNow) -> Fraction | None:
    """Whole underlying tokens per whole cToken; None where `exchangeRateStored` is not known."""
    mantissa = now.valued.exchange_rate_mantissa
    if not mantissa or now.decimals is None:
        return None
    return Fraction(mantissa, MANTISSA) * Fraction(10) ** (C_TOKEN_DECIMALS - now.decimals)


def _claim(now: CTokenNow, rate: Fraction) -> Claim:
    token = now.token
    return Claim(
        token=token.c_token,
        kind="c-token",
        program=Product((Conversion(token.c_token, rate), Market(now.asset, None))),
        underlying=now.asset,
        rate=rate,
        total_assets_raw=token.cash_raw + token.total_borrows_raw - token.total_reserves_raw,
        supply_raw=token.total_supply_raw,
        grade="read" if token.cash_read else "logs",
    )
