"""Logs of Curve's StableSwap, applied to its rows. Source: Plain4Basic and FactorySidechains v5.0.0
in @perp/curie-deployments 2023.4.12-1681295833590 (their siblings of 2 and 3 coins are the same).

What a pool keeps for Curve of every fee is in no log: it is computed as the contract does, and what
the log does say must come out of it. Where it does not, the balances are "unknown" from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Log
from defirisk.core.errors import CheckFailed
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Key, Row, State
from defirisk.protocols.amm.curve_stableswap.rows import (
    MOST_COINS,
    Amplification,
    Balances,
    LpBalance,
    Newborn,
    Pool,
)
from defirisk.swaps.stableswap import FEE_DENOMINATOR, StableSwap, amplification_at

FACTORY_EVENTS = ("PlainPoolDeployed",)
LIQUIDITY_EVENTS = ("AddLiquidity", "RemoveLiquidity", "RemoveLiquidityImbalance")
ADMIN_FEE_E10 = 5 * 10**9
"""ADMIN_FEE, a constant of every implementation of the factory: half of the fees."""
A_PRECISION = 100
UNKNOWN = "unknown"


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes. Which pool a factory made, says the newborn's row."""
    address, args = log.contract.address, log.args
    if log.event in FACTORY_EVENTS:
        return [(Newborn, (address,))]
    if log.event in ("RampA", "StopRampA"):
        return [(Amplification, (address,))]
    found: list[tuple[type[Row], Key]] = [(Balances, (address,))]
    if log.event == "Transfer":
        found += [(LpBalance, (address, args[side])) for side in ("sender", "receiver")]
        found.append((Newborn, (_factory(log),)))
        return found
    found += [(Pool, (address,)), (Amplification, (address,))]
    if log.event != "TokenExchange":
        found.append((LpBalance, (address, ZERO_ADDRESS)))
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    _EVENTS[log.event](log, state)


def _factory(log: Log) -> str:
    return log.contract.subject.partition(" ")[0]


def stable_swap(pool: Pool, a: int, balances: Balances, decimals: Sequence[int]) -> StableSwap:
    """The pool that computes, with its A at some time and its coins' decimals."""
    return StableSwap(
        balances=balances.of(len(pool.coins)),
        rates=tuple(10 ** (36 - one) for one in decimals),
        amplification=a,
        fee_e10=pool.fee_e10,
        admin_fee_e10=pool.admin_fee_e10,
    )


def a_at(row: Amplification, timestamp: int) -> int:
    """A times 100 at a time."""
    return amplification_at(
        timestamp,
        initial=row.initial_a,
        future=row.future_a,
        initial_time=row.initial_a_time,
        future_time=row.future_a_time,
    )


def _before(log: Log, state: State) -> tuple[Balances, StableSwap | None]:
    """The balances, and the pool where everything about it is known from logs."""
    address = log.contract.address
    pool, balances = state.get(Pool, address), state.get(Balances, address)
    a = a_at(state.get(Amplification, address), log.timestamp)
    decimals = [int(word) for word in log.contract.subject.split()[1:]][: len(pool.coins)]
    if not decimals or balances.grade == UNKNOWN:
        return replace(balances, grade=UNKNOWN), None
    return balances, stable_swap(pool, a, balances, decimals)


def _put(state: State, before: Balances, now: Sequence[int], *, right: bool) -> None:
    """The balances after a log; `right`: what was computed is what the log says."""
    changes: dict[str, Any] = {f"balance{place}": amount for place, amount in enumerate(now)}
    grade = before.grade if right else UNKNOWN
    state.put(replace(before, **changes, grade=grade))


def _deployed(log: Log, state: State) -> None:
    born = state.get(Newborn, log.contract.address)
    state.put(Newborn(factory=log.contract.address))
    if born.pool == ZERO_ADDRESS or born.block_number != log.block_number:
        return
    coins: dict[str, Any] = {f"coin{place}": coin for place, coin in enumerate(log.args["coins"])}
    a = log.args["A"] * A_PRECISION
    state.put(
        Pool(
            pool=born.pool,
            factory=log.contract.address,
            fee_e10=log.args["fee"],
            admin_fee_e10=ADMIN_FEE_E10,
            **coins,
        )
    )
    state.put(Amplification(pool=born.pool, initial_a=a, future_a=a))


def _transfer(log: Log, state: State) -> None:
    """A mint adds to the supply at once; a burn is told from a gift to the zero address by the
    supply that the withdrawal's own log states.
    """
    pool, value = log.contract.address, log.args["value"]
    sender, receiver = log.args["sender"], log.args["receiver"]
    if sender == ZERO_ADDRESS and value == 0 and receiver == pool:
        state.put(Newborn(factory=_factory(log), pool=pool, block_number=log.block_number))
    if sender != ZERO_ADDRESS:
        _add(state, pool, sender, -value)
    _add(state, pool, receiver, value)
    if sender == ZERO_ADDRESS:
        balances = state.get(Balances, pool)
        state.put(replace(balances, total_supply_raw=balances.total_supply_raw + value))


def _add(state: State, pool: str, account: str, amount: int) -> None:
    held = state.get(LpBalance, pool, account)
    state.put(replace(held, balance_raw=held.balance_raw + amount))


def _exchange(log: Log, state: State) -> None:
    before, pool = _before(log, state)
    i, j = log.args["sold_id"], log.args["bought_id"]
    sold, bought = log.args["tokens_sold"], log.args["tokens_bought"]
    if pool is not None:
        sale = pool.sell(i, j, sold)
        assert isinstance(sale.pool, StableSwap)
        _put(state, before, sale.pool.balances, right=sale.received == bought)
        return
    now = list(before.of(MOST_COINS))
    if max(i, j) < MOST_COINS:
        now[i], now[j] = now[i] + sold, now[j] - bought
    _put(state, before, now, right=False)


def _liquidity(sign: int) -> Callable[[Log, State], None]:
    """AddLiquidity and RemoveLiquidityImbalance: the log has the fees of each coin."""

    def handle(log: Log, state: State) -> None:
        before, pool = _before(log, state)
        amounts, fees = log.args["token_amounts"], log.args["fees"]
        moved = [
            balance + sign * amount
            for balance, amount in zip(before.of(len(amounts)), amounts, strict=True)
        ]
        right = pool is not None and _invariant(pool, moved) == log.args["invariant"]
        admin_fee = state.get(Pool, log.contract.address).admin_fee_e10
        kept = [fee * admin_fee // FEE_DENOMINATOR for fee in fees]
        after = [balance - fee for balance, fee in zip(moved, kept, strict=True)]
        _put(state, _with_supply(log, state, before), after, right=right)

    return handle


def _invariant(pool: StableSwap, balances: Sequence[int]) -> int:
    try:
        return replace(pool, balances=tuple(balances)).invariant()
    except CheckFailed:
        return -1


def _withdrawn(log: Log, state: State) -> None:
    """RemoveLiquidity: a part of everything, without fees."""
    before, pool = _before(log, state)
    amounts, supply = log.args["token_amounts"], before.total_supply_raw
    burnt = supply - log.args["token_supply"]
    held = before.of(len(amounts))
    right = pool is not None and all(
        supply and amount == balance * burnt // supply
        for balance, amount in zip(held, amounts, strict=True)
    )
    after = [balance - amount for balance, amount in zip(held, amounts, strict=True)]
    _put(state, _with_supply(log, state, before), after, right=right)


def _withdrawn_one(log: Log, state: State) -> None:
    """RemoveLiquidityOne does not say which coin: it is the one of which the burnt LP tokens give
    this much. Two coins of the same balance cannot be told apart.
    """
    before, pool = _before(log, state)
    burnt, amount = log.args["token_amount"], log.args["coin_amount"]
    after = list(before.of(MOST_COINS))
    matching = [] if pool is None else _matching(pool, burnt, before.total_supply_raw, amount)
    if pool is not None and len(matching) == 1:
        place, fee = matching[0]
        after[place] -= amount + fee * pool.admin_fee_e10 // FEE_DENOMINATOR
    _put(state, _with_supply(log, state, before), after, right=len(matching) == 1)


def _matching(pool: StableSwap, burnt: int, supply: int, amount: int) -> list[tuple[int, int]]:
    """The coins that it may have been, each with the fee that was taken."""
    found = []
    for place in range(len(pool.balances)):
        try:
            net, fee = pool.withdraw_one(place, burnt, supply)
        except CheckFailed:
            continue
        if net == amount:
            found.append((place, fee))
    return found


def _with_supply(log: Log, state: State, before: Balances) -> Balances:
    """What the supply fell by was burnt: its Transfer went to the zero address, which has none."""
    supply = log.args["token_supply"]
    if supply < before.total_supply_raw:
        _add(state, before.pool, ZERO_ADDRESS, supply - before.total_supply_raw)
    return replace(before, total_supply_raw=supply)


def _ramp(log: Log, state: State) -> None:
    state.put(
        Amplification(
            pool=log.contract.address,
            initial_a=log.args["old_A"],
            future_a=log.args["new_A"],
            initial_a_time=log.args["initial_time"],
            future_a_time=log.args["future_time"],
        )
    )


def _stop_ramp(log: Log, state: State) -> None:
    a, time = log.args["A"], log.args["t"]
    state.put(
        Amplification(
            pool=log.contract.address,
            initial_a=a,
            future_a=a,
            initial_a_time=time,
            future_a_time=time,
        )
    )


_EVENTS: dict[str, Callable[[Log, State], None]] = {
    "PlainPoolDeployed": _deployed,
    "Transfer": _transfer,
    "TokenExchange": _exchange,
    "AddLiquidity": _liquidity(1),
    "RemoveLiquidityImbalance": _liquidity(-1),
    "RemoveLiquidity": _withdrawn,
    "RemoveLiquidityOne": _withdrawn_one,
    "RampA": _ramp,
    "StopRampA": _stop_ramp,
}
POOL_EVENTS = ("Transfer", "TokenExchange", "RemoveLiquidityOne", "RampA", "StopRampA")
