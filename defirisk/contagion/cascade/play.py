"""Plays cascades over a book: scenario by scenario, from opening states to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from defirisk.contagion.cascade import rounds
from defirisk.contagion.cascade.many import (
    CHUNK,
    KERNELS,
    Openings,
    depths,
    empty_ends,
    openings,
    turns,
)
from defirisk.contagion.cascade.opening import opening
from defirisk.contagion.cascade.outcome import CascadeOutcome, Played, gathered
from defirisk.contagion.cascade.pockets import pocket_table
from defirisk.contagion.cascade.pools import PoolTable, move_spot, pool_table, shrink, spot
from defirisk.contagion.cascade.pools.columns import KIND, PRODUCT
from defirisk.contagion.cascade.routes import routes
from defirisk.contagion.cascade.settings import BASE, Settings
from defirisk.contagion.cascade.sources import Sources, sources
from defirisk.contagion.cascade.state import (
    ASSUMED,
    LANES,
    LOSSES,
    TOTALS,
    TRACE,
    Facts,
    State,
    Watch,
)
from defirisk.contagion.cascade.units import asset_scales, of_pockets, tariff, unit_table, used
from defirisk.contagion.cascade.vaults import vault_table
from defirisk.contagion.cascade.watching import held_assets
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book, Floats
from defirisk.core.scenario import Scenario, market_prices

Kernel = Callable[..., None]

_OF_UNIT = np.dtype(
    [
        *(("held", "i8"), ("refused", "i4"), ("debt", "i4"), ("pledge", "i4")),
        *(("lead", "f4"), ("stake", "f4"), ("", "i4")),
    ]
)
"""What is read of one unit lies side by side in memory."""

COMPILED_FROM = 2_000_000
"""Rows of units times scenarios from which machine code pays for being loaded."""


def play(
    book: Book,
    scenarios: Sequence[Scenario],
    settings: Settings = BASE,
    *,
    compiled: bool | None = None,
    trace: int = 0,
) -> CascadeOutcome:
    """Every scenario's cascade, as `contagion.cascade` specifies it.

    `compiled`: machine code or Python (None: what is sooner done); the result is the same, bit for
    bit. `trace`: how many liquidations, losses and sales to write down of each scenario.
    """
    return Cascade(book).play(scenarios, settings, compiled=compiled, trace=trace)


class Cascade:
    """The tables of one book, made once for any number of scenarios and settings."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.pools: PoolTable = pool_table(book)
        self.sources: Sources = sources(book, self.pools.venues)
        self._units, self._amounts = unit_table(book)
        self._pockets = pocket_table(book)
        self.facts = self._facts()
        self._room: State | None = None

    def play(
        self,
        scenarios: Sequence[Scenario],
        settings: Settings = BASE,
        *,
        compiled: bool | None = None,
        trace: int = 0,
    ) -> CascadeOutcome:
        """See `play`."""
        if compiled is None:
            compiled = trace == 0 and len(self._amounts) * len(scenarios) >= COMPILED_FROM
        if compiled:
            return self._in_machine_code(scenarios, settings)
        played, states = [], []
        for scenario in scenarios:
            state = self.opening(scenario, settings, trace)
            count = rounds.play(self.facts, state, assumed(settings, scenario), False)
            states.append(state)
            played.append(
                Played(
                    rounds=count,
                    by_deployment=state.by_deployment,
                    by_asset=state.by_asset,
                    totals=state.totals,
                    conversion=state.conversion,
                    path=state.path[: count + 1],
                )
            )
        return gathered(self.book, scenarios, settings, played, states)

    def _in_machine_code(self, scenarios: Sequence[Scenario], settings: Settings) -> CascadeOutcome:
        played: list[Played] = []
        for first in range(0, len(scenarios), CHUNK):
            begun, given, state = self.prepared(scenarios[first : first + CHUNK], settings)
            ends = empty_ends(state, len(given))
            self._machine_code(self.facts, state, begun, given, ends)
            played += [
                Played(
                    rounds=int(count),
                    by_deployment=ends.by_deployment[n],
                    by_asset=ends.by_asset[n],
                    totals=ends.totals[n],
                    conversion=ends.conversion[n],
                    path=ends.path[n, : count + 1].copy(),
                )
                for n, count in enumerate(ends.rounds)
            ]
        return gathered(self.book, scenarios, settings, played, ())

    def prepared(
        self, scenarios: Sequence[Scenario], settings: Settings
    ) -> tuple[Openings, Floats, State]:
        """What machine code plays some scenarios from: openings, `assumed`, a state to work in."""
        begun = openings(
            self.book, scenarios, self.sources, self.pools, self._amounts, self._pockets
        )
        given = np.stack([assumed(settings, one) for one in scenarios])
        return begun, given, self._workplace(settings)

    def _workplace(self, settings: Settings) -> State:
        """A state that machine code puts at every opening itself: for one thread at a time."""
        if self._room is None or len(self._room.path) != settings.max_rounds + 1:
            self._room = self.opening(UNMOVED, settings, watched=True)
        return self._room

    @cached_property
    def _machine_code(self) -> Kernel:
        # Imported where it pays: numba alone takes longer than a small job.
        from defirisk.contagion.cascade.machine import machine_code

        return machine_code(KERNELS)["play_many"]

    def opening(
        self, scenario: Scenario, settings: Settings, trace: int = 0, *, watched: bool = False
    ) -> State:
        """Where everything stands as the first round begins; `watched`: for machine code."""
        book, units = self.book, self._units
        pools = self._opened_pools(scenario)
        quotes, assets, count = len(book.quote_asset), len(book.assets), len(units.place)
        pairs = len(self.facts.oracles.pair_venue)
        roots = self.facts.share_root * depths(self.pools, scenario)
        share = _shares(pools, roots)
        told = opening(book, scenario, self.sources, settings.max_rounds, share)
        each = np.zeros(count, dtype=_OF_UNIT)
        each["held"] = held_assets(units)
        return State(
            amount=self._amounts.copy(),
            pockets=self._pockets.copy(),
            pools=pools,
            opening_pools=pools.copy(),
            opening_spot=self._spots(pools),
            share_root=roots,
            spot_factor=np.ones(pairs),
            conversion=np.ones(len(self.sources.conversions)),
            told=told,
            before=told.leaves.copy(),
            growth=np.ones(quotes),
            rate=units.rate.copy(),
            quote=np.zeros(quotes),
            worth=np.zeros(quotes),
            tariff=tariff(units),
            price=np.zeros(quotes),
            market=market_prices(book, [scenario])[:, 0].copy(),
            usd=np.zeros(assets),
            gas=np.zeros(assets),
            best=np.zeros((assets, assets)),
            known=np.zeros((assets, assets), dtype=np.int64),
            touched=np.zeros(count, dtype=np.int8),
            seen=np.zeros(count, dtype=np.int8),
            watch=Watch(
                first_worth=np.zeros((quotes, LANES)),
                health=np.zeros((LANES, count if watched else 0), dtype=np.float32),
                lane=np.zeros(1, dtype=np.int64),
                backing=np.zeros(LANES),
                owed=np.zeros(LANES),
                worth=np.zeros(quotes),
                fallen=np.zeros(1),
                drift=np.zeros(1),
                risen=np.zeros(1),
                last=np.zeros(count, dtype=np.float32),
                price=np.zeros(quotes),
                usd=np.zeros(assets),
                pools=np.zeros(pools.shape),
                still=np.zeros(len(pools), dtype=np.int8),
                moved=np.zeros(1, dtype=np.int64),
                quiet=np.zeros((assets, assets), dtype=np.int8),
                held=each["held"],
                refused=each["refused"],
                debt=each["debt"],
                pledge=each["pledge"],
                lead=each["lead"],
                stake=each["stake"],
                visit=np.zeros(count, dtype=np.int64),
                unit=np.zeros(count, dtype=np.int32),
                listed=np.zeros(1, dtype=np.int64),
                bound=np.full(1, np.inf),
            ),
            seized=np.zeros((assets, assets)),
            selling=np.zeros(assets, dtype=np.int64),
            by_deployment=np.zeros((len(book.deployments), LOSSES)),
            by_asset=np.zeros((assets, LOSSES)),
            totals=np.zeros(TOTALS),
            path=np.full((settings.max_rounds + 1, assets), np.nan),
            trace=np.zeros((trace, TRACE)),
            traced=np.zeros(1, dtype=np.int64),
        )

    def _facts(self) -> Facts:
        book, units, table = self.book, self._units, self.pools
        return Facts(
            units=units,
            pools=table.pools,
            routes=routes(table, len(book.assets)),
            oracles=self.sources.tables,
            asset_scale=asset_scales(book, units),
            fee=of_pockets(book, units, "fee"),
            pays_out=of_pockets(book, units, "pays_out"),
            pledged=used(units, debt=False),
            owed=used(units, debt=True),
            vaults=vault_table(book, self.sources.conversions),
            share_root=_roots(table),
        )

    def _opened_pools(self, scenario: Scenario) -> Floats:
        """The pools as arbitrageurs and depth shocks leave them: see the specification's start."""
        table = self.pools
        market = market_prices(self.book, [scenario]).T
        turn, depth = turns(self.book, market, table)[0], depths(table, scenario)
        state = table.state.copy()
        for v in range(len(table.venues)):
            if turn[v] != 1:
                move_spot(table.pools, state, v, 0, 1, float(turn[v]))
            if depth[v] != 1:
                shrink(table.pools, state, v, float(depth[v]))
        return state

    def _spots(self, pools: Floats) -> Floats:
        pairs, table = self.facts.oracles, self.pools
        found = np.zeros(len(pairs.pair_venue))
        for p, v in enumerate(pairs.pair_venue):
            if v >= 0:
                token, other = int(pairs.pair_token[p]), int(pairs.pair_other[p])
                found[p] = spot(table.pools, pools, int(v), token, other)
        return found


def assumed(settings: Settings, scenario: Scenario) -> Floats:
    """The settings as the kernels read them, shape (ASSUMED,)."""
    values = [
        float(settings.round_seconds),
        settings.gas_usd,
        settings.keeper_capacity_usd,
        float(settings.slices),
        settings.recovery,
        float(settings.unknown_depth),
        settings.feed_deviation,
        float(settings.max_rounds),
        float(scenario.moves.halt_seconds),
    ]
    assert len(values) == ASSUMED
    return np.array(values)


def _shares(pools: Floats, roots: Floats) -> Floats:
    """By how much fees have raised what a share of each pool stands for, shape (V,)."""
    now: Floats = np.sqrt(pools[:, 0] * pools[:, 1])
    return np.divide(now, roots, out=np.ones_like(roots), where=roots > 0)


def _roots(table: PoolTable) -> Floats:
    product = table.pools.facts[:, KIND] == PRODUCT
    roots = np.sqrt(table.state[:, 0] * table.state[:, 1])
    return np.where(product, roots, 0.0)
