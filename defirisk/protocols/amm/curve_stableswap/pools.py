"""Pools as they are at a block, and what their LP tokens are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from defirisk.core.adapter import Snapshot, Token
from defirisk.core.claim import Claim, Share
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.quote import Constant, Market, Product, Sum
from defirisk.core.venue import Venue
from defirisk.protocols.amm.curve_stableswap.fold import UNKNOWN, a_at, stable_swap
from defirisk.protocols.amm.curve_stableswap.rows import (
    Amplification,
    Balances,
    LpBalance,
    Pool,
)
from defirisk.swaps.stableswap import StableSwap

LP_DECIMALS = 18
MOST_DECIMALS = 18
"""The factory refuses coins with more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNow:
    """A pool whose coins can be counted and whose balances are known."""

    pool: Pool
    balances: Balances
    coins: tuple[Token, ...]
    swap: StableSwap

    @property
    def grade(self) -> Literal["logs", "read"]:
        """Where the balances are from."""
        return "read" if self.balances.grade == "read" else "logs"


def pools_now(snapshot: Snapshot) -> Iterator[PoolNow]:
    """Every pool that can be computed with."""
    for pool in snapshot.rows.all(Pool):
        balances = snapshot.rows.find(Balances, pool.pool)
        amplification = snapshot.rows.find(Amplification, pool.pool)
        coins = [snapshot.tokens[coin] for coin in pool.coins if coin in snapshot.tokens]
        if balances is None or amplification is None or balances.grade == UNKNOWN:
            continue
        decimals = [coin.decimals for coin in coins]
        if len(coins) == len(pool.coins) > 1 and max(decimals) <= MOST_DECIMALS:
            a = a_at(amplification, snapshot.block.timestamp)
            yield PoolNow(
                pool=pool,
                balances=balances,
                coins=tuple(coins),
                swap=stable_swap(pool, a, balances, decimals),
            )


def venue_of(snapshot: Snapshot, now: PoolNow) -> Venue:
    """The pool as a venue."""
    return Venue(
        address=now.pool.pool,
        deployment=snapshot.deployment.name,
        label="/".join(coin.symbol for coin in now.coins),
        kind="stableswap",
        tokens=now.pool.coins,
        decimals=tuple(coin.decimals for coin in now.coins),
        pool=now.swap,
        grade=now.grade,
    )


def claim_of(now: PoolNow) -> Claim:
    """What an LP token can be taken out for, in all coins at once and without a fee.

    Its virtual price is what it would be worth if all coins were worth the same, which is just what
    a depeg makes wrong; so the balances count at their own market prices. Where one coin falls,
    arbitrage leaves the pool with more of it: what is left then is less than this says.
    """
    supply = Fraction(now.balances.total_supply_raw, 10**LP_DECIMALS)
    held = zip(now.coins, now.swap.balances, strict=True)
    return Claim(
        token=now.pool.pool,
        kind="lp",
        program=Sum(
            tuple(
                Product(
                    (
                        Constant(Fraction(balance, 10**coin.decimals) / supply),
                        Market(coin.address, None),
                    )
                )
                for coin, balance in held
            )
        ),
        supply_raw=now.balances.total_supply_raw,
        grade=now.grade,
    )


def shares(snapshot: Snapshot) -> Iterator[Share]:
    """Every account's LP tokens, with what `remove_liquidity` would give for them."""
    pools = {now.pool.pool: now for now in pools_now(snapshot)}
    for held in snapshot.rows.all(LpBalance):
        now = pools.get(held.pool)
        if now is None or held.account == ZERO_ADDRESS or not held.balance_raw:
            continue
        supply = now.balances.total_supply_raw
        yield Share(
            account=held.account,
            token=held.pool,
            balance_raw=held.balance_raw,
            decimals=LP_DECIMALS,
            worth=tuple(
                (coin.address, balance * held.balance_raw // supply)
                for coin, balance in zip(now.coins, now.swap.balances, strict=True)
            ),
        )
