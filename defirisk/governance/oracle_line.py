"""What the price of a changed asset stands on: its sources, their age, and what stands on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.quote import Feed, Program, Spot, Twap, parts
from defirisk.governance.case import Case
from defirisk.metrics.oracle import prices, sources_of


def oracle_line(case: Case) -> Iterator[dict[str, Any]]:
    """One entry for each changed asset."""
    book = case.book
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
            }


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
