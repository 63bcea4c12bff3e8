"""Where the rates of v3.0 come from: immutables of a strategy, which are asked of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Deployment, Log, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.liquidation import Interest
from defirisk.protocols.lending.aave_v3 import ADAPTER
from defirisk.protocols.lending.aave_v3.generation import V3_0, V3_1, Generation
from defirisk.protocols.lending.aave_v3.observing import INTEREST_RATE_STRATEGY, PARAMETER
from defirisk.protocols.lending.aave_v3.rows import RAY, THE_POOL, PoolCode, Reserve
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL, CONFIGURATOR, ANY = ("0x" + digit * 40 for digit in "123")
USDC, DAI = "0x" + "a" * 40, "0x" + "b" * 40
OLD, NEW = "0x" + "c" * 40, "0x" + "d" * 40
DEPLOYMENT = Deployment(
    name="market",
    protocol="aave-v3",
    chain_id=1,
    contracts={
        "pool": POOL,
        "pool_configurator": CONFIGURATOR,
        "oracle": ANY,
        "pool_addresses_provider": ANY,
    },
)
ODD = (RAY * 2 // 3, RAY // 7 + 1, 41_234_567_890_123_456_789_012_345, 3 * RAY + 1)
"""Optimal usage, base and both slopes: none of them whole basis points."""
LAST = Fraction(1, 20)


def log(event: str, **args: Any) -> Log:
    contract = Contract(address=CONFIGURATOR, role="pool_configurator", first_block=0)
    return Log(block_number=7, timestamp=7, log_index=0, contract=contract, event=event, args=args)


def listed(asset: str, strategy: str) -> Log:
    tokens = {"aToken": ANY, "stableDebtToken": ANY, "variableDebtToken": ANY}
    return log("ReserveInitialized", asset=asset, interestRateStrategyAddress=strategy, **tokens)


def changed(asset: str, strategy: str) -> Log:
    names = {"oldStrategy": OLD, "newStrategy": strategy}
    return log("ReserveInterestRateStrategyChanged", asset=asset, **names)


def strategies(*logs: Log) -> list[Contract]:
    found = [one for entry in logs for one in ADAPTER.discover(DEPLOYMENT, entry)]
    return [
        one for one in found if isinstance(one, Contract) and one.role == INTEREST_RATE_STRATEGY
    ]


def strategy_views(strategy: str, generation: Generation = V3_0) -> list[View]:
    (contract,) = strategies(listed(USDC, strategy))
    provider = Contract(address=ANY, role=generation.role, first_block=0)
    return list(ADAPTER.views([contract, provider]))


def market(*logs: Log) -> RowsInMemory:
    """Rows of v3.0 after these logs; every reserve lends at 5 % and was never asked."""
    state = RowsInMemory(PoolCode(role=THE_POOL, since_revision=1, first_revision=1))
    for entry in logs:
        ADAPTER.fold(entry, state)
    for reserve in list(state.all(Reserve)):
        state.put(replace(reserve, variable_borrow_rate_ray=RAY // 20))
    return state


def tell(state: RowsInMemory, strategy: str, *answers: int | None) -> None:
    block = Block(number=9, hash="0x", parent_hash="0x", timestamp=9)
    for view, said in zip(strategy_views(strategy), answers, strict=True):
        ADAPTER.observe(view, None if said is None else (said,), block, state)


def interest(state: RowsInMemory) -> list[Interest]:
    snapshot = Snapshot(
        deployment=DEPLOYMENT,
        block=Block(number=9, hash="0x", parent_hash="0x", timestamp=9),
        rows=state,
        tokens={},
        answers={},
    )
    exact = ADAPTER.holdings(snapshot)
    return [pocket.interest for pocket in ADAPTER.liquidation(snapshot, exact).pockets]


def curve(one: Interest) -> list[Fraction]:
    return [one.kink, one.base, one.slope1, one.slope2]


def test_a_listing_and_a_change_name_a_strategy() -> None:
    found = strategies(listed(USDC, OLD), changed(USDC, NEW), listed(DAI, ZERO_ADDRESS))

    assert [(one.address, one.first_block) for one in found] == [(OLD, 7), (NEW, 7)]


def test_parameters_are_asked_only_where_no_event_states_them() -> None:
    assert [view.function for view in strategy_views(OLD)] == list(PARAMETER)
    assert strategy_views(OLD, V3_1) == []


def test_parameters_lose_no_digit() -> None:
    state = market(listed(USDC, OLD))
    tell(state, OLD, *ODD)
    optimal, base, slope1, slope2 = ODD

    (one,) = interest(state)

    assert curve(one) == [
        Fraction(optimal, RAY),
        Fraction(base, RAY),
        Fraction(slope1, optimal),
        Fraction(slope2, RAY - optimal),
    ]
    assert one.borrow_rate == LAST


def test_two_reserves_may_share_a_strategy_and_one_may_leave_it() -> None:
    state = market(listed(USDC, OLD), listed(DAI, OLD))
    tell(state, OLD, *ODD)
    shared = interest(state)
    ADAPTER.fold(changed(DAI, NEW), state)
    tell(state, NEW, RAY // 2, 0, RAY // 50, RAY)
    usdc, dai = interest(state)

    assert curve(shared[0]) == curve(shared[1]) == curve(usdc)
    assert curve(dai) == [Fraction(1, 2), 0, Fraction(1, 25), 2]


def test_a_strategy_without_a_second_slope() -> None:
    state = market(listed(USDC, OLD))
    tell(state, OLD, RAY, RAY // 100, RAY // 25, RAY)

    (one,) = interest(state)

    assert curve(one) == [1, Fraction(1, 100), Fraction(1, 25), 0]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((None,) * 4, id="not one of these"),
        pytest.param((None, RAY // 50, 0, 0), id="does not say all"),
        pytest.param((0, RAY // 50, 0, 0), id="one rate only"),
        pytest.param((RAY + 1, RAY // 50, 0, 0), id="no share of a whole"),
    ],
)
def test_of_a_strategy_that_is_not_understood_the_last_rate_goes_on(
    answers: tuple[int | None, ...],
) -> None:
    state = market(listed(USDC, OLD))
    tell(state, OLD, *answers)

    (one,) = interest(state)

    assert curve(one) == [1, LAST, 0, 0]
