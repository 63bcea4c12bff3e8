"""Units whose margins bend as one asset falls: laid on straight lines between many drops.

The price of an LP share falls with a square root, a cap holds up to a point and a mean waits for
its window; a requirement reaches its limit. Their margins are no lines in the fall, but between two
neighbouring drops they nearly are. Recovery mode joins several lines by what is lower or higher:
each is followed on its own, and where the joint one crosses zero is found by halving.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from defirisk.contagion.valuation import Bools, Positions, times
from defirisk.core.book import Floats

ACCOUNTS, DEBT, COLLATERAL, BAD_DEBT = range(4)
HALVINGS = 60
"""Until two neighbouring drops differ in their last bits."""


def chords(
    rows: Positions, oracle: Floats, market: Floats, drops: Sequence[Fraction]
) -> list[tuple[Floats, Floats]]:
    """What is at risk and what is lost, as breaks (K,) and what each adds (K, 2, 4): intercept and
    slope of accounts, debt, collateral and bad debt. Prices are (Q, D), the drops ascend.
    """
    x = np.array([float(drop) for drop in drops])
    owed, pledged = times(rows.debt, market), times(rows.collateral, market)
    margin = _margins(rows, oracle)
    at_risk = np.zeros((rows.count, len(x), 4))
    at_risk[:, :, ACCOUNTS] = 1
    at_risk[:, :, DEBT], at_risk[:, :, COLLATERAL] = owed, pledged
    lost = np.zeros_like(at_risk)
    lost[:, :, BAD_DEBT] = owed - pledged
    known = rows.decidable
    # What is lost is lost where a unit can be liquidated and is not covered: where both are
    # negative, which is where the larger one is.
    both = np.concatenate([margin, (pledged - owed)[None]])
    return [_events(x, margin, at_risk, known), _events(x, both, lost, known)]


def _margins(rows: Positions, oracle: Floats) -> Floats:
    """What decides on each unit, (4, N, D): its own margin, and the terms of recovery mode, which
    are 1 where there is none. `_falls` says how they decide together.
    """
    own = times(rows.backing, oracle) - rows.demanded(oracle)
    found = np.concatenate([own[None], np.ones((3, *own.shape))])
    for system in rows.systems:
        of = system.members
        pledged, owed = times(rows.collateral[of], oracle), times(rows.debt[of], oracle)
        found[1:, of] = system.conditions(pledged, owed, np.zeros_like(owed), oracle).value
        # A debt that is just absorbed is; the contract decides those at the screen.
        found[3, of] = np.where(found[3, of] <= 0, -1.0, 1.0)
    return found


def _falls(of: Floats) -> Bools:
    """Where a unit can be liquidated and, if a fifth is given, is not covered: (4 or 5, …)."""
    due = (of[0] < 0) | (of[1:4] < 0).all(axis=0)
    return np.asarray(due & (of[4:] < 0).all(axis=0), dtype=np.bool_)


def _events(x: Floats, terms: Floats, values: Floats, known: Bools) -> tuple[Floats, Floats]:
    """Breaks where units begin or cease to fall on the chords, or where values turn while they do.

    `terms` are (4 or 5, N, D), `values` (N, D, 4).
    """
    breaks: list[Floats] = []
    added: list[Floats] = []
    falls = _falls(terms) & known[:, None]
    turning, at = np.nonzero(falls[:, 1:] != falls[:, :-1])
    crossings = np.zeros((len(values), len(x) - 1))
    crossings[turning, at] = _crossing(
        x[at], x[at + 1], terms[:, turning, at], terms[:, turning, at + 1]
    )
    below = np.zeros(len(values), dtype=np.bool_)
    before = np.zeros((len(values), 2, 4))
    for k in range(len(x) - 1):
        line = _lines(x[k : k + 2], values[:, k : k + 2])
        inside, after, crossing = falls[:, k], falls[:, k + 1], crossings[:, k]
        first = -np.inf if k == 0 else x[k]
        _add(breaks, added, inside & ~below, np.full(len(values), first), line)
        _add(breaks, added, inside & below, np.full(len(values), x[k]), line - before)
        _add(breaks, added, below & ~inside, np.full(len(values), x[k]), -before)
        _add(breaks, added, ~inside & after, crossing, line)
        _add(breaks, added, inside & ~after, crossing, -line)
        below, before = after, line
    return np.concatenate(breaks), np.concatenate(added)


def _crossing(first: Floats, last: Floats, start: Floats, end: Floats) -> Floats:
    """Where what falls at just one of two drops (C,) begins or ceases to: (C,) of terms (…, C).

    It is the last drop of what is at the first of them.
    """
    low, high = np.zeros(len(first)), np.ones(len(first))
    before = _falls(start)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = _falls(start + (end - start) * middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray(first + (last - first) * low, dtype=np.float64)


def _add(
    breaks: list[Floats], added: list[Floats], who: Bools, where: Floats, what: Floats
) -> None:
    breaks.append(where[who])
    added.append(what[who])


def _lines(x: Floats, values: Floats) -> Floats:
    """Intercept and slope (N, 2, 4) through the values (N, 2, 4) at two drops."""
    slope = (values[:, 1] - values[:, 0]) / (x[1] - x[0])
    return np.stack([values[:, 0] - slope * x[0], slope], axis=1)
