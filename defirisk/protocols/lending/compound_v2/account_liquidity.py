"""`getAccountLiquidity` and `getAccountSnapshot` in the contracts' integers.

Source: `Comptroller.getHypotheticalAccountLiquidityInternal`, `CToken.exchangeRateStoredInternal`
and `CToken.borrowBalanceStoredInternal` of npm @thenextblock/hardhat-compound 0.0.14. All of them
take a market as of its last accrual: no interest since then counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from defirisk.protocols.lending.compound_v2.rows import MANTISSA, AccountMarket, CToken

PRICE_ERROR = 13
SNAPSHOT_ERROR = 15
"""`ComptrollerErrorReporter.Error`."""
_TOO_LARGE = 2**256


class AccountLiquidity(NamedTuple):
    """The outputs of `getAccountLiquidity`: dollars (of the oracle's unit) times 1e18."""

    error: int
    liquidity: int
    shortfall: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """A market as the Comptroller values it. `price_mantissa` is None where its oracle reverts,
    `exchange_rate_mantissa` where the cToken has more reserves than it holds and has lent.
    """

    token: CToken
    exchange_rate_mantissa: int | None
    price_mantissa: int | None


def exchange_rate(token: CToken, initial_mantissa: int) -> int | None:
    """`exchangeRateStored`: base units of the underlying for a base unit of cToken, times 1e18."""
    if token.total_supply_raw == 0:
        return initial_mantissa
    owned = token.cash_raw + token.total_borrows_raw - token.total_reserves_raw
    return owned * MANTISSA // token.total_supply_raw if owned >= 0 else None


def borrow_balance(row: AccountMarket, token: CToken) -> int:
    """`borrowBalanceStored`, base units of the underlying."""
    if row.principal_raw == 0:
        return 0
    return row.principal_raw * token.borrow_index_mantissa // row.interest_index_mantissa


def account_liquidity(
    rows: Iterable[AccountMarket], markets: Mapping[str, Valued]
) -> AccountLiquidity | None:
    """Over the markets that the account entered; None where the contract would revert.

    Where one market has no price and another a broken exchange rate, the contract states the error
    of the one entered first, this that of the lower address.
    """
    collateral = borrow = 0
    try:
        for row in rows:
            if not row.entered:
                continue
            market = markets[row.c_token]
            rate, price = market.exchange_rate_mantissa, market.price_mantissa
            if rate is None:
                return AccountLiquidity(SNAPSHOT_ERROR, 0, 0)
            if price is None:
                return None
            if price == 0:
                return AccountLiquidity(PRICE_ERROR, 0, 0)
            weighted = _times(market.token.collateral_factor_mantissa, rate) // MANTISSA
            tokens_to_denom = _times(weighted, price) // MANTISSA
            collateral += _times(tokens_to_denom, row.tokens_raw) // MANTISSA
            borrow += _times(price, borrow_balance(row, market.token)) // MANTISSA
    except OverflowError:
        return None
    return AccountLiquidity(0, max(0, collateral - borrow), max(0, borrow - collateral))


def _times(left: int, right: int) -> int:
    product = left * right
    if product >= _TOO_LARGE:
        raise OverflowError("mul_: multiplication overflow")
    return product
