"""The static shock as one writes it first, second and third: the references.

Both get a book and its prices of quotes (Q, S), and give accounts, debt, collateral and bad debt by
deployment and debt and collateral by asset. Neither decides the edge exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class _Padded:
    """Terms of one side in as many columns as the unit with most of them has; (N, K) each."""

    quote: Ints
    amount: Floats
    threshold: Floats


class FirstBroadcasting:
    """As it was first written, in the notes that set the goal: padded gathers, then reductions.

    Groups are added up by `reduceat` over units or terms in their order. The notes' one had one
    price for oracle and market and no totals by asset; its formulation is kept for both.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._units = np.argsort(book.unit_deployment, kind="stable")
        self._pledged = _padded(book, Side.COLLATERAL, self._units)
        self._owed = _padded(book, Side.DEBT, self._units)

    def __call__(self, oracle: Floats, market: Floats) -> dict[str, Floats]:
        """All outputs."""
        book, pledged, owed = self._book, self._pledged, self._owed
        worth = pledged.amount[:, :, None] * oracle[pledged.quote]
        backing = (worth * pledged.threshold[:, :, None]).sum(axis=1)
        mask = backing < (owed.amount[:, :, None] * oracle[owed.quote]).sum(axis=1)
        worth = pledged.amount[:, :, None] * market[pledged.quote]
        due = owed.amount[:, :, None] * market[owed.quote]
        collateral, debt = worth.sum(axis=1), due.sum(axis=1)
        where, count = book.unit_deployment[self._units], len(book.deployments)
        return {
            "accounts": _reduced(where, mask.astype(np.float64), count),
            "debt": _reduced(where, np.where(mask, debt, 0), count),
            "collateral": _reduced(where, np.where(mask, collateral, 0), count),
            "bad_debt": _reduced(where, np.where(mask, np.maximum(debt - collateral, 0), 0), count),
            "asset_debt": self._by_asset(owed.quote, np.where(mask[:, None], due, 0)),
            "asset_collateral": self._by_asset(pledged.quote, np.where(mask[:, None], worth, 0)),
        }

    def _by_asset(self, quote: Ints, value: Floats) -> Floats:
        asset = self._book.quote_asset[quote].ravel()
        order = np.argsort(asset, kind="stable")
        values = value.reshape(len(asset), -1)[order]
        return _reduced(asset[order], values, len(self._book.assets))


class Broadcasting:
    """Padded gathers too; thresholds multiplied beforehand, masks early, groups by a matrix."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._pledged = _padded(book, Side.COLLATERAL)
        self._owed = _padded(book, Side.DEBT)

    def __call__(self, oracle: Floats, market: Floats) -> dict[str, Floats]:
        """All outputs."""
        book, pledged, owed = self._book, self._pledged, self._owed
        backing = pledged.amount * pledged.threshold
        margin = (backing[:, :, None] * oracle[pledged.quote]).sum(axis=1)
        margin -= (owed.amount[:, :, None] * oracle[owed.quote]).sum(axis=1)
        mask = margin < 0
        worth = pledged.amount[:, :, None] * market[pledged.quote] * mask[:, None]
        due = owed.amount[:, :, None] * market[owed.quote] * mask[:, None]
        collateral, debt = worth.sum(axis=1), due.sum(axis=1)
        where, count = book.unit_deployment, len(book.deployments)
        return {
            "accounts": _grouped(where, mask, count),
            "debt": _grouped(where, debt, count),
            "collateral": _grouped(where, collateral, count),
            "bad_debt": _grouped(where, np.maximum(debt - collateral, 0), count),
            "asset_debt": self._by_asset(owed.quote, due),
            "asset_collateral": self._by_asset(pledged.quote, worth),
        }

    def _by_asset(self, quote: Ints, value: Floats) -> Floats:
        asset = self._book.quote_asset[quote].ravel()
        return _grouped(asset, value.reshape(len(asset), -1), len(self._book.assets))


class ChunkedScipy:
    """Sparse products, 2048 units times 32 scenarios at a time."""

    UNITS, LANES = 2048, 32

    def __init__(self, book: Book) -> None:
        self._book = book
        threshold = book.liquidation_threshold[book.holding_parameters]
        pledged, owed = book.holding_side == Side.COLLATERAL, book.holding_side == Side.DEBT
        rows = (
            _rows(book, pledged, book.holding_amount * threshold),
            _rows(book, pledged, book.holding_amount),
            _rows(book, owed, book.holding_amount),
        )
        self._tiles = [
            (*(row[i : i + self.UNITS] for row in rows), _places(book, i, i + self.UNITS))
            for i in range(0, len(book.units), self.UNITS)
        ]

    def __call__(self, oracle: Floats, market: Floats) -> dict[str, Floats]:
        """All outputs."""
        parts = [
            self._chunk(oracle[:, s : s + self.LANES], market[:, s : s + self.LANES])
            for s in range(0, oracle.shape[1], self.LANES)
        ]
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}

    def _chunk(self, oracle: Floats, market: Floats) -> dict[str, Floats]:
        oracle, market = np.ascontiguousarray(oracle), np.ascontiguousarray(market)
        deployments = np.zeros((4, len(self._book.deployments), oracle.shape[1]))
        units = np.zeros((2, *oracle.shape))
        for backing, pledged, owed, places in self._tiles:
            mask = (owed @ oracle > backing @ oracle).astype(np.float64)
            debt, collateral = (owed @ market) * mask, (pledged @ market) * mask
            bad_debt = np.maximum(np.asarray(debt - collateral), 0)
            for total, values in zip(deployments, (mask, debt, collateral, bad_debt), strict=True):
                np.add(total, np.asarray(places @ np.asarray(values)), out=total)
            units[0] += owed.T @ mask
            units[1] += pledged.T @ mask
        accounts, debt, collateral, bad_debt = deployments
        asset_debt, asset_collateral = (
            _grouped(self._book.quote_asset, side * market, len(self._book.assets))
            for side in units
        )
        return {
            "accounts": accounts,
            "debt": debt,
            "collateral": collateral,
            "bad_debt": bad_debt,
            "asset_debt": asset_debt,
            "asset_collateral": asset_collateral,
        }


def _rows(
    book: Book, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]], weight: Floats
) -> csr_array[np.float64]:
    shape = (len(book.units), len(book.quote_asset))
    at = (book.holding_unit[wanted], book.holding_quote[wanted])
    return csr_array((weight[wanted], at), shape=shape)


def _places(book: Book, first: int, stop: int) -> csr_array[np.float64]:
    where = book.unit_deployment[first:stop]
    ones = np.ones(len(where))
    return csr_array(
        (ones, (where, np.arange(len(where)))), shape=(len(book.deployments), len(where))
    )


def _padded(book: Book, side: Side, order: Ints | None = None) -> _Padded:
    """The terms of all units, in this order of units (None: their own)."""
    mine = np.flatnonzero(book.holding_side == side)
    unit = book.holding_unit[mine]
    count = np.bincount(unit, minlength=len(book.units))
    column = np.arange(len(mine)) - (np.cumsum(count) - count)[unit]
    shape = (len(book.units), int(count.max()))
    quote, amount, threshold = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    quote[unit, column] = book.holding_quote[mine]
    amount[unit, column] = book.holding_amount[mine]
    threshold[unit, column] = book.liquidation_threshold[book.holding_parameters[mine]]
    if order is not None:
        quote, amount, threshold = quote[order], amount[order], threshold[order]
    return _Padded(quote=quote, amount=amount, threshold=threshold)


def _reduced(label: Ints, values: Floats, groups: int) -> Floats:
    """Sums of rows by label, which ascends, (groups, S)."""
    first = np.flatnonzero(np.diff(label, prepend=-1))
    sums = np.zeros((groups, values.shape[1]))
    sums[label[first]] = np.add.reduceat(values, first, axis=0)
    return sums


def _grouped(label: Ints, values: Floats, groups: int) -> Floats:
    """Sums of rows by label, (groups, S)."""
    matrix = csr_array(
        (np.ones(len(label)), (label, np.arange(len(label)))), shape=(groups, len(label))
    )
    return np.asarray(matrix @ values.astype(np.float64), dtype=np.float64)
