"""The state of Uniswap v2 and its forks: pairs, what they hold, and who holds their LP tokens.

Names are the contracts' own. `_raw` are base units of the LP token; reserves are base units of the
pair's tokens; `price*_cumulative_last` are UQ112x112 times seconds, modulo 2**256.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Row, table="uniswap_v2_pairs", key=("pair",)):
    """What never changes. `factory` is who made the pair."""

    pair: str
    factory: str = ZERO_ADDRESS
    token0: str = ZERO_ADDRESS
    token1: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserves(Row, table="uniswap_v2_reserves", key=("pair",)):
    """What a pair holds, what its prices have accumulated, and how many LP tokens there are.

    `block_timestamp_last` is modulo 2**32, as the contract keeps it.
    """

    pair: str
    reserve0: Wide = 0
    reserve1: Wide = 0
    block_timestamp_last: int = 0
    price0_cumulative_last: Wide = 0
    price1_cumulative_last: Wide = 0
    total_supply_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance(Row, table="uniswap_v2_balances", key=("pair", "account")):
    """LP tokens of an account. The zero address holds what is locked for ever."""

    pair: str
    account: str
    balance_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFee(Row, table="uniswap_v2_protocol_fees", key=("pair",)):
    """The product of the reserves when the protocol last had its share of a pair.

    No log says when that is switched on or off: it was read where a run ended, in `read_block`, and
    says nothing about other blocks.
    """

    pair: str
    read_block: int = 0
    k_last: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTo(Row, table="uniswap_v2_fees_to", key=("factory",)):
    """Who gets the protocol's share of a factory's pairs, if anybody. Read likewise."""

    factory: str
    read_block: int = 0
    fee_to: str = ZERO_ADDRESS


ROWS: tuple[type[Row], ...] = (Pair, Reserves, Balance, ProtocolFee, FeeTo)
