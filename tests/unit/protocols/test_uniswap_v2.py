"""What a pair's logs do to its rows, where they could be read in two ways."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from defirisk.core.adapter import Contract, Log
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.quote import Leaf, Market, exact, moved, rebuilt
from defirisk.protocols.amm.uniswap_v2 import ADAPTER
from defirisk.protocols.amm.uniswap_v2.rows import Balance, Pair, Reserves
from defirisk.protocols.amm.uniswap_v2.worth import PairNow, claim_of, protocol_share
from tests.unit.protocols.rows_in_memory import RowsInMemory

PAIR, ALICE, BOB = ("0x" + digit * 40 for digit in "abc")
TOKENS = ("0x" + "1" * 40, "0x" + "2" * 40)


def log(event: str, timestamp: int = 1000, **args: Any) -> Log:
    return Log(
        block_number=1,
        timestamp=timestamp,
        log_index=0,
        contract=Contract(address=PAIR, role="pair", first_block=0),
        event=event,
        args=args,
    )


def transferred(rows: RowsInMemory, sender: str, receiver: str, value: int) -> None:
    args: dict[str, Any] = {"from": sender, "to": receiver, "value": value}
    ADAPTER.fold(log("Transfer", **args), rows)


def held(rows: RowsInMemory, account: str) -> int:
    return rows.get(Balance, PAIR, account).balance_raw


def supply(rows: RowsInMemory) -> int:
    return rows.get(Reserves, PAIR).total_supply_raw


def test_the_first_mint_locks_a_part_at_the_zero_address() -> None:
    rows = RowsInMemory()
    transferred(rows, ZERO_ADDRESS, ZERO_ADDRESS, 1000)
    transferred(rows, ZERO_ADDRESS, ALICE, 500)
    assert (held(rows, ZERO_ADDRESS), held(rows, ALICE), supply(rows)) == (1000, 500, 1500)


def test_only_the_pair_burns_others_give_to_the_zero_address() -> None:
    rows = RowsInMemory()
    transferred(rows, ZERO_ADDRESS, ALICE, 500)
    transferred(rows, ALICE, ZERO_ADDRESS, 100)
    assert (held(rows, ALICE), held(rows, ZERO_ADDRESS), supply(rows)) == (400, 100, 500)
    transferred(rows, ALICE, PAIR, 300)
    transferred(rows, PAIR, ZERO_ADDRESS, 300)
    assert (held(rows, PAIR), held(rows, ZERO_ADDRESS), supply(rows)) == (0, 100, 200)


def test_a_transfer_to_oneself_moves_nothing() -> None:
    rows = RowsInMemory(Balance(pair=PAIR, account=BOB, balance_raw=7))
    transferred(rows, BOB, BOB, 5)
    assert held(rows, BOB) == 7


def test_prices_accumulate_with_the_first_sync_of_a_second() -> None:
    rows = RowsInMemory()
    for timestamp, reserves in ((1000, (4, 8)), (1010, (6, 6)), (1010, (2, 18)), (1013, (1, 1))):
        ADAPTER.fold(log("Sync", timestamp, reserve0=reserves[0], reserve1=reserves[1]), rows)
    row = rows.get(Reserves, PAIR)
    assert row.price0_cumulative_last == (2 * 10 + 9 * 3) << 112
    assert row.price1_cumulative_last == (1 << 111) * 10 + (2 << 112) // 18 * 3
    assert (row.reserve0, row.reserve1, row.block_timestamp_last) == (1, 1, 1013)


def now(reserve0: int, reserve1: int, supply_raw: int) -> PairNow:
    return PairNow(
        pair=Pair(pair=PAIR, token0=TOKENS[0], token1=TOKENS[1]),
        reserves=Reserves(pair=PAIR, reserve0=reserve0, reserve1=reserve1),
        decimals=(6, 18),
        label="A/B",
        supply_raw=supply_raw,
    )


def test_an_lp_token_loses_as_arbitrage_does_and_not_by_a_swap() -> None:
    """2000 of A and 1 of B, B at 2000 USD; a swap moves along the curve, the worth stays."""
    prices = {TOKENS[0]: Fraction(1), TOKENS[1]: Fraction(2000)}

    def priced(leaf: Leaf) -> Leaf:
        return Market(leaf.asset, prices[leaf.asset]) if isinstance(leaf, Market) else leaf

    fair = claim_of(now(2000 * 10**6, 10**18, 10**18)).program
    swapped = claim_of(now(8000 * 10**6, 10**18 // 4, 10**18)).program
    worth = exact(rebuilt(fair, priced))
    assert worth is not None
    assert abs(worth - 4000) < Fraction(1, 10**30)
    assert exact(rebuilt(swapped, priced)) == worth
    half = moved(
        rebuilt(fair, priced),
        lambda leaf: (
            Fraction(1, 4) if leaf == Market(TOKENS[1], prices[TOKENS[1]]) else Fraction(1)
        ),
    )
    assert abs(half - Fraction(1, 2)) < Fraction(1, 10**30)


def test_the_protocol_s_share_is_a_sixth_of_what_the_root_grew_by() -> None:
    row = Reserves(pair=PAIR, reserve0=400, reserve1=400, total_supply_raw=10**6)
    assert protocol_share(row, 100 * 100) == 10**6 * 300 // (5 * 400 + 100)
    assert protocol_share(row, 0) == protocol_share(row, 500 * 500) == 0
