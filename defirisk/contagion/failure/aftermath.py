"""What is lost where a failure sets off liquidations: a cascade, and a settlement of what it left.

1. The cascade is played from the failure (`contagion.cascade`): what failed is worth nothing, what
   is a claim on it converts to less, and keepers liquidate, sell, and move prices for everybody.
2. What it leaves is settled at once, at the market prices of its end (`contagion.failure`).

Each dollar is counted once:

* What failed itself: its lenders' deposits, or its holders' shares, times the part that is gone.
  What borrowers of a market that fails do not pay back besides is no further loss of its lenders:
  R_m is the recovery of the failure times what its borrowers leave, never a sum of both.
* Debts written off while the cascade runs are not owed any more. They add to the deficit of their
  market, so that the settlement finds them there once, and at no unit.
* Debts that are still owed are lost as far as the unit's collateral is worth less at the end. These
  are all units, liquidated or not: also those whose frozen or hard-coded oracle lets nobody act.
* A vault's share is worth what its markets leave of it. The cascade has moved its price already, so
  the settlement starts from the shares of before and finds all of that loss itself.
* Dollars are those of the failure's beginning: what a token is worth less by sales alone is no debt
  that somebody does not pay.

What borrowers pay as a penalty, and what keepers or pools gain or lose by a price, is not in it. A
market that fails goes on liquidating as its contracts do. Where no unit of a book can be
liquidated, this is the settlement alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

import numpy as np

from defirisk.contagion.cascade.many import KERNELS, empty_ends
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, Settings
from defirisk.contagion.cascade.state import DONE, LIQUIDATION, LOSS, SALE, TRACE, State
from defirisk.contagion.cascade.units import unit_rules, unit_table
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import Settled, fail, row_of_quote
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.holdings import Side
from defirisk.core.scenario import Scenario

K = TypeVar("K")
COMPILED_FROM = 200_000
"""Rows of units times scenarios from which machine code pays for being loaded: failures last long,
a hundred rounds and more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """How one scenario ends. `at_once` is what a settlement without any sale finds, at the prices
    as the failure begins; `settled` is that of what the cascade leaves, both of one scenario.

    `seized_usd` is by the market of the collateral (`Book.markets`), `sold_usd` in indexed pools by
    what was sold and for what (`Book.assets`), at the market prices of the rounds. `prices` (A,)
    are market prices at the end. `ended`: within the rounds allowed.
    """

    at_once: Settled
    settled: Settled
    lost_usd: float
    """As in the module, NaN where unknown."""
    seized_usd: dict[int, float]
    sold_usd: dict[tuple[int, int], float]
    prices: Floats
    liquidations: int
    rounds: int
    ended: bool

    @property
    def priced(self) -> Settled:
        """`settled` in dollars of the failure's beginning, as all losses are."""
        return replace(self.settled, prices=self.at_once.prices)


def can_be_played(book: Book) -> bool:
    """Whether it is known of any unit how it is liquidated."""
    return bool((unit_rules(book) >= 0).any())


def aftermaths(
    book: Book,
    scenarios: Sequence[Scenario],
    settings: Settings = BASE,
    *,
    compiled: bool | None = None,
) -> tuple[Aftermath, ...]:
    """Every scenario played through and settled.

    `compiled`: machine code or Python (None: what is sooner done); the result is the same, bit for
    bit.
    """
    its = _Ends(book, settings)
    if compiled is None:
        compiled = len(its.before) * len(scenarios) >= COMPILED_FROM
    at_once = fail(book, scenarios)
    return tuple(
        its.aftermath(one, compiled, _single(at_once, s)) for s, one in enumerate(scenarios)
    )


def _single(settled: Settled, s: int) -> Settled:
    """One scenario of several."""
    columns = ("recoveries", "uncovered", "left", "paid", "withdrawn", "prices")
    rows = ("unknown", "converged")
    return replace(
        settled,
        scenarios=settled.scenarios[s : s + 1],
        **{name: getattr(settled, name)[:, s : s + 1] for name in columns},
        **{name: getattr(settled, name)[s : s + 1] for name in rows},
    )


class _Ends:
    """One book's cascades, each settled where it ends. H counts rows of `unit_table`."""

    def __init__(self, book: Book, settings: Settings) -> None:
        self._book, self._settings = book, settings
        self._units, self.before = unit_table(book)
        self._rows = _rows(book, self._units.place)
        self._market = row_of_quote(book)
        self._cascade = Cascade(book)
        self._room = 1000 + 4 * len(self._units.place)

    def aftermath(self, scenario: Scenario, compiled: bool, at_once: Settled) -> Aftermath:
        state, trace, rounds = self._played(scenario, compiled)
        settled = fail(self._left(state, trace), [self._moved(scenario, state)])
        return Aftermath(
            at_once=at_once,
            settled=settled,
            lost_usd=float(lost_usd(self._book, replace(settled, prices=at_once.prices))[0]),
            seized_usd=_summed(self._seized(state, trace)),
            sold_usd=_summed(self._sold(state, trace)),
            prices=state.market.copy(),
            liquidations=int((trace[:, 1] == LIQUIDATION).sum()),
            rounds=rounds,
            ended=bool(state.totals[DONE]),
        )

    def _played(self, scenario: Scenario, compiled: bool) -> tuple[State, Floats, int]:
        """The state at the end, what happened on the way, row by row, and the number of rounds."""
        play = self._in_machine_code if compiled else self._in_python
        while True:
            state, rounds = play(scenario)
            count = int(state.traced[0])
            if count < self._room:
                return state, state.trace[:count], rounds
            self._room *= 4

    def _in_python(self, scenario: Scenario) -> tuple[State, int]:
        played = self._cascade.play([scenario], self._settings, compiled=False, trace=self._room)
        return played.states[0], int(played.rounds[0])

    def _in_machine_code(self, scenario: Scenario) -> tuple[State, int]:
        # Imported where it pays: numba alone takes longer than a small job.
        from defirisk.contagion.cascade.machine import machine_code

        begun, given, place = self._cascade.prepared([scenario], self._settings)
        trace = np.zeros((self._room, TRACE))
        state = place._replace(trace=trace, traced=np.zeros(1, dtype=np.int64))
        ends = empty_ends(state, 1)
        machine_code(KERNELS)["play_many"](self._cascade.facts, state, begun, given, ends)
        return state, int(ends.rounds[0])

    def _left(self, state: State, trace: Floats) -> Book:
        """The book that the cascade leaves; what was written off is a deficit."""
        book, units = self._book, self._units
        changed = state.amount != self.before
        amount = book.holding_amount.copy()
        scale = units.scale[units.quote]
        amount[self._rows[changed]] = (state.amount / scale)[changed]
        lost = np.zeros(len(book.markets))
        for row in trace[trace[:, 1] == LOSS]:
            quote = units.quote[int(row[3])]
            lost[self._market[quote]] += row[5] / units.scale[quote]
        return replace(
            book,
            holding_amount=amount,
            quote_rate=state.rate.copy(),
            markets=tuple(
                replace(facts, deficit=float(np.nan_to_num(facts.deficit)) + float(tokens))
                if tokens > 0
                else facts
                for facts, tokens in zip(book.markets, lost, strict=True)
            ),
        )

    def _moved(self, scenario: Scenario, state: State) -> Scenario:
        """The scenario with the market prices of the end: claims follow by themselves."""
        market = dict(scenario.moves.market)
        for a, (asset, now) in enumerate(
            zip(self._book.assets, self._book.asset_price.tolist(), strict=True)
        ):
            if asset.program is None and now > 0 and np.isfinite(state.market[a]):
                market[a] = Fraction(float(state.market[a]) / now)
        return replace(scenario, moves=replace(scenario.moves, market=market))

    def _seized(self, state: State, trace: Floats) -> Iterator[tuple[int, float]]:
        for row in trace[trace[:, 1] == LIQUIDATION]:
            quote = int(self._units.quote[int(row[4])])
            asset = int(self._units.asset[quote])
            yield int(self._market[quote]), self._usd(state, row, asset, row[6] + row[7])

    def _sold(self, state: State, trace: Floats) -> Iterator[tuple[tuple[int, int], float]]:
        for row in trace[(trace[:, 1] == SALE) & (trace[:, 5] > 0)]:
            asset = int(row[3])
            yield (asset, int(row[4])), self._usd(state, row, asset, row[5])

    def _usd(self, state: State, row: Floats, asset: int, amount: float) -> float:
        """Base units at the market price as the round began."""
        return float(
            amount / self._cascade.facts.asset_scale[asset] * state.path[int(row[0]), asset]
        )


def _rows(book: Book, units: Ints) -> Ints:
    """Which holdings of the book the rows of `unit_table` are."""
    counted = (book.holding_side != int(Side.SUPPLY)) & (book.holding_amount > 0)
    return np.flatnonzero(counted & np.isin(book.holding_unit, units))


def _summed(pairs: Iterator[tuple[K, float]]) -> dict[K, float]:
    total: dict[K, float] = {}
    for key, usd in pairs:
        total[key] = total.get(key, 0.0) + usd
    return total
