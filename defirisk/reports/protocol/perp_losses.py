"""Who pays where perpetuals lose more than their margins: gaps, jumps, the insurance fund."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.margin import Perps
from defirisk.metrics.margin import market_sensitivities
from defirisk.metrics.perp_gap import Gap, Tail, gaps, reached, tails
from defirisk.reports.model import (
    Axis,
    Block,
    Chart,
    Column,
    Number,
    Numbers,
    Section,
    Series,
    Table,
    Value,
)
from defirisk.reports.protocol.naming import left_out, market_names, number, sections_of
from defirisk.reports.protocol.perp_prices import ALL, CURVE
from defirisk.reports.value import plural, show

TOP = 20
JUMPS = tuple(Fraction(step, 100) for step in (1, 2, 5, 10, 20, 30))
VOLATILITIES = (0.02, 0.05, 0.1, 0.2)
LEVEL = 0.99
NEAR = Fraction(1, 2)
"""How far away liquidation prices count."""


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals in which somebody has a position."""
    yield from sections_of(book, "gaps", "Gaps, bad debt and who pays", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    found = gaps(of)
    if not found:
        return
    expected = tails(of, VOLATILITIES, LEVEL)
    yield _tiles(of, expected)
    yield _fund(of, expected)
    yield _jumped(of)
    yield _beyond(of, found)
    yield _narrowest(of, found)


def _tiles(of: Perps, expected: Sequence[Tail]) -> Numbers:
    daily = expected[1]
    fund = of.insurance_fund
    tail = f"if prices move by {show(daily.volatility, 'percent')} a day"
    items = [
        Number(
            key="bad_debt_usd",
            label="Owed beyond margin today",
            value=float(of.bad_debt),
            kind="usd",
            tone="loss",
        ),
        Number(
            key="expected_shortfall_usd",
            label="In the worst 1 % of days",
            value=daily.shortfall,
            kind="usd",
            note=tail,
            tone="loss",
        ),
    ]
    if fund is not None:
        items.insert(
            0,
            Number(key="fund_usd", label="Insurance fund", value=float(fund), kind="usd"),
        )
    return Numbers(tuple(items))


def _fund(of: Perps, expected: Sequence[Tail]) -> Table:
    fund = number(of.insurance_fund)
    return Table(
        name="insurance-and-shortfall",
        title="Insurance fund against expected shortfall",
        columns=(
            Column("volatility", "A day's move", "percent"),
            Column("mean_usd", "Owed on average", "usd"),
            Column("at_level_usd", "On 1 day of 100, at least", "usd"),
            Column("shortfall_usd", "On average of these", "usd"),
            Column("fund_usd", "Insurance fund", "usd", absent="there is none"),
            Column("covered", "It covers", "percent", absent="no fund"),
            Column("missing_usd", "It lacks", "usd", "loss", absent="no fund"),
        ),
        rows=tuple(_covered(one, fund) for one in expected),
        caption="What all accounts together owe beyond their margins after one day in which all "
        "prices here move by the same normal return of this standard deviation, today's bad debt "
        "included, and nobody is liquidated on the way. The last one is the expected shortfall at "
        f"{show(LEVEL, 'percent')}. How much prices move is an assumption, not measured here."
        + left_out(of),
    )


def _covered(one: Tail, fund: float | None) -> tuple[Value, ...]:
    short = one.shortfall
    return (
        one.volatility,
        one.mean,
        one.at_level,
        short,
        fund,
        None if fund is None else (fund / short if short > 0 else math.inf),
        None if fund is None else max(0.0, short - fund),
    )


def _jumped(of: Perps) -> Chart:
    names = market_names(of)
    own: list[str | None] = [one.asset for one in market_sensitivities(of)]
    assets = [*own, None] if len(own) > 1 else own
    return Chart(
        name="owed-after-jumps",
        title="Owed beyond margin after a jump from today's price",
        form="line",
        x=Axis("Jump of the price", "percent"),
        y=Axis("USD owed by accounts that have nothing left", "usd"),
        series=tuple(
            Series(
                name=ALL if asset is None else names[asset],
                x=tuple(float(move) for move in CURVE),
                y=tuple(float(one.owed) for one in reached(of, CURVE, asset)),
            )
            for asset in assets
        ),
        note="Nobody is liquidated on the way: a jump leaves no time for it.",
    )


def _beyond(of: Perps, found: Sequence[Gap]) -> Table:
    names = market_names(of)
    markets = dict.fromkeys(one.market for one in found)
    rows: list[tuple[Value, ...]] = []
    for market in markets:
        own = [one for one in found if one.market == market and _is_near(one)]
        left = (float(sum(one.left_beyond(jump) for one in own)) for jump in JUMPS)
        rows.append((names[market], len(own), *left))
    return Table(
        name="owed-beyond-liquidation",
        title="Left as bad debt where prices jump past liquidation prices",
        columns=(
            Column("market", "Market", "text"),
            Column("positions", "Positions", "int"),
            *(
                Column(f"beyond_{int(jump * 100)}", f"{int(jump * 100)} % past", "usd", "loss")
                for jump in JUMPS
            ),
        ),
        rows=tuple(rows),
        caption="If each position were closed only when the price stands so far past its own "
        "liquidation price, without fees. Of positions whose liquidation price is at most "
        f"{show(float(NEAR), 'percent')} away and not passed: their sum, not what happens on one "
        "day.",
    )


def _is_near(one: Gap) -> bool:
    """Whether its liquidation price is ahead and within reach."""
    price = one.liquidation_price
    return price is not None and not one.passed and abs(price / one.mark_price - 1) <= NEAR


def _narrowest(of: Perps, found: Sequence[Gap]) -> Table:
    names = market_names(of)
    ahead = [(abs(one.jump), one) for one in found if one.jump is not None]
    ranked = sorted(ahead, key=lambda pair: (pair[0], pair[1].unit))[:TOP]
    return Table(
        name="gaps",
        title=f"The {plural(len(ranked), 'position')} that the smallest jump leaves with nothing",
        columns=(
            Column("account", "Account", "address"),
            Column("market", "Market", "text"),
            Column("tokens", "Size", "token"),
            Column("mark_price", "Mark price", "price"),
            Column("liquidation_price", "Liquidated at", "price", absent="no price"),
            Column("away", "From here", "percent", absent="no price"),
            Column("bankruptcy_price", "Nothing left at", "price"),
            Column("jump", "From here", "percent"),
            Column("room", "Room between", "percent", absent="no price"),
        ),
        rows=tuple(_gap(one, names[one.market]) for _, one in ranked),
        caption="From here: the move of the price, all others unchanged. Room between: how far it "
        "may go past the liquidation price until the margin is gone, as a part of that price; a "
        "jump over all of it leaves bad debt. Without accounts that have nothing left already.",
        empty="no price takes all that somebody has",
    )


def _gap(one: Gap, name: str) -> tuple[Value, ...]:
    price = one.liquidation_price
    return (
        one.owner,
        name,
        float(one.tokens),
        float(one.mark_price),
        number(price),
        number(None if price is None else price / one.mark_price - 1),
        number(one.bankruptcy_price),
        number(one.jump),
        one.room,
    )
