"""What a StableSwap pool's logs do to its rows, where they do not say everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Log, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.amm.curve_stableswap import ADAPTER
from defirisk.protocols.amm.curve_stableswap.fold import ADMIN_FEE_E10
from defirisk.protocols.amm.curve_stableswap.rows import Amplification, Balances, LpBalance, Pool
from defirisk.swaps.stableswap import StableSwap
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL, FACTORY, ALICE = ("0x" + digit * 40 for digit in "abc")
COINS = tuple("0x" + digit * 40 for digit in "12")
BALANCES = (3_000_000 * 10**18, 1_200_000 * 10**6)
SUPPLY = 4_100_000 * 10**18
SWAP = StableSwap(
    balances=BALANCES,
    rates=(10**18, 10**30),
    amplification=20_000,
    fee_e10=4_000_000,
    admin_fee_e10=ADMIN_FEE_E10,
)


def fold(
    rows: RowsInMemory, event: str, *, role: str = "pool", block: int = 1, **args: Any
) -> None:
    address = POOL if role == "pool" else FACTORY
    subject = f"{FACTORY} 18 6" if role == "pool" else ""
    contract = Contract(address=address, role=role, first_block=0, subject=subject)
    log = Log(
        block_number=block, timestamp=9, log_index=0, contract=contract, event=event, args=args
    )
    ADAPTER.fold(log, rows)


def transferred(rows: RowsInMemory, sender: str, receiver: str, value: int) -> None:
    fold(rows, "Transfer", sender=sender, receiver=receiver, value=value)


@pytest.fixture
def rows() -> RowsInMemory:
    """A pool in the middle of its life."""
    return RowsInMemory(
        Pool(
            pool=POOL,
            coin0=COINS[0],
            coin1=COINS[1],
            fee_e10=SWAP.fee_e10,
            admin_fee_e10=ADMIN_FEE_E10,
        ),
        Amplification(pool=POOL, initial_a=20_000, future_a=20_000),
        Balances(pool=POOL, balance0=BALANCES[0], balance1=BALANCES[1], total_supply_raw=SUPPLY),
        LpBalance(pool=POOL, account=ALICE, balance_raw=SUPPLY),
    )


def balances(rows: RowsInMemory) -> tuple[tuple[int, ...], str]:
    row = rows.get(Balances, POOL)
    return row.of(2), row.grade


def test_a_factory_s_log_is_about_the_pool_that_announced_itself_before() -> None:
    rows = RowsInMemory()
    transferred(rows, ZERO_ADDRESS, POOL, 0)
    made: dict[str, Any] = {
        "coins": (*COINS, ZERO_ADDRESS, ZERO_ADDRESS),
        "A": 200,
        "fee": 4_000_000,
    }
    fold(rows, "PlainPoolDeployed", role="factory", **made)
    assert rows.get(Pool, POOL).coins == COINS
    assert rows.get(Amplification, POOL).future_a == 20_000
    fold(rows, "PlainPoolDeployed", role="factory", **{**made, "coins": (*COINS[::-1],) * 2})
    assert rows.get(Pool, POOL).coins == COINS, "the second one is not about this pool"


def test_an_exchange_keeps_half_of_the_fee_for_curve(rows: RowsInMemory) -> None:
    sale = SWAP.sell(0, 1, 10**23)
    said: dict[str, Any] = {
        "sold_id": 0,
        "tokens_sold": 10**23,
        "bought_id": 1,
        "tokens_bought": sale.received,
    }
    fold(rows, "TokenExchange", **said)
    assert isinstance(sale.pool, StableSwap)
    assert balances(rows) == (sale.pool.balances, "logs")
    assert BALANCES[1] - balances(rows)[0][1] > sale.received


def test_a_pool_that_computes_otherwise_is_not_believed(rows: RowsInMemory) -> None:
    got = SWAP.sell(0, 1, 10**23).received + 1
    said: dict[str, Any] = {
        "sold_id": 0,
        "tokens_sold": 10**23,
        "bought_id": 1,
        "tokens_bought": got,
    }
    fold(rows, "TokenExchange", **said)
    assert balances(rows)[1] == "unknown"
    fold(rows, "RemoveLiquidity", token_amounts=(1, 1), fees=(0, 0), token_supply=SUPPLY - 1)
    assert balances(rows)[1] == "unknown"


@pytest.mark.parametrize("place", [0, 1])
def test_the_coin_of_a_withdrawal_is_found_by_what_it_gave(rows: RowsInMemory, place: int) -> None:
    burnt = SUPPLY // 50
    net, fee = SWAP.withdraw_one(place, burnt, SUPPLY)
    transferred(rows, ALICE, ZERO_ADDRESS, burnt)
    said: dict[str, Any] = {
        "token_amount": burnt,
        "coin_amount": net,
        "token_supply": SUPPLY - burnt,
    }
    fold(rows, "RemoveLiquidityOne", **said)
    expected = list(BALANCES)
    expected[place] -= net + fee // 2
    assert balances(rows) == (tuple(expected), "logs")
    assert rows.get(Balances, POOL).total_supply_raw == SUPPLY - burnt
    assert rows.get(LpBalance, POOL, ZERO_ADDRESS).balance_raw == 0


def test_coins_of_the_same_balance_cannot_be_told_apart(rows: RowsInMemory) -> None:
    even = (10**24, 10**12)
    rows.put(replace(rows.get(Balances, POOL), balance0=even[0], balance1=10**24))
    contract = Contract(address=POOL, role="pool", first_block=0, subject=f"{FACTORY} 18 18")
    net, _ = replace(SWAP, balances=(10**24,) * 2, rates=(10**18,) * 2).withdraw_one(
        0, SUPPLY // 50, SUPPLY
    )
    said: dict[str, Any] = {
        "token_amount": SUPPLY // 50,
        "coin_amount": net,
        "token_supply": SUPPLY * 49 // 50,
    }
    ADAPTER.fold(
        Log(
            block_number=1,
            timestamp=9,
            log_index=0,
            contract=contract,
            event="RemoveLiquidityOne",
            args=said,
        ),
        rows,
    )
    assert balances(rows)[1] == "unknown"


def test_a_gift_to_the_zero_address_is_no_burn(rows: RowsInMemory) -> None:
    transferred(rows, ALICE, ZERO_ADDRESS, 1000)
    burnt = SUPPLY // 10
    transferred(rows, ALICE, ZERO_ADDRESS, burnt)
    amounts = tuple(balance * burnt // SUPPLY for balance in BALANCES)
    said: dict[str, Any] = {
        "token_amounts": amounts,
        "fees": (0, 0),
        "token_supply": SUPPLY - burnt,
    }
    fold(rows, "RemoveLiquidity", **said)
    assert rows.get(LpBalance, POOL, ZERO_ADDRESS).balance_raw == 1000
    assert rows.get(LpBalance, POOL, ALICE).balance_raw == SUPPLY - burnt - 1000
    assert rows.get(Balances, POOL).grade == "logs"


def test_of_a_factory_s_list_only_plain_pools_are_followed() -> None:
    factory = Contract(address=FACTORY, role="factory", first_block=5)
    asked = View(factory, "get_decimals", (POOL,))
    (found,) = ADAPTER.discover_view(asked, ((18, 6, 0, 0),))
    assert isinstance(found, Contract)
    assert (found.address, found.subject) == (POOL, f"{FACTORY} 18 6")
    assert list(ADAPTER.discover_view(asked, ((18, 0, 0, 0),))) == []
    assert list(ADAPTER.discover_view(View(factory, "pool_list", (3,)), (ZERO_ADDRESS,))) == []
