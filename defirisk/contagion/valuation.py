"""Sparse rows of the book: what units have pledged and owe, on the quote axis.

Axes: N units, Q quotes, A assets, S scenarios. Two kinds of prices meet here: *oracle* prices (what
a market believes, `core.scenario.quote_prices`) decide who can be liquidated, *market* prices say
what things are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side
from defirisk.core.scenario import Moves, Scenario, market_prices, quote_prices

Bools = npt.NDArray[np.bool_]

UNMOVED = Scenario(name="none", shocks=(), moves=Moves())


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Some units of a book; N counts these only.

    Amounts are whole units of their quote. Only holdings flagged as collateral back a debt.
    """

    units: Ints  # (N,), ascending, which units of the book they are
    deployment: Ints  # (N,)
    decidable: Bools  # (N,), whether it owes something and all its prices are known
    guard: Floats  # (N,), what the contract's rounding of values may amount to
    grain: csr_array[np.float64]  # (N, Q), what its rounding of balances may amount to
    collateral: csr_array[np.float64]  # (N, Q)
    backing: csr_array[np.float64]  # (N, Q), collateral times liquidation threshold
    debt: csr_array[np.float64]  # (N, Q)

    @property
    def count(self) -> int:
        """N."""
        return len(self.deployment)


def positions(book: Book, units: Ints | None = None) -> Positions:
    """The rows of these units, which ascend (None: of all)."""
    units = np.arange(len(book.units)) if units is None else units
    own, unit = _holdings_of(book, units)
    quote, side, amount = book.holding_quote[own], book.holding_side[own], book.holding_amount[own]
    threshold = book.liquidation_threshold[book.holding_parameters[own]]
    shape = (len(units), len(book.quote_asset))

    def rows(wanted: Bools, weight: Floats) -> csr_array[np.float64]:
        return csr_array((weight[wanted], (unit[wanted], quote[wanted])), shape=shape)

    # Nothing of an asset is worth nothing, even where its price is unknown.
    pledged, owed = (amount > 0) & (side == Side.COLLATERAL), (amount > 0) & (side == Side.DEBT)
    owes = np.bincount(unit[owed], minlength=shape[0]) > 0
    return Positions(
        units=units,
        deployment=book.unit_deployment[units],
        decidable=owes & ~book.unpriced[units],
        guard=np.bincount(unit, minlength=shape[0]) * book.resolution[units],
        grain=rows(np.ones_like(pledged), book.quote_grain[quote]),
        collateral=rows(pledged, amount),
        backing=rows(pledged, amount * threshold),
        debt=rows(owed, amount),
    )


def _holdings_of(book: Book, units: Ints) -> tuple[Ints, Ints]:
    """The holdings of these units, and the place of each one's unit among them."""
    first = np.searchsorted(book.holding_unit, units, side="left")
    count = np.searchsorted(book.holding_unit, units, side="right") - first
    return ranges(first, count), np.repeat(np.arange(len(units)), count)


def ranges(first: Ints, count: Ints) -> Ints:
    """first[0], first[0] + 1, … (count[0] of them), first[1], … as one array."""
    before = np.cumsum(count) - count
    return np.asarray(
        np.arange(int(count.sum())) + np.repeat(first - before, count), dtype=np.int64
    )


def market_quotes(book: Book, scenarios: Sequence[Scenario]) -> Floats:
    """Market value in USD of one unit of each quote after the moves, shape (Q, S)."""
    prices = market_prices(book, list(scenarios))
    return np.asarray(prices[book.quote_asset] * book.quote_rate[:, None], dtype=np.float64)


def holding_values(book: Book) -> Floats:
    """Market value of every holding in USD, shape (H,); NaN where the price is unknown."""
    worth = book.quote_rate * book.asset_price[book.quote_asset]
    return np.asarray(book.holding_amount * worth[book.holding_quote], dtype=np.float64)


def unit_debt(book: Book) -> Floats:
    """What each unit owes at market prices in USD, shape (N,); NaN where a price is unknown."""
    return _by_unit(book, Side.DEBT)


def unit_collateral(book: Book) -> Floats:
    """What backs each unit's debts at market prices in USD, shape (N,); NaN likewise."""
    return _by_unit(book, Side.COLLATERAL)


def _by_unit(book: Book, side: Side) -> Floats:
    own = book.holding_side == side
    values, size = holding_values(book)[own], len(book.units)
    return sums(book.holding_unit[own], values, size)


def health_factors(book: Book, scenario: Scenario = UNMOVED) -> Floats:
    """Collateral times liquidation threshold over debt, at oracle prices, shape (N,).

    Infinite where nothing is owed, NaN where a price is unknown. Below 1 a unit can be liquidated,
    up to floating point: `screen.liquidatable_units` decides those near 1 exactly.
    """
    rows = positions(book)
    oracle = quote_prices(book, [scenario])[:, 0]
    owed = times(rows.debt, oracle)
    health = np.full(rows.count, np.inf)
    np.divide(times(rows.backing, oracle), owed, out=health, where=owed != 0)
    return np.where(book.unpriced, np.nan, health)


def times(rows: csr_array[np.float64] | csc_array[np.float64], prices: Floats) -> Floats:
    """The matrix product, with the type that scipy's stubs do not give."""
    return np.asarray(rows @ prices, dtype=np.float64)


def sums(label: npt.NDArray[np.integer], values: Floats, groups: int) -> Floats:
    """Sums of `values` (L,) by their label (L,), shape (groups,)."""
    return np.asarray(np.bincount(label, weights=values, minlength=groups), dtype=np.float64)


def indicator(label: Ints, groups: int) -> csr_array[np.float64]:
    """The matrix of `sums`, for many columns at once: shape (groups, L)."""
    columns = np.arange(len(label))
    return csr_array((np.ones(len(label)), (label, columns)), shape=(groups, len(label)))
