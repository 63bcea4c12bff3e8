"""A failure played and reckoned up once more: one scenario, event by event, in fractions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np

from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, Settings
from defirisk.contagion.cascade.state import LIQUIDATION, LOSS, State
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.scenario import Scenario
from tests.unit.contagion.failure import twin

ROOM = 20_000


def lost(book: Book, scenario: Scenario, settings: Settings = BASE) -> float:
    """What others lose, in USD, of a book in which no claim is written down by the failure."""
    state, gone, written_off = _events(book, scenario, settings)
    amounts = [
        float(max(Fraction(amount) - gone[h], Fraction(0)))
        for h, amount in enumerate(book.holding_amount.tolist())
    ]
    places = {(f.deployment, f.market, f.asset): m for m, f in enumerate(book.markets)}
    lacking: dict[int, Fraction] = defaultdict(Fraction)
    for quote, tokens in written_off.items():
        key = (
            int(book.quote_deployment[quote]),
            book.quote_market[quote],
            int(book.quote_asset[quote]),
        )
        lacking[places[key]] += tokens
    left = replace(
        book,
        holding_amount=np.array(amounts),
        quote_rate=state.rate,
        markets=tuple(
            replace(f, deficit=float(Fraction(float(np.nan_to_num(f.deficit))) + lacking[m]))
            for m, f in enumerate(book.markets)
        ),
    )
    market = {
        a: Fraction(float(state.market[a])) / Fraction(float(now))
        for a, now in enumerate(book.asset_price.tolist())
        if book.assets[a].program is None and now > 0
    }
    ends = replace(scenario, moves=replace(scenario.moves, market=market))
    pays, _ = twin.settled(left, ends)
    first, _ = twin.settled(book, scenario)
    price = twin.prices(book, scenario, first)
    return sum(
        float(Fraction(float(f.supplied)) * (1 - pays[m]) * price[f.asset])
        for m, f in enumerate(book.markets)
        if pays[m] != 1
    )


def _events(
    book: Book, scenario: Scenario, settings: Settings
) -> tuple[State, dict[int, Fraction], dict[int, Fraction]]:
    """By holding what is gone of it, by quote the whole tokens that were written off."""
    cascade = Cascade(book)
    played = cascade.play([scenario], settings, compiled=False, trace=ROOM)
    state, units = played.states[0], cascade.facts.units
    assert state.traced[0] < ROOM
    holding = {
        (int(unit), int(quote), int(side)): h
        for h, (unit, quote, side) in enumerate(
            zip(book.holding_unit, book.holding_quote, book.holding_side, strict=True)
        )
    }
    gone: dict[int, Fraction] = defaultdict(Fraction)
    written_off: dict[int, Fraction] = defaultdict(Fraction)

    def take(unit: int, row: int, side: Side, amount: float) -> Fraction:
        quote = int(units.quote[row])
        tokens = Fraction(float(amount)) / Fraction(float(units.scale[quote]))
        h = holding[int(units.place[unit]), quote, int(side)]
        gone[h] += tokens / Fraction(float(state.rate[quote]))
        return tokens

    for _, kind, unit, first, second, amount, other, fee in state.trace[: int(state.traced[0])]:
        if kind == LIQUIDATION:
            take(int(unit), int(first), Side.DEBT, amount)
            take(int(unit), int(second), Side.COLLATERAL, other + fee)
        elif kind == LOSS:
            quote = int(units.quote[int(first)])
            written_off[quote] += take(int(unit), int(first), Side.DEBT, amount)
    return state, gone, written_off
