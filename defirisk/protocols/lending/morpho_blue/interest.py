"""Interest: what a market's totals are at a moment, and at which rate.

Source: `Morpho._accrueInterest`, `MathLib.wTaylorCompounded` and `IrmMock` of
@morpho-org/morpho-blue 1.0.0. Rates are in wad per second.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Rows
from defirisk.protocols.lending.morpho_blue.rows import BorrowRate, Irm, Market
from defirisk.protocols.lending.morpho_blue.shares import (
    WAD,
    mul_div_down,
    to_shares_down,
    w_div_down,
    w_mul_down,
)

SECONDS_PER_YEAR = 365 * 24 * 60 * 60


class Rate(NamedTuple):
    """A rate and how it is known. "estimated": the rate of the last accrual, for want of better."""

    wad: int
    grade: Literal["logs", "read", "estimated"]


class Accrued(NamedTuple):
    """A market with its interest, and what the fee recipient is owed beyond what is stored."""

    market: Market
    interest: int
    fee_shares: int


def proportional_rate(market: Market) -> int:
    """The rate of an IRM at which x % utilisation costs x % a year."""
    if market.total_supply_assets_raw == 0:
        return 0
    utilisation = w_div_down(market.total_borrow_assets_raw, market.total_supply_assets_raw)
    return utilisation // SECONDS_PER_YEAR


def borrow_rate(market: Market, rows: Rows) -> Rate:
    """The rate from the market's last update on, as the logs or the last run's views know it."""
    if market.irm == ZERO_ADDRESS:
        return Rate(0, "logs")
    irm = rows.find(Irm, market.irm)
    if irm is not None and irm.proportional:
        return Rate(proportional_rate(market), "logs")
    read = rows.find(BorrowRate, market.market_id)
    if read is not None and read.last_update_ts == market.last_update_ts:
        return Rate(read.rate_wad, "read")
    return Rate(market.prev_borrow_rate_wad, "estimated")


def taylor_compounded(rate_wad: int, seconds: int) -> int:
    """Three terms of e^(rate * seconds) - 1, in wad."""
    first = rate_wad * seconds
    second = mul_div_down(first, first, 2 * WAD)
    return first + second + mul_div_down(second, first, 3 * WAD)


def accrue(market: Market, rate_wad: int, now_ts: int) -> Accrued:
    """The market as `accrueInterest` would leave it at `now_ts`."""
    elapsed = now_ts - market.last_update_ts
    if elapsed == 0 or market.irm == ZERO_ADDRESS:
        return Accrued(replace(market, last_update_ts=now_ts), 0, 0)
    interest = w_mul_down(market.total_borrow_assets_raw, taylor_compounded(rate_wad, elapsed))
    supplied = market.total_supply_assets_raw + interest
    fee = w_mul_down(interest, market.fee_wad)
    # The whole interest is in the supply already; the fee buys its shares at the price without it.
    fee_shares = to_shares_down(fee, supplied - fee, market.total_supply_shares_raw)
    grown = replace(
        market,
        total_supply_assets_raw=supplied,
        total_borrow_assets_raw=market.total_borrow_assets_raw + interest,
        total_supply_shares_raw=market.total_supply_shares_raw + fee_shares,
        last_update_ts=now_ts,
    )
    return Accrued(grown, interest, fee_shares)
