"""One price falls: everything at risk as an exact function of the fall, found by sorting.

Every margin is linear in the fall x, so a unit is liquidatable on one interval of x, and what it
owes, has pledged and leaves uncovered is linear on it. Sorting the ends of all intervals and
summing gives piecewise linear totals with jumps: all breakpoints, cliffs and inverse queries
without a grid. Units whose prices bend are laid on chords (`chords`). Decided in floating point:
`screen` is the judge within 1e-6 of a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.contagion.chords import ACCOUNTS, BAD_DEBT, COLLATERAL, DEBT, chords
from defirisk.contagion.margin import bent
from defirisk.contagion.valuation import Bools, Positions, market_quotes, positions, sums, times
from defirisk.core.book import Book, Floats
from defirisk.core.outcome import Counts
from defirisk.core.scenario import Scenario, quote_prices
from defirisk.shocks.target import price_moves

KNOTS = 65
DROPS = tuple(Fraction(k, KNOTS - 1) for k in range(KNOTS))
"""The drops at which prices are asked for."""
STRAIGHT = 1e-9
"""A price is a straight line in the fall if no knot is further from it, relatively."""
SAME_DROP = 12
"""Decimals to which the thresholds of one cliff agree: equal loans differ in the last bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Liquidatable accounts and USD at market prices, by drop; every array has shape (S,)."""

    drop: Floats
    accounts: Counts
    debt_usd: Floats
    collateral_usd: Floats
    bad_debt_usd: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Cliff:
    """A drop just after which this much more debt, of this many more accounts, is liquidatable."""

    drop: float
    debt_usd: float
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Debt that becomes liquidatable by bucket of the drop, valued where it does.

    Bucket b covers drops in (`edges[b]`, `edges[b + 1]`]; what is liquidatable without a drop is
    in none of them. Arrays: edges (B + 1,), the others (B,).
    """

    edges: Floats
    debt_usd: Floats
    accounts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Totals against the drop of one asset, a fraction in [0, 1].

    Piece k covers drops in (`breaks[k - 1]`, `breaks[k]`] and is `intercept[k] + slope[k] * drop`;
    columns are accounts, debt, collateral at risk and bad debt. `breaks` is ascending and begins
    with -inf, the break before which nothing has happened. `jump` is what a break adds of accounts
    and liquidatable debt, shape (K, 2).
    """

    asset: int
    breaks: Floats  # (K,)
    intercept: Floats  # (K + 1, 4)
    slope: Floats  # (K + 1, 4)
    jump: Floats  # (K, 2)

    def at(self, drop: Floats | Sequence[float]) -> Totals:
        """The totals at these drops. Errors: `ValueError` outside [0, 1] and for NaN."""
        x = np.atleast_1d(np.asarray(drop, dtype=np.float64))
        if not np.all((x >= 0) & (x <= 1)):
            raise ValueError("a drop is a fraction between 0 and 1")
        piece = np.searchsorted(self.breaks, x, side="left")
        total = self.intercept[piece] + self.slope[piece] * x[:, None]
        return Totals(
            drop=x,
            accounts=np.rint(total[:, ACCOUNTS]).astype(np.int64),
            debt_usd=total[:, DEBT],
            collateral_usd=total[:, COLLATERAL],
            # Cancelled sums may leave a last bit below zero.
            bad_debt_usd=np.maximum(total[:, BAD_DEBT], 0),
        )

    def cliffs(self, count: int) -> list[Cliff]:
        """The `count` largest jumps of liquidatable debt between drops of 0 and 1."""
        inside = (self.breaks >= 0) & (self.breaks < 1)
        drops, group = np.unique(np.round(self.breaks[inside], SAME_DROP), return_inverse=True)
        accounts = sums(group, self.jump[inside, 0], len(drops))
        debt = sums(group, self.jump[inside, 1], len(drops))
        largest = np.argsort(-debt, kind="stable")[:count]
        return [
            Cliff(drop=float(drops[c]), debt_usd=float(debt[c]), accounts=round(accounts[c]))
            for c in largest
            if debt[c] > 0
        ]

    def wall(self, step: float = 0.01) -> Wall:
        """Newly liquidatable debt in buckets of `step`; what a drop heals is not subtracted."""
        buckets = round(1 / step)
        edges = np.linspace(0, 1, buckets + 1)
        falls = (self.breaks >= 0) & (self.breaks < 1) & (self.jump[:, 0] > 0)
        # Liquidatable just after its break: a break on an edge belongs to the bucket above it.
        bucket = np.searchsorted(edges, self.breaks[falls], side="right") - 1
        accounts = sums(bucket, self.jump[falls, 0], buckets)
        debt = sums(bucket, self.jump[falls, 1], buckets)
        return Wall(edges=edges, debt_usd=debt, accounts=np.rint(accounts).astype(np.int64))

    def smallest_drop(
        self, *, debt_usd: float | None = None, bad_debt_usd: float | None = None
    ) -> float | None:
        """The smallest drop at which liquidatable debt, or bad debt, reaches a budget in USD.

        None where not even a fall to zero does. Errors: `ValueError` unless one budget is given.
        """
        match debt_usd, bad_debt_usd:
            case float() | int() as budget, None:
                column = DEBT
            case None, float() | int() as budget:
                column = BAD_DEBT
            case _:
                raise ValueError("give either debt_usd or bad_debt_usd")
        a, b = self.intercept[:, column], self.slope[:, column]
        # A piece begins just after its break: the next float is the first drop that it covers.
        first = np.nextafter(np.concatenate([[-np.inf], self.breaks]), np.inf)
        low, high = np.maximum(first, 0), np.clip(np.append(self.breaks, np.inf), -1, 1)
        begin, end = a + b * low, a + b * high
        reached = (low <= high) & (np.maximum(begin, end) >= budget)
        if not reached.any():
            return None
        k = int(np.argmax(reached))
        if begin[k] >= budget:
            return float(low[k])
        return float(np.clip((budget - a[k]) / b[k], low[k], high[k]))


def curve(book: Book, asset: int) -> Curve:
    """The curve of a fall of `asset` with all that follows it, as `price:` moves them.

    Units with an unknown price are left out. Values of `at` agree with `screen` to 1e-9 of the
    book's total; where a price bends (an LP share, a cap) or a margin does (`margin.bent`), units
    are laid on chords between `KNOTS` drops instead, which agree to 1e-4 of what these units owe. A
    recovery mode begins exactly where its terms on the chords say so.
    """
    oracle, market = _prices(book, asset)
    rows = positions(book)
    bends = _bent(rows, oracle, market) | (bent(book) & rows.decidable)
    ends = [0, -1]
    straight = _events_between(rows, oracle[:, ends], market[:, ends], rows.decidable & ~bends)
    if not bends.any():
        return _sorted(asset, *straight)
    few = positions(book, np.flatnonzero(bends))
    return _sorted(asset, *straight, *chords(few, oracle, market, DROPS))


def _events_between(
    rows: Positions, oracle: Floats, market: Floats, decidable: Bools
) -> list[tuple[Floats, Floats]]:
    """Of units whose prices are straight lines between drops of 0 and 1."""
    owed, pledged = times(rows.debt, market), times(rows.collateral, market)
    after, until = _negative(times(rows.backing, oracle) - rows.demanded(oracle))
    after[~decidable] = np.inf
    uncovered_after, uncovered_until = _negative(pledged - owed)
    both_after, both_until = np.maximum(after, uncovered_after), np.minimum(until, uncovered_until)

    at_risk = np.zeros((rows.count, 2, 4))
    at_risk[:, 0, ACCOUNTS] = 1
    at_risk[:, :, DEBT] = _line(owed)
    at_risk[:, :, COLLATERAL] = _line(pledged)
    lost = np.zeros_like(at_risk)
    lost[:, :, BAD_DEBT] = _line(owed - pledged)
    return [_events(after, until, at_risk), _events(both_after, both_until, lost)]


def _sorted(asset: int, *events: tuple[Floats, Floats]) -> Curve:
    breaks = np.concatenate([event[0] for event in events])
    steps = np.concatenate([event[1] for event in events])
    order = np.argsort(breaks, kind="stable")
    breaks, steps = breaks[order], steps[order]
    total = np.concatenate([np.zeros((1, 2, 4)), np.cumsum(steps, axis=0)])
    here = np.where(np.isfinite(breaks), breaks, 0)
    return Curve(
        asset=asset,
        breaks=breaks,
        intercept=total[:, 0],
        slope=total[:, 1],
        jump=np.column_stack([steps[:, 0, 0], steps[:, 0, 1] + steps[:, 1, 1] * here]),
    )


def walls(book: Book, step: float = 0.01) -> dict[int, Wall]:
    """The liquidation wall of every asset whose fall makes some debt liquidatable."""
    moving = (place for place, asset in enumerate(book.assets) if not asset.unit)
    found = {asset: curve(book, asset).wall(step) for asset in moving}
    return {asset: wall for asset, wall in found.items() if wall.accounts.any()}


def _prices(book: Book, asset: int) -> tuple[Floats, Floats]:
    """Oracle and market prices at `DROPS`, shape (Q, KNOTS) each."""
    scenarios = [
        Scenario(name="", shocks=(), moves=price_moves(book, asset, 1 - drop)) for drop in DROPS
    ]
    return quote_prices(book, scenarios), market_quotes(book, scenarios)


def _bent(rows: Positions, *prices: Floats) -> Bools:
    """The units of which some price is no straight line in the fall, shape (N,)."""
    along = np.array([float(drop) for drop in DROPS])
    touched = np.zeros(rows.count, dtype=np.bool_)
    for of in prices:
        line = of[:, :1] + (of[:, -1:] - of[:, :1]) * along
        scale = np.abs(of).max(axis=1, keepdims=True)
        curved = (np.abs(of - line) > STRAIGHT * scale).any(axis=1).astype(np.float64)
        touched |= times(rows.debt + rows.collateral + rows.required, curved) > 0
    return touched & rows.decidable


def _line(ends: Floats) -> Floats:
    """Intercept and slope from the values at 0 and 1, shape (N, 2)."""
    return np.column_stack([ends[:, 0], ends[:, 1] - ends[:, 0]])


def _negative(ends: Floats) -> tuple[Floats, Floats]:
    """Where the line through the values at 0 and 1 is negative: for after < x <= until.

    Never is after = inf. The upper end of an interval is open: one float below the root.
    """
    start, end = ends[:, 0], ends[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        root = start / (start - end)
    after = np.where(start < 0, -np.inf, np.where(end < 0, root, np.inf))
    until = np.where((start < 0) & (end >= 0), np.nextafter(root, -np.inf), np.inf)
    return after, until


def _events(after: Floats, until: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """Breaks (K,) and what is added just after each of them (K, 2, 4)."""
    begins = after < until
    ends = begins & np.isfinite(until)
    breaks = np.concatenate([after[begins], until[ends]])
    return breaks, np.concatenate([lines[begins], -lines[ends]])
