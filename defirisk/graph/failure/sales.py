"""How liquidations carry a loss on: steps beyond those that today's prices cause by themselves.

Read off two aftermaths (`contagion.failure.aftermath`), that of a failure and that of none. Unit:
USD, of what is seized and sold at the prices of its round, else at those as the failure begins.
What is less than without the failure is no step, nor is what is not known; but what lenders lose is
beyond a settlement at once, and negative where liquidations left them more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np

from defirisk.contagion.failure.aftermath import Aftermath
from defirisk.contagion.failure.losses import lent_usd
from defirisk.contagion.failure.settle import row_of_quote
from defirisk.contagion.valuation import sums
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
from defirisk.graph import ids
from defirisk.graph.build import Composition
from defirisk.graph.failure.path import LENDERS, SMALL, Channel, Path, Step
from defirisk.graph.names import token_label

K = TypeVar("K")


def sales(made: Composition, failure: Aftermath, today: Aftermath) -> Path:
    """Seized in markets, sold in pools, the price's fall in every market, and its bad debt."""
    found: list[Step] = []
    labels: dict[str, str] = {node.id: node.label for node in made.graph.nodes}
    for each in (_seized, _sold, _fallen, _lost):
        found += sorted(each(made, failure, today), key=lambda step: -(step.value_usd or 0))
    for m, row in enumerate(made.rows):
        labels[_lenders(made, m)] = f"lenders of {row.label}"
    for asset in made.book.assets:
        labels.setdefault(ids.asset(asset.address), token_label(made.book, asset.address))
    used = {node for step in found for node in (step.source, step.target)}
    return Path(steps=tuple(found), labels={node: labels[node] for node in labels if node in used})


def _seized(made: Composition, failure: Aftermath, today: Aftermath) -> Iterator[Step]:
    for market, usd in _more(failure.seized_usd, today.seized_usd):
        row = made.rows[market]
        yield _step(row.id, _asset(made.book, row.facts.asset), "liquidation", usd)


def _sold(made: Composition, failure: Aftermath, today: Aftermath) -> Iterator[Step]:
    for (sold, bought), usd in _more(failure.sold_usd, today.sold_usd):
        yield _step(_asset(made.book, sold), _asset(made.book, bought), "sale", usd)


def _fallen(made: Composition, failure: Aftermath, today: Aftermath) -> Iterator[Step]:
    fell = np.nan_to_num(_fall(failure) - _fall(today))
    for market, tokens in enumerate(_pledged(made.book)):
        row = made.rows[market]
        usd = float(tokens * fell[row.facts.asset])
        if usd > SMALL:
            yield _step(_asset(made.book, row.facts.asset), row.id, "price after sales", usd)


def _lost(made: Composition, failure: Aftermath, today: Aftermath) -> Iterator[Step]:
    def beyond(one: Aftermath) -> Floats:
        after, before = (lent_usd(made.book, some)[:, 0] for some in (one.priced, one.at_once))
        return after - before

    for market, usd in enumerate(np.nan_to_num(beyond(failure) - beyond(today)).tolist()):
        if abs(usd) > SMALL:
            yield _step(made.rows[market].id, _lenders(made, market), "bad debt after sales", usd)


def _more(then: Mapping[K, float], now: Mapping[K, float]) -> Iterator[tuple[K, float]]:
    for key, usd in then.items():
        more = usd - now.get(key, 0.0)
        if more > SMALL:
            yield key, more


def _fall(one: Aftermath) -> Floats:
    return np.asarray(one.at_once.prices[:, 0] - one.prices, dtype=np.float64)


def _pledged(book: Book) -> Floats:
    """Whole tokens that back debts in each market, (M,), before anything is seized."""
    own = (book.holding_side == Side.COLLATERAL) & (book.holding_amount > 0)
    quote, row = book.holding_quote[own], row_of_quote(book)
    tokens = book.holding_amount[own] * book.quote_rate[quote]
    placed = row[quote] >= 0
    return sums(row[quote][placed], tokens[placed], len(book.markets))


def _asset(book: Book, asset: int) -> str:
    return ids.asset(book.assets[asset].address)


def _lenders(made: Composition, market: int) -> str:
    return f"{made.rows[market].id}/{LENDERS}"


def _step(source: str, target: str, channel: Channel, usd: float) -> Step:
    return Step(source=source, target=target, channel=channel, value_usd=usd)
