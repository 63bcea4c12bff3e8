"""What prices do to margins: sensitivity by market and account, and who is reached by a move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.margin import Perps
from defirisk.metrics.margin import Sensitivity, market_sensitivities, sensitivities
from defirisk.metrics.perp_gap import Reached, reached
from defirisk.reports.model import (
    Axis,
    Block,
    Chart,
    Column,
    Section,
    Series,
    Table,
    Value,
)
from defirisk.reports.protocol.naming import clean, left_out, market_names, number, sections_of
from defirisk.reports.value import plural

TOP = 10
MOST_ROWS = 3 * TOP
PERCENT = Fraction(1, 100)
MOVES = tuple(Fraction(step, 100) for step in (-50, -30, -20, -10, -5, -1, 0, 1, 5, 10, 20, 30, 50))
CURVE = tuple(Fraction(step, 100) for step in range(-60, 61, 2))
ALL = "all together"


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals in which somebody has a position."""
    yield from sections_of(book, "sensitivity", "What prices do to margins", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    if not any(one.size for one in of.positions):
        return
    yield _markets(of)
    yield _accounts(of)
    yield from _reach(of)


def _markets(of: Perps) -> Table:
    names = market_names(of)
    rows: list[tuple[Value, ...]] = []
    for one in market_sensitivities(of):
        kept, both = one.maintenance_per_price, one.longs_usd + one.shorts_usd
        net = clean(one.longs_usd - one.shorts_usd, both)
        gain = one.equity_per_price if net else Fraction(0)
        rows.append(
            (
                names[one.asset],
                float(gain),
                number(kept),
                number(None if kept is None else gain - kept),
                float(one.longs_usd * PERCENT),
                float(-one.shorts_usd * PERCENT),
                net / 100,
            )
        )
    return Table(
        name="market-sensitivity",
        title="All margins of a market, when its price rises",
        columns=(
            Column("market", "Market", "text"),
            Column("equity_per_price", "Equity, per $1", "token"),
            Column("maintenance_per_price", "Maintenance, per $1", "token"),
            Column("spare_per_price", "Beyond maintenance, per $1", "token"),
            Column("longs_usd", "Longs, per 1 %", "usd"),
            Column("shorts_usd", "Shorts, per 1 %", "usd"),
            Column("equity_usd", "Equity, per 1 %", "usd"),
        ),
        rows=tuple(rows),
        caption="Dollars of margin for a dollar of the price, which are whole tokens; and for a "
        "hundredth of it. Requirements are taken as the part of the positions that they are now; "
        "funding and collateral do not move.",
    )


def _accounts(of: Perps) -> Table:
    names, owners = market_names(of), dict[str, list[Sensitivity]]()
    for one in sensitivities(of):
        owners.setdefault(one.owner, []).append(one)
    largest = sorted(owners.values(), key=lambda own: -max(abs(one.usd) for one in own))[:TOP]
    rows = [_sensitivity(one, names[one.asset]) for own in largest for one in own if one.asset]
    return Table(
        name="account-sensitivity",
        title=f"The {plural(len(largest), 'account')} that a price moves most",
        columns=(
            Column("account", "Account", "address"),
            Column("market", "Market", "text"),
            Column("equity_per_price", "Equity, per $1", "token"),
            Column("spare_per_price", "Beyond maintenance, per $1", "token"),
            Column("equity_usd", "Equity, per 1 %", "usd"),
        ),
        rows=tuple(rows[:MOST_ROWS]),
        caption="Above 0 the account gains when the price rises.",
    )


def _sensitivity(one: Sensitivity, name: str) -> tuple[Value, ...]:
    return (
        one.owner,
        name,
        number(one.equity_per_price),
        number(one.spare_per_price),
        float(one.usd * PERCENT),
    )


def _assets(of: Perps) -> list[str | None]:
    """Those with positions, and all together where they are several."""
    own: list[str | None] = [one.asset for one in market_sensitivities(of)]
    return [*own, None] if len(own) > 1 else own


def _reach(of: Perps) -> Iterator[Block]:
    names, found = market_names(of), {asset: reached(of, MOVES, asset) for asset in _assets(of)}
    labels = {asset: ALL if asset is None else names[asset] for asset in found}
    yield Chart(
        name="reached-by-moves",
        title="Positions of accounts that can be liquidated",
        form="line",
        x=Axis("Move of the price", "percent"),
        y=Axis("USD of positions, at today's prices", "usd"),
        series=tuple(_series(label, reached(of, CURVE, asset)) for asset, label in labels.items()),
    )
    yield _moves(
        "reached",
        "Positions of accounts that can be liquidated, in round numbers",
        [(labels[asset], [float(one.notional) for one in some]) for asset, some in found.items()],
        "All positions of an account count as soon as it can be liquidated. Both directions: "
        "shorts fall by a rise." + left_out(of),
    )


def _series(label: str, some: Sequence[Reached]) -> Series:
    return Series(
        name=label,
        x=tuple(float(one.move) for one in some),
        y=tuple(float(one.notional) for one in some),
    )


def _moves(
    name: str, title: str, rows: Sequence[tuple[str, Sequence[float]]], caption: str
) -> Table:
    return Table(
        name=name,
        title=title,
        columns=(
            Column("market", "Price of", "text"),
            *(Column(_key(move), _label(move), "usd") for move in MOVES),
        ),
        rows=tuple((label, *values) for label, values in rows),
        caption=caption,
    )


def _key(move: Fraction) -> str:
    percent = int(move * 100)
    return f"{'down' if percent < 0 else 'up'}_{abs(percent)}" if percent else "today"


def _label(move: Fraction) -> str:
    percent = int(move * 100)
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(percent)} %" if percent else "Today"
