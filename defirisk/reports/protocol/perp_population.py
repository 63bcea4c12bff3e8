"""Who trades perpetuals: makers as a population of their own, longs, shorts, idle margin."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.book import Book
from defirisk.core.margin import PerpPosition, Perps
from defirisk.metrics.perp_population import ROLES, Group, makers, population
from defirisk.reports.model import Block, Column, Section, Table, Value
from defirisk.reports.protocol.naming import market_names, number, sections_of
from defirisk.reports.value import plural

TOP = 20
_LABELS = dict(
    zip(
        ROLES,
        ("makers", "longs", "shorts", "longs and shorts", "margin without a position"),
        strict=True,
    )
)
_KNOWN = {"compared": "logs", "read": "logs and views", "imported": "file"}


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals."""
    yield from sections_of(book, "population", "Population", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    if not of.accounts:
        return
    yield _population(of)
    if any(one.maker for one in of.positions):
        yield _makers(of)


def _population(of: Perps) -> Table:
    provided = any(one.maker for one in of.positions)
    return Table(
        name="perp-population",
        title="Accounts by what they hold",
        columns=(
            Column("role", "Accounts that are", "text"),
            Column("accounts", "Accounts", "int"),
            Column("positions", "Positions", "int"),
            Column("notional_usd", "Positions in USD", "usd"),
            *([Column("provided_usd", "In their orders", "usd")] if provided else []),
            Column("equity_usd", "Equity", "usd"),
            Column("maintenance_usd", "Maintenance margin", "usd"),
            Column("liquidatable", "Liquidatable", "int", "loss"),
            Column("owed_usd", "Owed beyond margin", "usd", "loss"),
        ),
        rows=tuple(_group(one, provided) for one in population(of)),
        caption="Every account counts once. "
        + ("An account with open orders in any market is a maker. " if provided else "")
        + "Positions are without sign; equity is margin, profit, loss and funding together.",
    )


def _group(one: Group, provided: bool) -> tuple[Value, ...]:
    return (
        _LABELS[one.role],
        one.units,
        one.positions,
        number(one.notional),
        *([number(one.provided)] if provided else []),
        number(one.equity),
        number(one.maintenance),
        one.liquidatable,
        float(one.owed),
    )


def _makers(of: Perps) -> Table:
    names, found = market_names(of), makers(of)
    shown = found[:TOP]
    more = len(found) - len(shown)
    return Table(
        name="perp-makers",
        title="Makers" if not more else f"The {plural(len(shown), 'maker position')} with most",
        columns=(
            Column("account", "Account", "address"),
            Column("market", "Market", "text"),
            Column("orders", "Orders", "int"),
            Column("provided_usd", "In them", "usd"),
            Column("size", "Size", "token"),
            Column("notional_usd", "Position", "usd"),
            Column("pnl_usd", "Unrealised profit", "usd"),
            Column("funding_usd", "Funding to get", "usd"),
            Column("grade", "Known from", "text"),
        ),
        rows=tuple(_maker(one, names[one.market]) for one in shown),
        caption="Orders are ranges of prices in which an account trades with everybody. In them: "
        "what they hold now, base tokens at the mark price. Size: what is left of it all once the "
        "orders are taken out. What orders have earned in fees, and funding within them, depends "
        "on the path of every trade: it is read from views.",
    )


def _maker(one: PerpPosition, name: str) -> tuple[Value, ...]:
    return (
        one.unit,
        name,
        one.orders,
        number(one.provided),
        float(one.size),
        number(one.notional),
        number(one.unrealised_pnl),
        float(one.accrued_funding),
        _KNOWN.get(one.grade, one.grade),
    )
