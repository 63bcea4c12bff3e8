"""The state of Curve's StableSwap: plain pools, what they hold, and who holds their LP tokens.

Names are the contracts' own. `_e10` is in parts of 1e10; A is times 100, as the contract keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

MOST_COINS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Row, table="curve_stableswap_pools", key=("pool",)):
    """What never changes in a plain pool. Places that are not used have the zero address."""

    pool: str
    factory: str = ZERO_ADDRESS
    coin0: str = ZERO_ADDRESS
    coin1: str = ZERO_ADDRESS
    coin2: str = ZERO_ADDRESS
    coin3: str = ZERO_ADDRESS
    fee_e10: int = 0
    admin_fee_e10: int = 0

    @property
    def coins(self) -> tuple[str, ...]:
        """The tokens in the pool's order."""
        every = (self.coin0, self.coin1, self.coin2, self.coin3)
        return tuple(coin for coin in every if coin != ZERO_ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplification(Row, table="curve_stableswap_amplifications", key=("pool",)):
    """A, on its way from one value to another between two times."""

    pool: str
    initial_a: Wide = 0
    future_a: Wide = 0
    initial_a_time: int = 0
    future_a_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances(Row, table="curve_stableswap_balances", key=("pool",)):
    """What belongs to the LPs, in base units of each coin, without what the pool owes to Curve.

    `grade` is "logs", "read" where a run ended with reading them, and "unknown" where logs cannot
    say them: a pool that no factory told of, or that computes otherwise.
    """

    pool: str
    balance0: Wide = 0
    balance1: Wide = 0
    balance2: Wide = 0
    balance3: Wide = 0
    total_supply_raw: Wide = 0
    grade: str = "logs"

    def of(self, count: int) -> tuple[int, ...]:
        """The first `count` balances."""
        return (self.balance0, self.balance1, self.balance2, self.balance3)[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class LpBalance(Row, table="curve_stableswap_lp_balances", key=("pool", "account")):
    """LP tokens of an account, in base units."""

    pool: str
    account: str
    balance_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Newborn(Row, table="curve_stableswap_newborns", key=("factory",)):
    """The pool that announced itself last. The factory's log, which follows at once, says what it
    is made of, but not which pool.
    """

    factory: str
    pool: str = ZERO_ADDRESS
    block_number: int = 0


ROWS: tuple[type[Row], ...] = (Pool, Amplification, Balances, LpBalance, Newborn)
