"""The state of an imported pool: what the user's files state, digit by digit."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.row import Row, Wide
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPool(Row, table="imported_pools_venues", key=("venue",)):
    """One pool. `fee` is a fraction of 1 as decimal text, and `admin_fee` the part of it that does
    not stay in the pool; `amplification` is A as the contract's A() says it, as text, and
    `generation` the name of a `StableSwap`'s own in lower case. The others are a Uniswap v3
    pool's: all its ticks from `ticks_from` to `ticks_to` are known.
    """

    venue: str
    kind: str = ""
    fee: str = "0"
    admin_fee: str = "0"
    amplification: str = "0"
    generation: str = "plain"
    sqrt_price_x96: Wide = 0
    tick_spacing: int = 1
    liquidity: Wide = 0
    ticks_from: int = MIN_TICK
    ticks_to: int = MAX_TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedReserve(Row, table="imported_pools_reserves", key=("venue", "place")):
    """What a pool holds of one token, in base units; `place` is the token's in the pool's order."""

    venue: str
    place: int
    asset: str = ""
    decimals: int = 18
    reserve_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTick(Row, table="imported_pools_ticks", key=("venue", "tick")):
    """The liquidity that is added where the price rises through a tick."""

    venue: str
    tick: int
    liquidity_net: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDepth(Row, table="imported_pools_depth", key=("venue", "level")):
    """A level of a depth table, the best first: whole tokens of the second asset per whole token of
    the first, and base units of the first that are taken at this price or a better one.
    """

    venue: str
    level: int
    price: str = "0"
    cumulative_raw: Wide = 0


ROWS = (ImportedPool, ImportedReserve, ImportedTick, ImportedDepth)
