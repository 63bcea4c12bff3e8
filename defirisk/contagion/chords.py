"""Units whose prices bend as one asset falls: laid on straight lines between many drops.

The price of an LP share falls with a square root, a cap holds up to a point and a mean waits for
its window: their margins are no lines in the fall. Between two neighbouring drops they nearly are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from defirisk.contagion.valuation import Bools, Positions, times
from defirisk.core.book import Floats

ACCOUNTS, DEBT, COLLATERAL, BAD_DEBT = range(4)


def chords(
    rows: Positions, oracle: Floats, market: Floats, drops: Sequence[Fraction]
) -> list[tuple[Floats, Floats]]:
    """What is at risk and what is lost, as breaks (K,) and what each adds (K, 2, 4): intercept and
    slope of accounts, debt, collateral and bad debt. Prices are (Q, D), the drops ascend.
    """
    x = np.array([float(drop) for drop in drops])
    owed, pledged = times(rows.debt, market), times(rows.collateral, market)
    margin = times(rows.backing, oracle) - times(rows.debt, oracle)
    at_risk = np.zeros((rows.count, len(x), 4))
    at_risk[:, :, ACCOUNTS] = 1
    at_risk[:, :, DEBT], at_risk[:, :, COLLATERAL] = owed, pledged
    lost = np.zeros_like(at_risk)
    lost[:, :, BAD_DEBT] = owed - pledged
    known = rows.decidable
    # What is lost is lost where a unit can be liquidated and is not covered: where both are
    # negative, which is where the larger one is.
    both = np.maximum(margin, pledged - owed)
    return [_events(x, margin, at_risk, known), _events(x, both, lost, known)]


def _events(x: Floats, margin: Floats, values: Floats, known: Bools) -> tuple[Floats, Floats]:
    """Breaks where the margin's chords cross zero, or where values turn while it is below."""
    breaks: list[Floats] = []
    added: list[Floats] = []
    below = np.zeros(len(margin), dtype=np.bool_)
    before = np.zeros((len(margin), 2, 4))
    for k in range(len(x) - 1):
        line = _lines(x[k : k + 2], values[:, k : k + 2])
        start, end = margin[:, k], margin[:, k + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = x[k] + (x[k + 1] - x[k]) * start / (start - end)
        inside = (start < 0) & known
        first = -np.inf if k == 0 else x[k]
        _add(breaks, added, inside & ~below, np.full(len(margin), first), line)
        _add(breaks, added, inside & below, np.full(len(margin), x[k]), line - before)
        _add(breaks, added, below & ~inside, np.full(len(margin), x[k]), -before)
        _add(breaks, added, ~inside & known & (end < 0), crossing, line)
        _add(breaks, added, inside & (end >= 0), np.nextafter(crossing, -np.inf), -line)
        below, before = known & (end < 0), line
    return np.concatenate(breaks), np.concatenate(added)


def _add(
    breaks: list[Floats], added: list[Floats], who: Bools, where: Floats, what: Floats
) -> None:
    breaks.append(where[who])
    added.append(what[who])


def _lines(x: Floats, values: Floats) -> Floats:
    """Intercept and slope (N, 2, 4) through the values (N, 2, 4) at two drops."""
    slope = (values[:, 1] - values[:, 0]) / (x[1] - x[0])
    return np.stack([values[:, 0] - slope * x[0], slope], axis=1)
