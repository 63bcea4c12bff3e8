"""What a pool's and a position manager's logs do to their rows, where it is easily wrong."""

from __future__ import annotations

from typing import Any

from defirisk.core.adapter import Contract, Log
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.amm.uniswap_v3 import ADAPTER
from defirisk.protocols.amm.uniswap_v3.rows import Observation, Position, Slot, Tick, Token
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL, MANAGER, ALICE = ("0x" + digit * 40 for digit in "abc")
ONE = 1 << 96


def fold(rows: RowsInMemory, event: str, *, at: int = 0, index: int = 0, **args: Any) -> None:
    """A log of the pool, `at` seconds after its start."""
    manager = event in ("Transfer", "IncreaseLiquidity", "DecreaseLiquidity")
    ADAPTER.fold(
        Log(
            block_number=at,
            timestamp=1000 + at,
            log_index=index,
            contract=Contract(
                address=MANAGER if manager else POOL,
                role="position_manager" if manager else "pool",
                first_block=0,
            ),
            event=event,
            args=args,
        ),
        rows,
    )


def minted(rows: RowsInMemory, lower: int, upper: int, amount: int, **where: int) -> None:
    fold(rows, "Mint", owner=MANAGER, tickLower=lower, tickUpper=upper, amount=amount, **where)


def swapped(rows: RowsInMemory, tick: int, liquidity: int, at: int) -> None:
    fold(rows, "Swap", at=at, sqrtPriceX96=ONE, tick=tick, liquidity=liquidity)


def started(size: int = 1) -> RowsInMemory:
    rows = RowsInMemory()
    fold(rows, "Initialize", sqrtPriceX96=ONE, tick=0)
    fold(rows, "IncreaseObservationCardinalityNext", observationCardinalityNextNew=size)
    return rows


def ring(rows: RowsInMemory) -> dict[int, tuple[int, int]]:
    return {
        row.index: (row.block_timestamp - 1000, row.tick_cumulative)
        for row in rows.all(Observation)
    }


def test_the_ring_grows_where_it_would_begin_again() -> None:
    rows = started(2)
    slot = rows.get(Slot, POOL)
    assert (slot.observation_cardinality, slot.observation_cardinality_next) == (1, 2)
    swapped(rows, 5, 0, at=10)
    assert rows.get(Slot, POOL).observation_cardinality == 2
    assert ring(rows) == {0: (0, 0), 1: (10, 0)}
    fold(rows, "IncreaseObservationCardinalityNext", at=11, observationCardinalityNextNew=3)
    swapped(rows, 7, 0, at=20)
    assert rows.get(Slot, POOL).observation_index == 2
    swapped(rows, 8, 0, at=30)
    assert ring(rows) == {0: (30, 120), 1: (10, 0), 2: (20, 50)}
    assert rows.get(Slot, POOL).next_observation_index == 1


def test_one_place_is_overwritten() -> None:
    rows = started()
    swapped(rows, 5, 0, at=10)
    swapped(rows, 6, 0, at=12)
    assert ring(rows) == {0: (12, 10)}


def test_a_second_is_observed_once_with_the_tick_before_it() -> None:
    rows = started(9)
    swapped(rows, 5, 0, at=10)
    swapped(rows, 400, 0, at=10)
    swapped(rows, 6, 0, at=12)
    assert ring(rows) == {0: (0, 0), 1: (10, 0), 2: (12, 800)}


def test_a_swap_within_a_tick_and_a_range_aside_are_not_observed() -> None:
    rows = started(9)
    swapped(rows, 0, 0, at=10)
    minted(rows, 60, 120, 5, at=11)
    minted(rows, -120, 0, 5, at=12)
    fold(rows, "Burn", at=13, owner=MANAGER, tickLower=-120, tickUpper=60, amount=0)
    assert ring(rows) == {0: (0, 0)}
    assert rows.get(Slot, POOL).liquidity == 0
    minted(rows, -60, 60, 7, at=14)
    assert ring(rows) == {0: (0, 0), 1: (14, 0)}
    assert rows.get(Slot, POOL).liquidity == 7


def test_ticks_where_ranges_meet_hold_both() -> None:
    rows = started()
    minted(rows, -60, 60, 5)
    minted(rows, 60, 120, 3)
    both = rows.get(Tick, POOL, 60)
    assert (both.liquidity_gross, both.liquidity_net) == (8, -2)
    fold(rows, "Burn", owner=MANAGER, tickLower=-60, tickUpper=60, amount=5)
    both = rows.get(Tick, POOL, 60)
    assert (both.liquidity_gross, both.liquidity_net) == (3, 3)
    assert rows.get(Position, POOL, MANAGER, -60, 60).liquidity == 0


def token(rows: RowsInMemory, number: int) -> tuple[str, int, int, int]:
    row = rows.get(Token, MANAGER, number)
    return (row.pool, row.tick_lower, row.tick_upper, row.liquidity)


def test_a_token_stands_for_what_was_minted_right_before_it() -> None:
    rows = started()
    minted(rows, -60, 60, 5, at=3, index=10)
    fold(rows, "Transfer", at=3, index=11, **{"from": ZERO_ADDRESS, "to": ALICE, "tokenId": 1})
    fold(rows, "IncreaseLiquidity", at=3, index=12, tokenId=1, liquidity=5)
    assert token(rows, 1) == (POOL, -60, 60, 5)
    assert rows.get(Token, MANAGER, 1).owner == ALICE
    minted(rows, -60, 60, 2, at=4, index=0)
    fold(rows, "IncreaseLiquidity", at=4, index=1, tokenId=1, liquidity=2)
    fold(rows, "DecreaseLiquidity", at=5, tokenId=1, liquidity=4)
    assert token(rows, 1) == (POOL, -60, 60, 3)


def test_a_token_of_a_pool_that_is_not_indexed_is_not_given_another_one_s_range() -> None:
    rows = started()
    minted(rows, -60, 60, 5, at=3, index=10)
    for number, at, index, liquidity in ((2, 3, 14, 5), (3, 4, 11, 5), (4, 3, 11, 6)):
        fold(rows, "IncreaseLiquidity", at=at, index=index, tokenId=number, liquidity=liquidity)
        assert token(rows, number) == (ZERO_ADDRESS, 0, 0, liquidity)
