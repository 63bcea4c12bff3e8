"""The fixed point of markets that cannot pay, claims that are worth less, and loans behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from defirisk.contagion.clearing.fixed_point import Limits, settle
from defirisk.contagion.clearing.network import Bools, Counts
from defirisk.contagion.failure.backed import Backed, backed
from defirisk.contagion.valuation import Positions, indicator, positions, times
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.scenario import Moves, Scenario, market_prices

LIMITS = Limits(tolerance=1e-13, rounds=10_000)
BLOCK = 4_000_000
"""Units times scenarios that are held at once: 32 MB a matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where everything is settled. M markets, K claims, A assets, N units, S scenarios.

    `prices` are NaN where unknown; units that need such a price are counted in `unknown` and taken
    to pay, so that losses are lower bounds then. `left` are factors on claims, 1 where nothing is
    lost in markets.
    """

    scenarios: tuple[Scenario, ...]
    recoveries: Floats  # (M, S)
    uncovered: Floats  # (M, S), whole tokens that units cannot pay back
    claims: tuple[Address, ...]  # (K,)
    left: Floats  # (K, S), for who stays
    paid: Floats  # (K, S), the part of a vault's assets that left beforehand
    withdrawn: Floats  # (M, S), whole tokens that runs took out of each market
    prices: Floats  # (A, S), market prices in USD
    unknown: Counts  # (S,)
    converged: Bools  # (S,)


def fail(
    book: Book, scenarios: Sequence[Scenario], run: Floats | float = 0.0, limits: Limits = LIMITS
) -> Settled:
    """Everything settled after the moves of each scenario; `run` (S,) or one for all, 0 to 1.

    Raises ValueError where `run` is no part.
    """
    asked = np.broadcast_to(np.asarray(run, dtype=np.float64), (len(scenarios),))
    if not ((asked >= 0) & (asked <= 1)).all():
        raise ValueError(f"a run takes a part between 0 and 1, not {run}")
    rows = positions(book)
    width = max(1, BLOCK // max(rows.count, 1))
    places = range(0, max(len(scenarios), 1), width)
    parts = [
        _Rounds(book, rows, scenarios[i : i + width], asked[i : i + width]).settled(limits)
        for i in places
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


def row_of_quote(book: Book) -> Ints:
    """The place in `Book.markets` of each quote's market, (Q,); -1 where it is in none."""
    places = {(m.deployment, m.market, m.asset): at for at, m in enumerate(book.markets)}
    quotes = zip(
        book.quote_deployment.tolist(), book.quote_market, book.quote_asset.tolist(), strict=True
    )
    return np.array([places.get(quote, -1) for quote in quotes], dtype=np.int64)


def paid_by_quote(recoveries: Floats, row: Ints) -> Floats:
    """What the market of each quote pays, (Q, S) of (M, S); 1 where it is in none (row -1)."""
    return np.vstack([recoveries, np.ones((1, recoveries.shape[1]))])[row]


class _Rounds:
    """Some scenarios of a book."""

    def __init__(
        self, book: Book, rows: Positions, scenarios: Sequence[Scenario], run: Floats
    ) -> None:
        self._book, self._rows, self._scenarios = book, rows, list(scenarios)
        self._stripped = [
            replace(one, moves=replace(one.moves, recoveries={})) for one in scenarios
        ]
        self._backed: Backed = backed(book, run)
        self._row = row_of_quote(book)
        count = len(book.markets)
        self._by_row = indicator(np.where(self._row >= 0, self._row, count), count + 1)
        self._own = _own(count, [one.moves for one in scenarios])
        supplied = np.array([one.supplied for one in book.markets], dtype=np.float64)
        self._deposits = np.maximum(supplied[:, None] - self._backed.withdrawn, 0.0)
        self._deficit = np.nan_to_num(np.array([one.deficit for one in book.markets]))[:, None]

    def settled(self, limits: Limits) -> Settled:
        """From R = 1 downwards."""

        def step(recoveries: Floats, which: Bools) -> Floats:
            uncovered, _ = self._uncovered(recoveries, np.flatnonzero(which))
            return self._recoveries(uncovered, which)

        found = settle(step, self._own, limits)
        every = np.arange(len(self._scenarios))
        uncovered, unknown = self._uncovered(found.values, every)
        return Settled(
            scenarios=tuple(self._scenarios),
            recoveries=found.values,
            uncovered=uncovered,
            claims=self._backed.tokens,
            left=self._backed.left(found.values),
            paid=self._backed.paid,
            withdrawn=self._backed.withdrawn,
            prices=self._prices(found.values, every),
            unknown=unknown,
            converged=found.converged,
        )

    def _prices(self, recoveries: Floats, which: Ints) -> Floats:
        left = replace(self._backed, part=self._backed.part[:, which]).left(recoveries)
        rates = dict(zip(self._backed.tokens, left, strict=True))
        return market_prices(self._book, [self._stripped[int(s)] for s in which], rates)

    def _uncovered(self, recoveries: Floats, which: Ints) -> tuple[Floats, Counts]:
        """Whole tokens by market (M, S), and how many units could not be valued (S,)."""
        book, rows = self._book, self._rows
        quotes = self._prices(recoveries, which)[book.quote_asset] * book.quote_rate[:, None]
        paying = paid_by_quote(recoveries, self._row)
        owed, pledged = times(rows.debt, quotes), times(rows.collateral, quotes * paying)
        known = np.isfinite(owed) & np.isfinite(pledged)
        short = np.zeros_like(owed)
        np.divide(owed - pledged, owed, out=short, where=known & (owed > 0))
        tokens = times(rows.debt.T.tocsr(), np.clip(short, 0, 1)) * book.quote_rate[:, None]
        owes = np.diff(rows.debt.indptr) > 0
        unknown = (~known & owes[:, None]).sum(axis=0)
        return times(self._by_row, tokens)[:-1], np.asarray(unknown, dtype=np.int64)

    def _recoveries(self, uncovered: Floats, which: Bools) -> Floats:
        lost, deposits = uncovered + self._deficit, self._deposits[:, which]
        part = np.where(lost > 0, 1.0, 0.0)  # of no deposits nothing is left to lose
        np.divide(lost, deposits, out=part, where=deposits > 0)
        return np.asarray(self._own[:, which] * (1 - np.clip(part, 0, 1)), dtype=np.float64)


def _own(markets: int, moves: Sequence[Moves]) -> Floats:
    own = np.ones((markets, len(moves)))
    for s, one in enumerate(moves):
        for market, recovery in one.recoveries.items():
            own[market, s] = float(recovery)
    return own


def _joined(parts: Sequence[Settled]) -> Settled:
    def columns(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return Settled(
        scenarios=tuple(one for part in parts for one in part.scenarios),
        recoveries=columns("recoveries"),
        uncovered=columns("uncovered"),
        claims=parts[0].claims,
        left=columns("left"),
        paid=columns("paid"),
        withdrawn=columns("withdrawn"),
        prices=columns("prices"),
        unknown=np.concatenate([part.unknown for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
    )
