"""Of each asset in a market: whose it is, who owes it, and whether it can be paid back."""

from __future__ import annotations

import math

import numpy as np

from defirisk.core.holdings import Side
from defirisk.graph.build import Composition
from defirisk.graph.measures import Measure
from defirisk.metrics.solvency import solvency


def asset_liability_ratio(made: Composition) -> dict[str, float]:
    """Cash and what of the loans is covered at market prices, over deposits.

    Unlike in `metrics.solvency` a loan need not be liquidatable: what an oracle calls healthy may
    be lost already. Markets without deposits are left out, and so are those of perpetuals, in which
    a short owes what nobody has deposited.
    """
    margined = set(made.book.requirements.quote.tolist())
    every = solvency(made.book, np.zeros(len(made.book.units)))
    return {
        row.id: one.asset_liability_ratio
        for row, one in zip(made.rows, every, strict=True)
        if not math.isnan(one.asset_liability_ratio) and margined.isdisjoint(row.quotes)
    }


def deposit_concentration(made: Composition) -> dict[str, float]:
    """The largest owner's share of what is deposited, in markets with deposits of known price."""
    return _largest(made, debt=False)


def debt_concentration(made: Composition) -> dict[str, float]:
    """The largest owner's share of what is owed, likewise."""
    return _largest(made, debt=True)


def _largest(made: Composition, *, debt: bool) -> dict[str, float]:
    held = made.held
    own = ((held.side == Side.DEBT) == debt) & (held.value > 0)
    by_owner: dict[tuple[int, int], float] = {}
    columns = (held.row[own].tolist(), held.owner[own].tolist(), held.value[own].tolist())
    for row, owner, value in zip(*columns, strict=True):
        by_owner[row, owner] = by_owner.get((row, owner), 0.0) + value
    total: dict[int, float] = {}
    most: dict[int, float] = {}
    for (row, _), value in by_owner.items():
        total[row] = total.get(row, 0.0) + value
        most[row] = max(most.get(row, 0.0), value)
    return {made.rows[row].id: most[row] / total[row] for row in sorted(total)}


MEASURES = (
    Measure(
        name="asset_liability_ratio",
        title="Assets over liabilities",
        unit="percent",
        about="Cash and loans, as far as collateral covers them at market prices, over deposits: "
        "below 100 % not everyone can be paid, whatever the oracle says.",
        compute=asset_liability_ratio,
        is_finding=lambda ratio: ratio < 1 - 1e-3,
        ascending=True,
    ),
    Measure(
        name="concentration",
        title="The largest depositor's share",
        unit="percent",
        about="Of all that is deposited of one asset in one market.",
        compute=deposit_concentration,
    ),
    Measure(
        name="debt_concentration",
        title="The largest borrower's share",
        unit="percent",
        about="Of all that is owed of one asset in one market.",
        compute=debt_concentration,
    ),
)
