"""The settlement once more, by its definition: one scenario, loops, fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from defirisk.core.backing import backing, written_down
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.scenario import ExactMoves, Scenario

ROUNDS = 400
CLOSE = Fraction(1, 10**14)


def settled(book: Book, scenario: Scenario) -> tuple[list[Fraction], list[Fraction]]:
    """What each market pays, and what each lacks in whole tokens."""
    own = [scenario.moves.recoveries.get(m, Fraction(1)) for m in range(len(book.markets))]
    pays = list(own)
    for _ in range(ROUNDS):
        lacks = _lacking(book, scenario, pays)
        after = []
        for m, facts in enumerate(book.markets):
            lost = lacks[m] + Fraction(facts.deficit)
            part = min(lost / Fraction(facts.supplied), Fraction(1)) if facts.supplied else None
            # Denominators would grow without end in a loop of vaults.
            left = (1 - part if part is not None else Fraction(int(lost == 0))) * own[m]
            after.append(Fraction(float(left)))
        moved = max((abs(a - b) for a, b in zip(after, pays, strict=True)), default=Fraction(0))
        pays = after
        if moved < CLOSE:
            break
    return pays, _lacking(book, scenario, pays)


def left(book: Book, pays: list[Fraction]) -> dict[str, Fraction]:
    """What is left of each claim."""
    return {
        token: written_down(parts, dict(enumerate(pays))) for token, parts in backing(book).items()
    }


def prices(book: Book, scenario: Scenario, pays: list[Fraction]) -> list[Fraction]:
    """Market prices where markets pay so much; of an unknown one nothing is asked."""
    conversions = dict(scenario.moves.conversions)
    for token, part in left(book, pays).items():
        conversions[token] = conversions.get(token, Fraction(1)) * part
    moves = replace(scenario.moves, conversions=conversions, recoveries={})
    moved = ExactMoves(book, replace(scenario, moves=moves))
    return [
        Fraction(float(now)) * moved.market(a) for a, now in enumerate(book.asset_price.tolist())
    ]


def _lacking(book: Book, scenario: Scenario, pays: list[Fraction]) -> list[Fraction]:
    price = prices(book, scenario, pays)
    places = {(f.deployment, f.market, f.asset): m for m, f in enumerate(book.markets)}
    lacks = [Fraction(0)] * len(book.markets)
    for unit in range(len(book.units)):
        pledged, debts = Fraction(0), []
        for h in np.flatnonzero(book.holding_unit == unit).tolist():
            q = int(book.holding_quote[h])
            asset = int(book.quote_asset[q])
            m = places.get((int(book.quote_deployment[q]), book.quote_market[q], asset))
            tokens = Fraction(float(book.holding_amount[h])) * Fraction(float(book.quote_rate[q]))
            if book.holding_side[h] == Side.COLLATERAL:
                pledged += tokens * price[asset] * (1 if m is None else pays[m])
            elif book.holding_side[h] == Side.DEBT:
                debts.append((m, tokens, tokens * price[asset]))
        owed = sum((usd for _, _, usd in debts), Fraction(0))
        if owed > pledged:
            for m, tokens, _ in debts:
                if m is not None:
                    lacks[m] += tokens * (1 - pledged / owed)
    return lacks
