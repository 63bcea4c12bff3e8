"""What a system of collateralised debt has and owes itself: ceiling, surplus, debt written off."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.debt_position import DebtAuction, DebtMarket, DebtReserves, DebtSystem
from defirisk.reports.labels import token_label
from defirisk.reports.model import Column, Number, Numbers, Table, Value
from defirisk.reports.value import show


def tiles(of: DebtSystem) -> Iterator[Numbers]:
    """What the system states of itself, in whole tokens of the debt."""
    if of.reserves is None:
        return
    unit, own = 10 ** of.markets[0].debt_decimals, of.reserves
    asked = sum(max(0, one.asked_raw - one.bid_raw) for one in of.auctions)
    yield Numbers(
        (
            Number(
                key="debt_of_all",
                label="Debt of all",
                value=own.debt_raw / unit,
                kind="token",
                note=_ceiling(own, unit),
            ),
            Number(
                key="surplus",
                label="Surplus",
                value=None if own.surplus_raw is None else own.surplus_raw / unit,
                kind="token",
                note="what the system has itself",
            ),
            Number(
                key="written_off",
                label="Debt written off",
                value=own.written_off_raw / unit,
                kind="token",
                note="taken from positions, to be paid off",
                tone="loss",
            ),
            Number(
                key="auctions",
                label="Auctions still ask for",
                value=asked / unit,
                kind="token",
                note="penalties included",
            ),
            Number(
                key="unbacked",
                label="Backed by nothing",
                value=None if own.unbacked_raw is None else own.unbacked_raw / unit,
                kind="token",
                note="written off, less surplus and auctions",
                tone="loss",
            ),
        )
    )


def _ceiling(own: DebtReserves, unit: int) -> str:
    if not own.ceiling_raw:
        return "the ceiling is 0"
    part = show(own.debt_raw / own.ceiling_raw, "percent")
    return f"{part} of the ceiling of {show(own.ceiling_raw / unit, 'token')}"


def auctions(book: Book, of: DebtSystem) -> Iterator[Table]:
    """What is being sold, the largest demand first."""
    if of.reserves is None and not of.auctions:
        return
    markets = {one.market: one for one in of.markets}
    known = [(one, markets[one.market]) for one in of.auctions if one.market in markets]
    ranked = sorted(known, key=lambda pair: -pair[0].asked_raw)
    yield Table(
        name="debt-auctions",
        title="Collateral at auction",
        columns=(
            Column("market", "Market", "text"),
            Column("auction", "Auction", "text"),
            Column("collateral", "Collateral", "text"),
            Column("lot", "Lot", "token"),
            Column("asked", "Asks for", "token"),
            Column("bid", "Best bid", "token"),
            Column("covered", "Bid covers", "percent", absent="asks for nothing"),
            Column("worth", "Lot at the oracle's price", "token", absent="no price"),
            Column("seconds_left", "Ends in", "seconds", absent="over, to be dealt"),
        ),
        rows=tuple(_auction(book, one, market) for one, market in ranked),
        caption="In the debt's token; what is asked for includes the penalty. Lots of ilks that a "
        "Dog liquidates are not followed one by one.",
        empty="nothing is being sold",
    )


def _auction(book: Book, one: DebtAuction, market: DebtMarket) -> tuple[Value, ...]:
    unit, lot = 10**market.debt_decimals, Fraction(one.lot_raw, 10**market.collateral_decimals)
    left = one.end_ts - book.block.timestamp
    return (
        one.market,
        one.auction,
        token_label(book, market.collateral),
        float(lot),
        one.asked_raw / unit,
        one.bid_raw / unit,
        one.bid_raw / one.asked_raw if one.asked_raw else None,
        None if market.price is None else float(lot * market.price),
        left if left > 0 else None,
    )
