"""What the rows of a Compound v2 market mean: prices, units, liquidity, findings."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Snapshot, View
from defirisk.core.holdings import Holdings, Side
from defirisk.core.quote import Feed, leaves, rate_value
from defirisk.core.row import Row
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.rows import (
    AccountMarket,
    CToken,
    CTokenConstants,
    Implementation,
    InterestRateModel,
    Price,
)
from tests.unit.protocols.compound_v2_sample import (
    ANN,
    BLOCK,
    BOB,
    C_ETH,
    C_USD,
    MODEL,
    ONE,
    ORACLE,
    USD,
    WETH,
    asked,
    row,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory


def liquidity_of(account: str, snap: Snapshot) -> tuple[int | str, ...] | None:
    question = asked(snap, "getAccountLiquidity", account)
    return question.ours


def test_liquidity_truncates_where_the_comptroller_does() -> None:
    """The rate, the factor times it, that times the price, that times the tokens: all cut off."""
    usd = replace(
        row(CToken, C_USD),
        total_borrows_raw=0,
        collateral_factor_mantissa=2 * ONE // 3,
        total_supply_raw=7_000_000_000_000,
        cash_raw=1_000_000_000_003,
    )
    held = AccountMarket(account=BOB, c_token=C_USD, entered=True, tokens_raw=6_999_999_999_999)
    rate = Fraction(usd.cash_raw, usd.total_supply_raw)
    untruncated = rate * usd.collateral_factor_mantissa * held.tokens_raw * 10**12

    assert liquidity_of(BOB, snapshot(usd, held)) == (0, 666_666_666_668_571_418_904_761, 0)
    assert int(untruncated) == 666_666_666_668_571_427_904_761_619_045_714_285_714_286


def test_a_market_that_was_not_entered_counts_for_nothing() -> None:
    assert liquidity_of(BOB, snapshot()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("answer", "price", "expected"),
    [
        (0, 0, (13, 0, 0)),
        (-5, 0, (13, 0, 0)),
        (None, -1, None),
        (2**250, 0, None),
    ],
    ids=["a price of 0", "a negative answer", "a price that reverts", "an overflow"],
)
def test_what_the_comptroller_says_without_a_usable_price(
    answer: int | None, price: int, expected: tuple[int, ...] | None
) -> None:
    snap = snapshot(Price(price_oracle=ORACLE, c_token=C_USD, price_mantissa=price), answer=answer)

    assert liquidity_of(ANN, snap) == expected
    assert not ADAPTER.liquidation_check(snap)(ANN, {})


def test_more_reserves_than_there_is_make_a_snapshot_error() -> None:
    broken = replace(row(CToken, C_USD), total_reserves_raw=10**13)

    assert liquidity_of(ANN, snapshot(broken)) == (15, 0, 0)


def test_a_shock_moves_the_feed_and_the_check_follows() -> None:
    check = ADAPTER.liquidation_check(snapshot())
    worth, owed = 1_500, 10**9 * 12 // 11 / 10**6

    assert not check(ANN, {})
    assert not check(ANN, {0: Fraction(owed + 0.001) / worth})
    assert check(ANN, {0: Fraction(owed - 0.001) / worth})
    assert not check(ANN, {0: Fraction(0)}), "a price of 0 is an error, and no shortfall"


def test_a_fed_price_is_compared_and_a_read_one_is_not() -> None:
    snap = snapshot()

    assert asked(snap, "getUnderlyingPrice", C_USD).grade == "compared"
    assert asked(snap, "getUnderlyingPrice", C_USD).ours == (10**30,)
    assert asked(snap, "getUnderlyingPrice", C_ETH).grade == "read"


def test_units_quotes_and_amounts() -> None:
    exact = ADAPTER.holdings(snapshot(wrapped_native=WETH))

    assert exact.units == (ANN, BOB)
    assert [(q.asset, q.decimals) for q in exact.quotes] == [(WETH, 18)] * 2 + [(USD, 6)] * 2
    assert [(h.unit, h.quote, h.side, h.balance_raw) for h in exact.holdings] == [
        (0, 0, Side.COLLATERAL, ONE + 1),
        (0, 2, Side.COLLATERAL, 0),
        (0, 3, Side.DEBT, 1_090_909_090),
        (1, 2, Side.SUPPLY, 10**8 * 100_100 // 10**6),
    ]
    assert exact.parameters[0].liquidation_threshold == Fraction(3, 4) == exact.parameters[0].ltv
    assert exact.parameters[0].liquidation_bonus == Fraction(8, 100)


def test_amounts_times_rates_are_the_balances_to_less_than_a_base_unit() -> None:
    exact = ADAPTER.holdings(snapshot())

    for holding in exact.holdings:
        rate = rate_value(exact.quotes[holding.quote].program)
        assert abs(holding.amount_raw * rate - holding.balance_raw) < 1


def prices(exact: Holdings) -> list[Fraction | None]:
    return [
        leaf.value for q in exact.quotes for leaf in leaves(q.program) if isinstance(leaf, Feed)
    ]


def test_a_price_of_zero_is_none_in_the_book() -> None:
    assert prices(ADAPTER.holdings(snapshot())) == [2000, 2000, 1, 1]
    assert prices(ADAPTER.holdings(snapshot(answer=0))) == [2000, 2000, None, None]


def observed(view: str, answer: tuple[Any, ...] | None, *rows: Row) -> RowsInMemory:
    state = RowsInMemory(*rows)
    contract = Contract(address=C_USD, role="c_token", first_block=0)
    ADAPTER.observe(View(contract, view), answer, BLOCK, state)
    return state


def test_cash_that_does_not_add_up_is_read_and_said_to_be() -> None:
    folded = row(CToken, C_USD)
    same = observed("getCash", (folded.cash_raw,), folded).get(CToken, C_USD)
    other = observed("getCash", (folded.cash_raw + 5,), folded).get(CToken, C_USD)

    assert same == folded
    assert (other.cash_raw, other.cash_read) == (folded.cash_raw + 5, True)
    assert asked(snapshot(other), "getCash").grade == "compared"  # of the first market
    assert [q.grade for q in ADAPTER.questions(snapshot(other)) if q.fields == ("getCash",)] == [
        "compared",
        "read",
    ]
    assert codes(snapshot(other)) == ["cash-read"]


def test_the_first_exchange_rate_is_what_is_said_while_there_are_no_tokens() -> None:
    empty, used = CToken(c_token=C_USD), row(CToken, C_USD)

    for token, expected in ((empty, 7), (used, 0)):
        constants = observed("exchangeRateStored", (7,), token).get(CTokenConstants, C_USD)
        assert constants.initial_exchange_rate_mantissa == expected


def test_a_c_token_without_an_underlying_holds_the_native_coin() -> None:
    assert observed("underlying", None).get(CTokenConstants, C_USD).native
    assert not observed("underlying", (USD,)).get(CTokenConstants, C_USD).native


def codes(snap: Snapshot) -> list[str]:
    return [finding.code for finding in ADAPTER.findings(snap)]


def test_findings() -> None:
    old = Implementation(contract=C_ETH, role="c_token")
    usd = row(CToken, C_USD)
    deprecated = replace(
        usd, collateral_factor_mantissa=0, borrow_paused=True, reserve_factor_mantissa=ONE
    )

    assert codes(snapshot()) == []
    assert codes(snapshot(old)) == ["unproven-implementation"]
    assert codes(snapshot(replace(old, proven=True))) == []
    assert codes(snapshot(answer=None)) == ["no-price"]
    assert codes(snapshot(deprecated)) == ["deprecated-market"]
    (finding,) = ADAPTER.findings(snapshot(deprecated))
    # 1,000 owed when the index was 1.1, which is 1.2 by now.
    assert "(1 account, 1,090.91 in all)" in finding.text
    assert codes(snapshot(replace(usd, accrual_block_number=0))) == []
    late = InterestRateModel(model=MODEL, kind="jump", base_rate_per_block_mantissa=10**13)
    assert codes(snapshot(replace(usd, accrual_block_number=0), late)) == ["stale-interest"]
