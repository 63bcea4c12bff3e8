"""Perpetuals by market: open interest of longs and shorts, skew, funding, what losses fall on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.margin import PerpMarket, Perps
from defirisk.reports.model import Block, Column, Number, Numbers, Section, Table, Value
from defirisk.reports.protocol.naming import clean, number, sections_of


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals."""
    yield from sections_of(book, "perpetuals", "Perpetuals", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    if of.markets:
        yield _tiles(of)
        yield _markets(of)
        yield from _limits(of)


def _tiles(of: Perps) -> Numbers:
    items = [
        Number(key="long_usd", label="Longs", value=_sum(of, "long"), kind="usd"),
        Number(key="short_usd", label="Shorts", value=_sum(of, "short"), kind="usd"),
    ]
    if of.insurance_fund is not None:
        fund = float(of.insurance_fund)
        items.append(
            Number(key="insurance_fund_usd", label="Insurance fund", value=fund, kind="usd")
        )
    items.append(
        Number(
            key="perps_bad_debt_usd",
            label="Owed beyond margin",
            value=float(of.bad_debt),
            kind="usd",
            note="there is no insurance fund" if of.insurance_fund is None else "",
            tone="loss",
        )
    )
    return Numbers(tuple(items))


def _sum(of: Perps, side: str) -> float | None:
    """Open interest of a side at mark prices; None where a price is unknown."""
    total = Fraction(0)
    for market in of.markets:
        size = market.long_interest if side == "long" else market.short_interest
        if size and market.mark_price is None:
            return None
        total += size * (market.mark_price or 0)
    return float(total)


def _markets(of: Perps) -> Table:
    return Table(
        name="perp-markets",
        title="Open interest, skew and funding",
        columns=(
            Column("market", "Market", "text"),
            Column("mark_price", "Mark price", "price"),
            Column("index_price", "Index price", "price"),
            Column("long_interest", "Longs", "token"),
            Column("short_interest", "Shorts", "token"),
            Column("skew", "Skew", "token"),
            Column("skew_share", "Of interest", "percent", absent="none"),
            Column("skew_usd", "Skew in USD", "usd"),
            Column("funding_rate", "Funding per day", "percent"),
            Column("initial_ratio", "Initial margin", "percent"),
            Column("maintenance_ratio", "Maintenance margin", "percent"),
            Column("address", "Contract", "address", detail=True),
        ),
        rows=tuple(_market(one) for one in of.markets),
        caption="In whole tokens. Skew: longs less shorts, as a share of both together. Funding "
        "above 0 is paid by longs to shorts, as a part of the position.",
    )


def _market(one: PerpMarket) -> tuple[Value, ...]:
    both = one.long_interest + one.short_interest
    mark, skew = one.mark_price, one.skew if clean(one.skew, both) else Fraction(0)
    return (
        one.name,
        number(mark),
        number(one.index_price),
        float(one.long_interest),
        float(one.short_interest),
        float(skew),
        number(skew / both if both else None),
        number(None if mark is None else skew * mark),
        number(one.funding_rate),
        float(one.initial_ratio),
        float(one.maintenance_ratio),
        one.market,
    )


def _limits(of: Perps) -> Iterator[Table]:
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (market.name, label, value) for market in of.markets for label, value in market.limits
    )
    if rows:
        yield Table(
            name="perp-limits",
            title="Parameters of the markets",
            columns=(
                Column("market", "Market", "text"),
                Column("limit", "Parameter", "text"),
                Column("value", "Value", "text"),
            ),
            rows=rows,
        )
