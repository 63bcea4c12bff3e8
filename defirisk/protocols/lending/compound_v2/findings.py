"""What must be said wherever numbers of a Compound v2 market are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.protocols.lending.compound_v2.account_liquidity import borrow_balance
from defirisk.protocols.lending.compound_v2.accrual import accrued
from defirisk.protocols.lending.compound_v2.market_now import (
    NATIVE_DECIMALS,
    CTokenNow,
    MarketNow,
    market_now,
)
from defirisk.protocols.lending.compound_v2.rows import Implementation

STALE_INTEREST = 1_000
"""Interest of more than one part in so many, due since the last accrual, is worth saying."""


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Unproven code, missing prices, numbers that were read, interest that is not counted."""
    yield from _unproven(snapshot)
    market = market_now(snapshot)
    for now in market.tokens.values():
        token = snapshot.tokens.get(now.asset)
        for code, text in (
            *_of_market(now, snapshot.block.number),
            *_deprecated(now, market),
        ):
            yield Finding(code=code, text=f"{token.symbol if token else now.asset} {text}")


def _deprecated(now: CTokenNow, market: MarketNow) -> Iterator[tuple[str, str]]:
    """Not a matter of health: no book says so of a unit, and no price changes it."""
    if now.deprecated:
        debts = [
            borrow_balance(row, now.token)
            for rows in market.positions.values()
            for row in rows
            if row.c_token == now.token.c_token and row.principal_raw
        ]
        who = "1 account" if len(debts) == 1 else f"{len(debts)} accounts"
        unit = 10 ** (NATIVE_DECIMALS if now.decimals is None else now.decimals)
        yield (
            "deprecated-market",
            f"is deprecated: whoever owes it ({who}, {sum(debts) / unit:,.6g} in all) can be "
            "liquidated in full, also without a shortfall, which health factors and shocks leave "
            "out",
        )


def _of_market(now: CTokenNow, block_number: int) -> Iterator[tuple[str, str]]:
    if not now.price.mantissa or now.decimals is None:
        yield (
            "no-price",
            "has no price at this block: accounts that entered its market are left out",
        )
    if now.token.cash_read:
        yield (
            "cash-read",
            "was sent to its cToken without the market's knowledge: its cash was read, not folded",
        )
    if now.rates is not None and _stale(now, block_number):
        blocks = block_number - now.token.accrual_block_number
        yield (
            "stale-interest",
            f"accrued no interest for {blocks} blocks: debts and balances are as of then, as the "
            "Comptroller takes them, until somebody touches the market",
        )


def _stale(now: CTokenNow, block_number: int) -> bool:
    assert now.rates is not None
    index = now.token.borrow_index_mantissa
    due = accrued(now.token, now.rates.borrow_mantissa, block_number).borrow_index_mantissa - index
    return now.token.total_borrows_raw > 0 and due * STALE_INTEREST > index


def _unproven(snapshot: Snapshot) -> Iterator[Finding]:
    unproven: dict[str, int] = {}
    for row in snapshot.rows.all(Implementation):
        if not row.proven:
            unproven[row.role] = unproven.get(row.role, 0) + 1
    for role, count in sorted(unproven.items()):
        name = "cToken" if role == "c_token" else role
        contracts = f"1 {name} runs" if count == 1 else f"{count} {name}s run"
        yield Finding(
            code="unproven-implementation",
            text=f"{contracts} code of another generation, which was never compared with ours: "
            "treat numbers that depend on it as unproven; what a fork may add (liquidation "
            "thresholds apart from collateral factors, debt minted outside the markets, groups of "
            "markets with factors of their own) is not counted",
        )
