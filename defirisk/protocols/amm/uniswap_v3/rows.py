"""The state of Uniswap v3: pools, their ticks and observations, and whose ranges there are.

Names are the contracts' own. Square-root prices are Q64.96; liquidity is the root of the product of
both tokens' base units.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Row, table="uniswap_v3_pools", key=("pool",)):
    """What never changes. `fee` is in parts of a million."""

    pool: str
    factory: str = ZERO_ADDRESS
    token0: str = ZERO_ADDRESS
    token1: str = ZERO_ADDRESS
    fee: int = 0
    tick_spacing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Row, table="uniswap_v3_slots", key=("pool",)):
    """slot0 and liquidity. `next_observation_index` is where the next observation is written, which
    follows from the other three.
    """

    pool: str
    sqrt_price_x96: Wide = 0
    tick: int = 0
    observation_index: int = 0
    observation_cardinality: int = 0
    observation_cardinality_next: int = 0
    fee_protocol: int = 0
    liquidity: Wide = 0
    next_observation_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Row, table="uniswap_v3_ticks", key=("pool", "tick")):
    """Liquidity that begins or ends at a tick; both are 0 where it is not initialised any more."""

    pool: str
    tick: int
    liquidity_gross: Wide = 0
    liquidity_net: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Row, table="uniswap_v3_observations", key=("pool", "index")):
    """An entry of the pool's ring. `block_timestamp` is modulo 2**32."""

    pool: str
    index: int
    block_timestamp: int = 0
    tick_cumulative: int = 0
    seconds_per_liquidity_cumulative_x128: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(
    Row, table="uniswap_v3_positions", key=("pool", "owner", "tick_lower", "tick_upper")
):
    """Liquidity of a range as the pool knows it: the position manager owns those of its tokens."""

    pool: str
    owner: str
    tick_lower: int
    tick_upper: int
    liquidity: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMint(Row, table="uniswap_v3_last_mints", key=("owner",)):
    """The last Mint for an owner, and where in the chain it was: what a new token of the position
    manager stands for, which its own logs do not say.
    """

    owner: str
    pool: str = ZERO_ADDRESS
    tick_lower: int = 0
    tick_upper: int = 0
    amount: Wide = 0
    block_number: int = 0
    log_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Row, table="uniswap_v3_tokens", key=("manager", "token_id")):
    """A range as a token of a position manager. `pool` is the zero address where it is not among
    those that are indexed.
    """

    manager: str
    token_id: int
    owner: str = ZERO_ADDRESS
    pool: str = ZERO_ADDRESS
    tick_lower: int = 0
    tick_upper: int = 0
    liquidity: Wide = 0


ROWS: tuple[type[Row], ...] = (Pool, Slot, Tick, Observation, Position, LastMint, Token)
