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

from defirisk.contagion.margin import Limited, System, limited, systems
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side
from defirisk.core.scenario import Moves, Scenario, market_prices, quote_prices

Bools = npt.NDArray[np.bool_]

UNMOVED = Scenario(name="none", shocks=(), moves=Moves())


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Some units of a book; N counts these only.

    Amounts are whole units of their quote. Only holdings flagged as collateral back a debt. A
    unit's margin is its backing less its debt, less what it must keep: `required` and `limited`.
    """

    units: Ints  # (N,), ascending, which units of the book they are
    deployment: Ints  # (N,)
    decidable: Bools  # (N,), whether it owes or must keep something at known prices
    guard: Floats  # (N,), what the contract's rounding of values may amount to
    grain: csr_array[np.float64]  # (N, Q), what its rounding of balances may amount to
    collateral: csr_array[np.float64]  # (N, Q)
    backing: csr_array[np.float64]  # (N, Q), collateral times liquidation threshold
    debt: csr_array[np.float64]  # (N, Q)
    required: csr_array[np.float64]  # (N, Q), requirements without limits, as amounts
    limited: Limited
    systems: Sequence[System]

    @property
    def count(self) -> int:
        """N."""
        return len(self.deployment)

    def demanded(self, oracle: Floats) -> Floats:
        """What units owe and must keep at these prices (Q, S), USD, shape (N, S)."""
        found = times(self.debt, oracle)
        if self.required.nnz:
            found += times(self.required, oracle)
        if len(self.limited.quote):
            found += self.limited.value(oracle)
        return found


def positions(book: Book, units: Ints | None = None) -> Positions:
    """The rows of these units, which ascend (None: of all)."""
    units = np.arange(len(book.units)) if units is None else units
    own, unit = _rows_of(book.holding_unit, units)
    quote, side, amount = book.holding_quote[own], book.holding_side[own], book.holding_amount[own]
    threshold = book.liquidation_threshold[book.holding_parameters[own]]
    shape = (len(units), len(book.quote_asset))

    def rows(wanted: Bools, weight: Floats) -> csr_array[np.float64]:
        return csr_array((weight[wanted], (unit[wanted], quote[wanted])), shape=shape)

    # Nothing of an asset is worth nothing, even where its price is unknown.
    pledged, owed = (amount > 0) & (side == Side.COLLATERAL), (amount > 0) & (side == Side.DEBT)
    straight, capped = _requirements_of(book, units)
    known, needed = book.requirements, np.concatenate([straight, capped], axis=1)
    counted = np.concatenate([unit, needed[1]])
    owes = np.bincount(np.concatenate([unit[owed], needed[1]]), minlength=shape[0]) > 0
    found = systems(book, units)
    for system in found:
        if system.last:
            owes[system.members] = False
    (linear, place), everything = straight, np.concatenate([quote, known.quote[needed[0]]])
    return Positions(
        units=units,
        deployment=book.unit_deployment[units],
        decidable=owes & ~book.unpriced[units],
        guard=np.bincount(counted, minlength=shape[0]) * book.resolution[units],
        grain=csr_array((book.quote_grain[everything], (counted, everything)), shape=shape),
        collateral=rows(pledged, amount),
        backing=rows(pledged, amount * threshold),
        debt=rows(owed, amount),
        required=csr_array(
            (known.amount[linear] * known.ratio[linear], (place, known.quote[linear])), shape=shape
        ),
        limited=Limited.of(book, capped[0], capped[1], shape[0]),
        systems=found,
    )


def _requirements_of(book: Book, units: Ints) -> tuple[Ints, Ints]:
    """The requirements of these units without limits and with, each (2, K): which, and whose."""
    which, place = _rows_of(book.requirements.unit, units)
    straight, capped = (np.flatnonzero(mask) for mask in limited(book.requirements, which))
    return np.stack([which[straight], place[straight]]), np.stack([which[capped], place[capped]])


def _rows_of(unit: Ints, units: Ints) -> tuple[Ints, Ints]:
    """The rows, of `unit` each, that are of these units, and the place of each one's among them."""
    first = np.searchsorted(unit, units, side="left")
    count = np.searchsorted(unit, units, side="right") - first
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
    """Collateral times liquidation threshold over debt and required margin, at oracle prices, (N,).

    In recovery mode also the collateral ratio over that of the system, if that is less and the debt
    can be absorbed. Infinite where nothing is owed or required, NaN where a price is unknown. Below
    1 a unit can be liquidated, up to floating point: `screen.liquidatable_units` decides those near
    1 exactly. The collateral and debt of a perpetual are its size and what was paid for it: the
    health of the whole, which is nearer to 1 than the margin over what must be kept.
    """
    rows = positions(book)
    oracle = quote_prices(book, [scenario])
    demanded = rows.demanded(oracle)[:, 0]
    health = np.full(rows.count, np.inf)
    np.divide(times(rows.backing, oracle)[:, 0], demanded, out=health, where=demanded != 0)
    for system in rows.systems:
        of = system.members
        health[of] = np.minimum(health[of], _health_in_system(rows, system, oracle))
    return np.where(book.unpriced, np.nan, health)


def _health_in_system(rows: Positions, system: System, oracle: Floats) -> Floats:
    """A member's collateral ratio over the system's where recovery mode asks for it, else inf."""
    of = system.members
    pledged, owed = times(rows.collateral[of], oracle), times(rows.debt[of], oracle)
    value = system.conditions(pledged, owed, np.zeros_like(owed), oracle).value[:, :, 0]
    asked = (value[0] < 0) & (value[2] <= 0) & (owed[:, 0] > 0)
    everything, debts = system.totals(oracle)
    ratio = np.full(len(of), np.inf)
    own, whole = pledged[:, 0] * debts, owed[:, 0] * everything
    np.divide(own, whole, out=ratio, where=asked & (whole > 0))
    return ratio


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
