"""The arrays of a cascade: facts that all scenarios share, and the state of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.cascade.oracles import Oracles, Told
from defirisk.contagion.cascade.pools import Pools
from defirisk.contagion.cascade.routes import RouteTable
from defirisk.contagion.cascade.units import Narrow, Tiny, Units
from defirisk.contagion.cascade.vaults import Vaults
from defirisk.core.book import Floats, Ints

LIQUIDATED_DEBT, LIQUIDATED_COLLATERAL, BAD, UNCOVERED, PENALTY, PROTOCOL_FEES, ACCOUNTS = range(7)
IN_POOLS = 6
LOSSES = 7
"""Columns of `by_deployment` and `by_asset`: USD at the market prices of the round. `BAD` is what
was booked or socialised, `UNCOVERED` what is left without collateral at the end; `PENALTY` is what
borrowers lost beyond what was repaid for them, `PROTOCOL_FEES` is of that the protocol's. Last come
the units that were liquidatable (by deployment), and what of the seized was sold in indexed pools
(by asset).
"""

SEIZED, SOLD, PROCEEDS, SPENT, GAS, LIQUIDATIONS, REFUSED, DONE = range(8)
"""Columns of `totals`: USD that keepers seized, sold in indexed pools, received anywhere, repaid,
paid for gas; numbers of liquidations and of those that no keeper took (not counted by machine
code, which does not look at all of them); whether it ended by itself.
"""
TOTALS = 8

ROUND_SECONDS, GAS_USD, CAPACITY, SLICES, RECOVERY, UNKNOWN, DEVIATION, MAX_ROUNDS, HALTED = range(
    9
)
"""Places of `settings.Settings` in `assumed`; `HALTED` are the seconds for which no
keeper acts at first."""
ASSUMED = 9

LIQUIDATION, LOSS, SALE = range(3)
"""Kinds of rows in `trace`: (round, kind, unit, debt row, collateral row, repaid, seized, fee),
(round, kind, unit, debt row, -1, amount, 0, 0), (round, kind, -1, asset, asset, sold, received, 0).
"""
TRACE = 8


class Facts(NamedTuple):
    """What no scenario changes. V venues, H rows, Q quotes, A assets, C conversions."""

    units: Units
    pools: Pools
    routes: RouteTable
    oracles: Oracles
    asset_scale: Floats  # (A,), base units to a whole token
    fee: Floats  # (Q,), the protocol's part, see core.liquidation.Pocket
    pays_out: Floats  # (Q,), 1 where seized collateral leaves the market's cash
    pledged: Ints  # (Q,), 1 where some unit pledges it
    owed: Ints  # (Q,), 1 where some unit owes it
    vaults: Vaults
    share_root: Floats  # (V,), root of the product of a pair's reserves today; 0 of other pools


LANES = 16
"""Scenarios whose first round machine code screens at once."""


Rough = npt.NDArray[np.float32]


class Watch(NamedTuple):
    """What machine code knows of units, so as not to look at all of them; see `watching`.

    `unit` has `listed` of them, ascending: all that were liquidatable once, and all whose health
    may be below 1 while prices have fallen to `bound` or less.
    """

    first_worth: Floats  # (Q, LANES), as the first round began
    health: Rough  # (LANES, N), as the first round began
    lane: Ints  # (1,), the scenario's
    backing: Floats  # (LANES,), room
    owed: Floats  # (LANES,), room
    worth: Floats  # (Q,), as the round before began
    fallen: Floats  # (1,), by how much health factors may have fallen, as that round began
    drift: Floats  # (1,), by how much prices on one side of units may have moved apart, likewise
    risen: Floats  # (1,), by how much prices may have risen, likewise
    last: Rough  # (N,), health as last looked at, over `fallen` of then
    price: Floats  # (Q,), likewise
    usd: Floats  # (A,), likewise
    pools: Floats  # (V, 4 or more), likewise
    still: Tiny  # (V,), 1: a pool is as it was then
    moved: Ints  # (1,), the assets of which some price is not as it was then, a bit each
    quiet: Tiny  # (A, A), 1: every pool between two assets is as it was then; 2: one is not
    held: Ints  # (N,), the assets that a unit holds or owes, a bit each
    refused: Narrow  # (N,), 1 + the two assets of what could not be done; 0: nothing is known
    debt: Narrow  # (N,), the kinds of debt and collateral that no keeper could earn by
    pledge: Narrow  # (N,)
    lead: Rough  # (N,), over the next debt or collateral, in `drift` of now; 0: nothing is known
    stake: Rough  # (N,), what keepers may be paid for at most, over `risen` of then
    visit: Ints  # (N,), room for those of a round
    unit: Narrow  # (N,)
    listed: Ints  # (1,)
    bound: Floats  # (1,)


class State(NamedTuple):
    """What one scenario changes as its rounds go by."""

    amount: Floats  # (H,), base units of the quote
    pockets: Floats  # (K, W)
    pools: Floats  # (V, 4 or more)
    opening_pools: Floats  # likewise, as the first round begins
    opening_spot: Floats  # (pairs,), base units
    share_root: Floats  # (V,), as in the facts, of what a depth shock left
    spot_factor: Floats  # (pairs,)
    conversion: Floats  # (C,), factors since the start
    told: Told
    before: Floats  # leaves of `told` before the round's last step
    growth: Floats  # (Q,), of its rate since the start
    rate: Floats  # (Q,)
    quote: Floats  # (Q,), oracle price of a whole unit of the quote
    worth: Floats  # (Q,), of a base unit
    tariff: Floats  # (G, TARIFF), likewise, of every kind of row: `WORTH` and `THRESHOLD`
    price: Floats  # (Q,), of a base unit of its asset
    market: Floats  # (A,), USD per whole token
    usd: Floats  # (A,), USD per base unit, as the round began
    gas: Floats  # (A,), base units that pay for the gas of one liquidation, likewise
    best: Floats  # (A, A), what a base unit of one asset brings of the other at most, likewise
    known: Ints  # (A, A), 1: `best` is known
    touched: Tiny  # (N,), see `watching`
    seen: Tiny  # (N,), 1: liquidatable once; 2: liquidated
    watch: Watch
    seized: Floats  # (A, A), base units seized of one asset for debt of the other, this round
    selling: Ints  # (A,), 1: some of it was seized this round
    by_deployment: Floats  # (D, LOSSES)
    by_asset: Floats  # (A, LOSSES)
    totals: Floats  # (TOTALS,)
    path: Floats  # (max_rounds + 1, A), market prices as each round began, and at the end
    trace: Floats  # (T, TRACE), empty: not wanted
    traced: Ints  # (1,), rows in use
