"""A book under other parameters: arrays are replaced, amounts stay, and the edge is asked anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from defirisk.core.book import Book, Edge, Floats, Ints, MarketFacts
from defirisk.core.errors import CheckFailed
from defirisk.core.holdings import Holdings, Market
from defirisk.core.liquidation_check import LiquidationCheck

_MOVED = "the change moves positions, too: this is a defect, please report it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """All of a book that a change of parameters changes; shapes as in `core.book.Book`.

    `resolution` is among it: what a contract's rounding may amount to can depend on thresholds.
    """

    ltv: Floats  # (P,)
    liquidation_threshold: Floats  # (P,)
    liquidation_bonus: Floats  # (P,)
    resolution: Floats  # (N,)
    markets: tuple[MarketFacts, ...]


def with_parameters(book: Book, new: Parameters, edge: Edge) -> Book:
    """The book under these parameters. `edge` must know them: the book's own knows today's."""
    return replace(
        book,
        ltv=new.ltv,
        liquidation_threshold=new.liquidation_threshold,
        liquidation_bonus=new.liquidation_bonus,
        resolution=new.resolution,
        markets=new.markets,
        edge=edge,
    )


def parameters(book: Book, deployment: int, changed: Holdings) -> Parameters:
    """The book's parameters with those of one deployment as `changed` states them.

    `changed` is what the adapter says of the same rows, but for their parameters, so efficiency
    modes and frozen reserves are its own affair. Errors: `CheckFailed` where anything else changed.
    """
    units = np.flatnonzero(book.unit_deployment == deployment)
    if tuple(book.units[int(unit)] for unit in units) != changed.units:
        raise CheckFailed(_MOVED)
    sets = _sets(book, deployment, changed)
    stated = changed.parameters if len(sets) else ()

    def put(old: Floats, values: Sequence[Fraction], where: Ints) -> Floats:
        made = old.copy()
        made[where] = np.array([float(value) for value in values])
        return made

    return Parameters(
        ltv=put(book.ltv, [p.ltv for p in stated], sets),
        liquidation_threshold=put(
            book.liquidation_threshold, [p.liquidation_threshold for p in stated], sets
        ),
        liquidation_bonus=put(book.liquidation_bonus, [p.liquidation_bonus for p in stated], sets),
        resolution=put(book.resolution, changed.resolutions(), units),
        markets=_markets(book, deployment, changed.markets),
    )


def _sets(book: Book, deployment: int, changed: Holdings) -> Ints:
    """The places of a deployment's parameter sets: they lie side by side, some are nobody's."""
    own = book.unit_deployment[book.holding_unit] == deployment
    theirs = np.array([holding.parameters for holding in changed.holdings], dtype=np.int64)
    if own.sum() != len(theirs):
        raise CheckFailed(_MOVED)
    if not len(theirs):
        return theirs
    first = book.holding_parameters[own][0] - theirs[0]
    if (book.holding_parameters[own] != first + theirs).any():
        raise CheckFailed(_MOVED)
    return np.arange(first, first + len(changed.parameters))


def _markets(book: Book, deployment: int, changed: Sequence[Market]) -> tuple[MarketFacts, ...]:
    mine = {(market.market, market.asset): market for market in changed}

    def fact(old: MarketFacts) -> MarketFacts:
        if old.deployment != deployment:
            return old
        new = mine[old.market, book.assets[old.asset].address]
        return replace(
            old,
            ltv=float(new.parameters.ltv),
            liquidation_threshold=float(new.parameters.liquidation_threshold),
            liquidation_bonus=float(new.parameters.liquidation_bonus),
            supply_cap=new.supply_cap,
            borrow_cap=new.borrow_cap,
        )

    return tuple(map(fact, book.markets))


class ChangedEdge:
    """Units of one deployment are decided by its adapter with changed rows, all others as before.

    `check` is made when it is first needed. Implements `core.book.Edge`.
    """

    def __init__(self, book: Book, deployment: int, check: Callable[[], LiquidationCheck]) -> None:
        self._book, self._deployment, self._make = book, deployment, check
        quotes = np.flatnonzero(book.quote_deployment == deployment)
        self._first_quote = int(quotes[0]) if len(quotes) else 0
        self._check: LiquidationCheck | None = None

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Decides by the contract's integers under the changed parameters."""
        if self._book.unit_deployment[unit] != self._deployment:
            return self._book.edge.liquidatable(unit, prices)
        if self._check is None:
            self._check = self._make()
        own = {quote - self._first_quote: factor for quote, factor in prices.items()}
        return self._check(self._book.units[unit], own)
