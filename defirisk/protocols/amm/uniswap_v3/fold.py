"""Logs of Uniswap v3, applied to its rows. Source: UniswapV3Pool, UniswapV3Factory, Tick and Oracle
of @uniswap/v3-core 1.0.1, NonfungiblePositionManager of @uniswap/v3-periphery 1.4.4.

Everything that decides a swap or a mean price follows from the logs and their blocks' times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.amm.uniswap_v3 import tokens
from defirisk.protocols.amm.uniswap_v3.rows import (
    LastMint,
    Observation,
    Pool,
    Position,
    Slot,
    Tick,
)
from defirisk.swaps import twap
from defirisk.swaps.twap import UINT32

FACTORY_EVENTS = ("PoolCreated",)
Touched = list[tuple[type[Row], Key]]


def touches(log: Log) -> Touched:
    """The rows that a log reads or writes. Which observations, the row of slot0 says."""
    if log.contract.role == "position_manager":
        return tokens.touches(log)
    if log.event == "PoolCreated":
        return [(Pool, (log.args["pool"],))]
    pool, args = log.contract.address, log.args
    found: Touched = [(Slot, (pool,))]
    if log.event == "Initialize":
        found.append((Observation, (pool, 0)))
    elif log.event in ("Mint", "Burn"):
        lower, upper = args["tickLower"], args["tickUpper"]
        found += [(Tick, (pool, lower)), (Tick, (pool, upper))]
        found.append((Position, (pool, args["owner"], lower, upper)))
        if log.event == "Mint":
            found.append((LastMint, (args["owner"],)))
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    if log.contract.role == "position_manager":
        tokens.fold(log, state)
    elif log.event == "PoolCreated":
        _created(log, state)
    else:
        _POOL[log.event](log, state)


def _created(log: Log, state: State) -> None:
    args = log.args
    state.put(
        Pool(
            pool=args["pool"],
            factory=log.contract.address,
            token0=args["token0"],
            token1=args["token1"],
            fee=args["fee"],
            tick_spacing=args["tickSpacing"],
        )
    )


def _initialize(log: Log, state: State) -> None:
    pool = log.contract.address
    time = log.timestamp % UINT32
    state.put(Observation(pool=pool, index=0, block_timestamp=time))
    slot = Slot(
        pool=pool,
        sqrt_price_x96=log.args["sqrtPriceX96"],
        tick=log.args["tick"],
        observation_cardinality=1,
        observation_cardinality_next=1,
    )
    state.put(_with_next(slot))


def _with_next(slot: Slot) -> Slot:
    """The ring grows only where it would begin again."""
    size, wanted = slot.observation_cardinality, slot.observation_cardinality_next
    if wanted > size and slot.observation_index == size - 1:
        size = wanted
    following = (slot.observation_index + 1) % size if size else 0
    return replace(slot, next_observation_index=following)


def _observed(slot: Slot, log: Log, state: State) -> Slot:
    """Oracle.write: once per second, with the tick and the liquidity that lasted until now."""
    last = state.get(Observation, slot.pool, slot.observation_index)
    if not slot.observation_cardinality or last.block_timestamp == log.timestamp % UINT32:
        return slot
    entry = entry_of(last).later(log.timestamp, slot.tick, slot.liquidity)
    index = slot.next_observation_index
    state.put(
        Observation(
            pool=slot.pool,
            index=index,
            block_timestamp=entry.timestamp,
            tick_cumulative=entry.tick_cumulative,
            seconds_per_liquidity_cumulative_x128=entry.seconds_per_liquidity_x128,
        )
    )
    grown = index >= slot.observation_cardinality
    size = slot.observation_cardinality_next if grown else slot.observation_cardinality
    return _with_next(replace(slot, observation_index=index, observation_cardinality=size))


def entry_of(row: Observation) -> twap.Observation:
    """A row as an entry of the ring."""
    return twap.Observation(
        row.block_timestamp, row.tick_cumulative, row.seconds_per_liquidity_cumulative_x128
    )


def _swap(log: Log, state: State) -> None:
    slot = state.get(Slot, log.contract.address)
    if log.args["tick"] != slot.tick:
        slot = _observed(slot, log, state)
    state.put(
        replace(
            slot,
            sqrt_price_x96=log.args["sqrtPriceX96"],
            tick=log.args["tick"],
            liquidity=log.args["liquidity"],
        )
    )


def _liquidity(sign: int) -> Callable[[Log, State], None]:
    """Mint and Burn. A burn of nothing only collects fees, and observes nothing."""

    def handle(log: Log, state: State) -> None:
        pool, args = log.contract.address, log.args
        lower, upper, delta = args["tickLower"], args["tickUpper"], sign * args["amount"]
        slot = state.get(Slot, pool)
        if delta and lower <= slot.tick < upper:
            slot = _observed(slot, log, state)
            slot = replace(slot, liquidity=slot.liquidity + delta)
        state.put(slot)
        for tick, net in ((lower, delta), (upper, -delta)):
            row = state.get(Tick, pool, tick)
            state.put(
                replace(
                    row,
                    liquidity_gross=row.liquidity_gross + delta,
                    liquidity_net=row.liquidity_net + net,
                )
            )
        held = state.get(Position, pool, args["owner"], lower, upper)
        state.put(replace(held, liquidity=held.liquidity + delta))
        if sign > 0:
            state.put(_last_mint(log))

    return handle


def _last_mint(log: Log) -> LastMint:
    return LastMint(
        owner=log.args["owner"],
        pool=log.contract.address,
        tick_lower=log.args["tickLower"],
        tick_upper=log.args["tickUpper"],
        amount=log.args["amount"],
        block_number=log.block_number,
        log_index=log.log_index,
    )


def _grow(log: Log, state: State) -> None:
    slot = state.get(Slot, log.contract.address)
    wanted = log.args["observationCardinalityNextNew"]
    state.put(_with_next(replace(slot, observation_cardinality_next=wanted)))


def _set_fee_protocol(log: Log, state: State) -> None:
    slot = state.get(Slot, log.contract.address)
    both = log.args["feeProtocol0New"] + (log.args["feeProtocol1New"] << 4)
    state.put(replace(slot, fee_protocol=both))


_POOL: dict[str, Callable[[Log, State], None]] = {
    "Initialize": _initialize,
    "Swap": _swap,
    "Mint": _liquidity(1),
    "Burn": _liquidity(-1),
    "IncreaseObservationCardinalityNext": _grow,
    "SetFeeProtocol": _set_fee_protocol,
}
POOL_EVENTS = tuple(_POOL)
