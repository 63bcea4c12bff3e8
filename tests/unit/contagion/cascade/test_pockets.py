"""Interest in floats against the adapters' own exact mirrors of the contracts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade import pockets
from defirisk.contagion.cascade.pockets.columns import (
    BORROW_RATE,
    BORROWED,
    CASH,
    DEBT_GROWTH,
    DEFICIT,
    RESERVES,
    SUPPLIED,
    SUPPLY_GROWTH,
    SUPPLY_RATE,
    SUPPLY_SHARES,
)
from defirisk.contagion.cascade.pockets.table import table_of
from defirisk.protocols.lending.aave_v3.accrual import (
    normalized_income,
    normalized_variable_debt,
)
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS, Generation
from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve
from defirisk.protocols.lending.aave_v3.scaled_balance import ray_div, ray_mul
from defirisk.protocols.lending.compound_v2.account_liquidity import exchange_rate
from defirisk.protocols.lending.compound_v2.accrual import accrued, rates
from defirisk.protocols.lending.compound_v2.rows import CToken, InterestRateModel
from defirisk.protocols.lending.morpho_blue.interest import accrue, proportional_rate
from defirisk.protocols.lending.morpho_blue.rows import BorrowRate, Irm, Market
from tests.unit.contagion.cascade.pocket_cases import (
    CLOSE,
    ELAPSED,
    STEPS,
    aave_pockets,
    c_tokens,
    compound_pockets,
    morpho_markets,
    morpho_pockets,
    near,
    off,
    reserves,
    share,
)

PROPORTIONAL = Irm(irm="0xd", asked=True, proportional=True)
GENERATION = st.sampled_from(GENERATIONS)


@given(reserves(), GENERATION, ELAPSED, STEPS)
def test_aave_grows_as_its_indexes_do(
    reserve: Reserve, generation: Generation, elapsed: int, steps: list[int]
) -> None:
    table = table_of(aave_pockets(reserve, generation, elapsed))
    income = normalized_income(reserve, elapsed)
    debt = normalized_variable_debt(reserve, elapsed, generation.compounding)
    assert (table[0, [SUPPLY_GROWTH, DEBT_GROWTH]] == 1.0).all()

    now = elapsed
    for step in steps:
        pockets.accrue(table, 0, step, 1)
        now += step
        then = normalized_variable_debt(reserve, now, generation.compounding)
        grown = Fraction(normalized_income(reserve, now), income)
        assert off(table[0, SUPPLY_GROWTH], grown) < CLOSE
        assert off(table[0, DEBT_GROWTH], Fraction(then, debt)) < CLOSE
        owed = Fraction(reserve.scaled_variable_debt_raw * then, RAY)
        assert near(table[0, BORROWED], owed, units=8)


def aave_rates(reserve: Reserve, cash: int, debt: int, deficit: int) -> tuple[int, int]:
    """`DefaultReserveInterestRateStrategyV2.calculateInterestRates`, line by line, in ray."""
    optimal, base, slope1, slope2 = (
        bps * 10**23
        for bps in (
            reserve.optimal_usage_bps,
            reserve.base_rate_bps,
            reserve.slope1_bps,
            reserve.slope2_bps,
        )
    )
    if debt == 0:
        return 0, base
    usage = ray_div(debt, cash + debt)
    supply_usage = ray_div(debt, cash + debt + deficit)
    if usage > optimal:
        excess = ray_div(usage - optimal, RAY - optimal)
        borrow = base + slope1 + ray_mul(slope2, excess)
    else:
        borrow = base + ray_div(ray_mul(slope1, usage), optimal)
    kept = 10_000 - reserve.reserve_factor_bps
    return (ray_mul(borrow, supply_usage) * kept + 5_000) // 10_000, borrow


@given(reserves(), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_aave_recomputes_its_rates_after_a_liquidation(
    reserve: Reserve, paid: int, taken: int, bad: int
) -> None:
    reserve = replace(reserve, scaled_variable_debt_raw=reserve.scaled_variable_debt_raw + 10**10)
    table = table_of(aave_pockets(reserve, GENERATIONS[-1], 0))
    debt = -(-reserve.scaled_variable_debt_raw * reserve.variable_borrow_index_ray // RAY)

    pockets.repaid(table, 0, paid, 0)
    pockets.paid_out(table, 0, taken)
    pockets.book_deficit(table, 0, bad)
    pockets.renew_rates(table, 0)

    cash, deficit = reserve.virtual_underlying_raw + paid - taken, reserve.deficit_raw + bad
    lending, borrowing = aave_rates(reserve, cash, debt - paid - bad, deficit)
    assert off(table[0, CASH], cash) < CLOSE
    assert off(table[0, DEFICIT], deficit) < CLOSE
    for column, ray in ((BORROW_RATE, borrowing), (SUPPLY_RATE, lending)):
        assert near(table[0, column], Fraction(ray, RAY), units=Fraction(100, RAY), within=1e-12)


def test_aave_lends_for_nothing_where_nobody_owes() -> None:
    reserve = Reserve(
        asset="0xa", a_token="0xb", optimal_usage_bps=8_000, base_rate_bps=100, slope1_bps=400
    )
    table = table_of(aave_pockets(reserve, GENERATIONS[-1], 0))

    pockets.renew_rates(table, 0)

    assert tuple(table[0, [SUPPLY_RATE, BORROW_RATE]]) == (0.0, 0.01)


def test_new_rates_hold_from_the_interaction_on() -> None:
    reserve = Reserve(
        asset="0xa",
        a_token="0xb",
        optimal_usage_bps=8_000,
        slope1_bps=400,
        slope2_bps=6_000,
        scaled_variable_debt_raw=900,
        virtual_underlying_raw=100,
        variable_borrow_rate_ray=RAY // 10,
    )
    table = table_of(aave_pockets(reserve, GENERATIONS[-1], 1_000))
    year = 365 * 86_400

    pockets.accrue(table, 0, year - 1_000, 0)
    before = table[0, DEBT_GROWTH]
    pockets.repaid(table, 0, 500, 0)
    pockets.renew_rates(table, 0)
    pockets.accrue(table, 0, year, 0)

    rate = table[0, BORROW_RATE]
    assert before == pytest.approx(1 + 0.1 + 0.1**2 / 2 + 0.1**3 / 6, rel=1e-5)
    assert rate < 0.1
    grown = 1 + rate + rate**2 / 2 + rate**3 / 6
    assert table[0, DEBT_GROWTH] == pytest.approx(before * grown, rel=CLOSE)


@given(c_tokens(), st.sampled_from([0, 1, 15, 7_000]), st.lists(st.just(1), max_size=8))
def test_compound_accrues_as_its_contract_does(
    case: tuple[CToken, InterestRateModel], elapsed: int, rounds: list[int]
) -> None:
    token, model = case
    table = table_of(compound_pockets(token, model, elapsed))
    first_rate, first_index = exchange_rate(token, 0), token.borrow_index_mantissa
    assert first_rate

    # What the rate moves by where reserves are cut to another base unit, in every round.
    steep = model.multiplier_per_block_mantissa + model.jump_multiplier_per_block_mantissa
    unit = Fraction(2 * len(rounds) * steep, token.cash_raw + token.total_borrows_raw)
    now = elapsed
    for blocks in rounds:
        pockets.accrue(table, 0, 12, blocks)
        now += blocks
        said = rates(token, model)
        assert said is not None
        token = accrued(token, said.borrow_mantissa, now)
        assert near(table[0, BORROW_RATE], said.borrow_mantissa, units=1 + unit, within=1e-15)
        index = Fraction(token.borrow_index_mantissa, first_index)
        # The rate is cut to 1e-18 a block, and may be cut to the next one here.
        cut = float(1 + unit) * 1e-18 * now
        assert off(table[0, DEBT_GROWTH], index) < CLOSE + cut
        owed = token.total_borrows_raw
        assert near(table[0, BORROWED], owed, units=len(rounds), within=CLOSE + cut)
        rate = exchange_rate(token, 0)
        assert rate
        coarse = 2.0 / rate + 2.0 / (token.cash_raw + token.total_borrows_raw)
        assert off(table[0, SUPPLY_GROWTH], Fraction(rate, first_rate)) < CLOSE + cut + coarse


def test_compound_keeps_a_part_of_what_is_seized_as_reserves() -> None:
    token = CToken(c_token="0xc", cash_raw=1_000, total_borrows_raw=500, total_supply_raw=1_500)
    table = table_of(compound_pockets(token, InterestRateModel(model="0xd", kind="jump"), 0))

    pockets.kept(table, 0, 28)
    pockets.paid_out(table, 0, 972)
    pockets.repaid(table, 0, 100, 100)

    assert tuple(table[0, [CASH, BORROWED, RESERVES, SUPPLIED]]) == (128, 400, 28, 500)


@given(morpho_markets(), ELAPSED, STEPS, st.booleans())
def test_morpho_accrues_as_its_contract_does(
    market: Market, elapsed: int, steps: list[int], known: bool
) -> None:
    rate = proportional_rate(market)
    irm = PROPORTIONAL if known else replace(PROPORTIONAL, proportional=False)
    read = BorrowRate(market_id=market.market_id, rate_wad=rate, last_update_ts=0)
    table = table_of(morpho_pockets(market, irm, elapsed, read))
    first = accrue(market, rate, elapsed).market

    now = elapsed
    for step in steps:
        pockets.accrue(table, 0, step, 1)
        now += step
        then = accrue(market, rate, now).market
        # The rate is cut to 1e-18 a second, the interest to whole base units.
        cut = CLOSE + 1e-18 * now
        assert near(table[0, BORROWED], then.total_borrow_assets_raw, units=2, within=cut)
        assert near(table[0, SUPPLIED], then.total_supply_assets_raw, units=2, within=cut)
        shares = then.total_supply_shares_raw
        assert near(table[0, SUPPLY_SHARES], shares, units=2 * 10**6, within=cut)
        assert off(table[0, DEBT_GROWTH], share(then)[0] / share(first)[0]) < cut + few(then)
        assert off(table[0, SUPPLY_GROWTH], share(then)[1] / share(first)[1]) < cut + few(then)


def few(market: Market) -> float:
    """What a base unit matters in a small market."""
    return 4.0 / (market.total_borrow_assets_raw + 1)
