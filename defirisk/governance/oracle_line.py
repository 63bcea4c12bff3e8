"""What the price of a changed asset stands on: its sources, their age, what stands on them, and
what it costs and earns to lie about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.quote import Feed, Program, Spot, Twap, parts
from defirisk.governance.case import Case
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.exposure import Exposure, exposures
from defirisk.manipulation.lending import listings
from defirisk.manipulation.quoted import quoted
from defirisk.metrics.oracle import prices, sources_of

ASSUMED = Assumptions()
DIGITS = 6
"""Significant digits of what a lie costs and earns: the best one is searched for, and how close the
search comes hangs on the machine's logarithms.
"""
_WORST = {"unsafe": 0, "unknown": 1, "safe": 2}


def oracle_line(case: Case) -> Iterator[dict[str, Any]]:
    """One entry for each changed asset."""
    book, after = case.book, case.after()
    facts = dict(zip(prices(book), book.markets, strict=True))
    for change in case.changes:
        for price, market in facts.items():
            address = book.assets[price.asset].address
            if price.deployment != case.deployment or address != change.asset:
                continue
            yield {
                "asset": change.asset,
                "price_usd": price.price_usd,
                "source": price.source,
                "kind": _kind(book, case.deployment, price.asset),
                "grade": price.grade,
                "age_seconds": price.age_seconds,
                "stale": list(price.stale),
                "made_of": [
                    {"contract": link.address, "kind": link.kind}
                    for link in sources_of(book, market).all()
                ],
                **_standing(book, case.deployment, price.asset),
                "lie": {
                    "before": _lie(book, case.deployment, price.asset),
                    "after": _lie(after, case.deployment, price.asset),
                },
            }


def _lie(book: Book, deployment: int, asset: int) -> dict[str, Any]:
    """The verdict on the price in this market alone, under the book's own parameters.

    `cost_usd` is what the best attempt costs, or the least lie that would pay for its collateral
    (`cost_is` "least": by moving the market itself, a lower bound), None where no pool is indexed;
    `profit_usd` is what the best attempt earns, negative where all lose.
    """
    own = [
        one
        for some in listings(book).values()
        for one in some
        if (one.facts.deployment, one.facts.asset) == (deployment, asset)
    ]
    found = exposures(book, ASSUMED, quoted(book, own))
    if not found:
        return {"verdict": "unknown", "cause": "no answer", "attack": None, **_nothing()}
    worst = min(found, key=_rank)
    best, movable = worst.best, worst.pools != 0
    return {
        "verdict": worst.verdict,
        "cause": worst.cause,
        "attack": None if best is None else best.aim,
        "cost_usd": _digits(worst.cost_usd) if movable else None,
        "cost_is": "exact" if worst.pools is None else "least",
        "profit_usd": _digits(worst.max_profit_usd),
        "flash_profit_usd": _digits(worst.flash_profit_usd),
    }


def _rank(one: Exposure) -> tuple[int, float]:
    profit = one.max_profit_usd
    return _WORST[one.verdict], -profit if profit == profit else 0.0


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(("cost_usd", "cost_is", "profit_usd", "flash_profit_usd"))


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _kind(book: Book, deployment: int, asset: int) -> str:
    """How the price comes about, by the first thing in it that a trader could move."""
    own = (book.quote_asset == asset) & (book.quote_deployment == deployment)
    kinds = {one for q in np.flatnonzero(own) for one in _kinds(book.quote_program[int(q)])}
    for kind, said in ((Spot, "spot"), (Twap, "mean over time"), (Feed, "feed")):
        if kind in kinds:
            return said
    return "hard-coded"


def _kinds(program: Program) -> set[type]:
    """A mean over time hides what it is a mean of."""
    if isinstance(program, Twap):
        return {Twap}
    inner = parts(program)
    return {type(program)}.union(*(_kinds(one) for one in inner)) if inner else {type(program)}


def _standing(book: Book, deployment: int, asset: int) -> dict[str, float]:
    """Collateral and debt of the asset in this market at oracle prices, USD."""
    own = (book.quote_asset == asset) & (book.quote_deployment == deployment)
    value = np.nan_to_num(book.holding_amount * book.quote_price[book.holding_quote])
    value = np.where(own[book.holding_quote], value, 0.0)
    return {
        "collateral_usd": float(value[book.holding_side == Side.COLLATERAL].sum()),
        "debt_usd": float(value[book.holding_side == Side.DEBT].sum()),
    }
