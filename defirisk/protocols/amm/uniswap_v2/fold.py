"""Logs of Uniswap v2, applied to its rows. Source: UniswapV2Pair, UniswapV2ERC20 and
UniswapV2Factory of @uniswap/v2-core 1.0.1.

Everything but `kLast` follows from PairCreated, Sync and Transfer and their blocks' times.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Key, Row, State
from defirisk.protocols.amm.uniswap_v2.rows import Balance, Pair, Reserves
from defirisk.swaps.twap import UINT32, CumulativePrices

FACTORY_EVENTS = ("PairCreated",)
PAIR_EVENTS = ("Sync", "Transfer")


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The rows that a log reads or writes."""
    pair = log.contract.address
    if log.event == "PairCreated":
        return [(Pair, (log.args["pair"],))]
    found: list[tuple[type[Row], Key]] = [(Reserves, (pair,))]
    if log.event == "Transfer":
        found += [(Balance, (pair, log.args[side])) for side in ("from", "to")]
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    if log.event == "PairCreated":
        _created(log, state)
    elif log.event == "Sync":
        _sync(log, state)
    else:
        _transfer(log, state)


def history(reserves: Reserves) -> CumulativePrices:
    """What the pair's prices have accumulated."""
    return CumulativePrices(
        reserves.price0_cumulative_last,
        reserves.price1_cumulative_last,
        reserves.block_timestamp_last,
        (reserves.reserve0, reserves.reserve1),
    )


def _created(log: Log, state: State) -> None:
    state.put(
        Pair(
            pair=log.args["pair"],
            factory=log.contract.address,
            token0=log.args["token0"],
            token1=log.args["token1"],
        )
    )


def _sync(log: Log, state: State) -> None:
    """_update: prices accumulate by the reserves that lasted until now; once per block, as no time
    passes within one.
    """
    before = state.get(Reserves, log.contract.address)
    price0, price1 = history(before).accumulated(log.timestamp)
    state.put(
        replace(
            before,
            reserve0=log.args["reserve0"],
            reserve1=log.args["reserve1"],
            block_timestamp_last=log.timestamp % UINT32,
            price0_cumulative_last=price0,
            price1_cumulative_last=price1,
        )
    )


def _transfer(log: Log, state: State) -> None:
    pair, value = log.contract.address, log.args["value"]
    sender, receiver = log.args["from"], log.args["to"]
    # Only the pair burns, and only its own: others may send theirs to the zero address, too, which
    # is the same log but leaves the supply as it is.
    minted, burnt = sender == ZERO_ADDRESS, receiver == ZERO_ADDRESS and sender == pair
    if not minted:
        _add(state, pair, sender, -value)
    if not burnt:
        _add(state, pair, receiver, value)
    if minted or burnt:
        reserves = state.get(Reserves, pair)
        supply = reserves.total_supply_raw + (value if minted else -value)
        state.put(replace(reserves, total_supply_raw=supply))


def _add(state: State, pair: str, account: str, amount: int) -> None:
    held = state.get(Balance, pair, account)
    state.put(replace(held, balance_raw=held.balance_raw + amount))
