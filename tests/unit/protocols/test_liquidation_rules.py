"""What each protocol says of its liquidations: whose rule, which constants, which fees."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.liquidation import (
    NO_RULE,
    BadDebt,
    Liquidates,
    Liquidation,
    Mechanism,
    Model,
    Rounding,
)
from defirisk.core.row import Row
from defirisk.protocols.lending.aave_v3 import ADAPTER as AAVE
from defirisk.protocols.lending.aave_v3.generation import (
    GENERATIONS,
    V3_2,
    V3_3,
    V3_4,
    V3_5,
    V3_6,
    Generation,
)
from defirisk.protocols.lending.aave_v3.rows import (
    RAY,
    THE_POOL,
    PoolCode,
    PriceOracle,
    Reserve,
)
from defirisk.protocols.lending.compound_v2 import ADAPTER as COMPOUND
from defirisk.protocols.lending.compound_v2.rows import (
    Comptroller,
    CToken,
    Implementation,
    RatesRead,
)
from defirisk.protocols.lending.imported_lending import ADAPTER as IMPORTED
from defirisk.protocols.lending.imported_lending.rows import ImportedMarket, ImportedPosition
from defirisk.protocols.lending.morpho_blue import ADAPTER as MORPHO
from defirisk.protocols.lending.morpho_blue.rows import BorrowRate, Irm, Market, Position
from tests.unit.protocols import compound_v2_sample as sample
from tests.unit.protocols.rows_in_memory import RowsInMemory

NOW = 1_000_000


def said(adapter: Liquidates, *rows: Row) -> Liquidation:
    """What the adapter says of these rows."""
    snapshot = Snapshot(
        deployment=Deployment(
            name="market",
            protocol=adapter.name,
            chain_id=1,
            contracts=dict.fromkeys(adapter.required_contracts, "0xe"),
        ),
        block=Block(number=NOW, hash="0x", parent_hash="0x", timestamp=NOW),
        rows=RowsInMemory(*rows),
        tokens={},
        answers={},
    )
    return adapter.liquidation(snapshot, adapter.holdings(snapshot))


def aave(generation: Generation, *rows: Row) -> Liquidation:
    code = PoolCode(role=THE_POOL, since_revision=generation.since_revision)
    return said(AAVE, code, *rows)


RESERVE = Reserve(
    asset="0xa",
    a_token="0xb",
    scaled_supply_raw=1_000,
    scaled_variable_debt_raw=500,
    liquidity_index_ray=RAY * 3 // 2,
    variable_borrow_index_ray=2 * RAY + 1,
    variable_borrow_rate_ray=RAY // 20,
    liquidity_rate_ray=RAY // 50,
    virtual_underlying_raw=700,
    deficit_raw=3,
    liquidation_protocol_fee_bps=1_000,
    reserve_factor_bps=1_500,
    optimal_usage_bps=9_000,
    base_rate_bps=100,
    slope1_bps=450,
    slope2_bps=6_000,
    last_update_ts=NOW - 84,
)


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda one: one.version)
def test_aave_closes_half_until_an_account_is_nearly_lost(generation: Generation) -> None:
    (rule,) = aave(generation, RESERVE).rules

    assert rule.mechanism is Mechanism.HEALTH_CLOSE_FACTOR
    assert (rule.close_factor, rule.full_close_health) == (Fraction(1, 2), Fraction(95, 100))


def test_aave_books_deficits_and_refuses_dust_since_v3_3() -> None:
    before, after = (aave(one, RESERVE).rules[0] for one in (V3_2, V3_3))

    assert (before.bad_debt, after.bad_debt) == (BadDebt.STAYS, BadDebt.DEFICIT)
    assert (before.of_all_debts, after.of_all_debts) == (False, True)
    assert before.full_close_below == before.leftover == 0
    assert after.full_close_below == 2_000
    assert after.leftover == 1_000


def test_aaves_least_values_are_raw_whatever_its_base_currency_is() -> None:
    ether = PriceOracle(oracle="0xe", base_currency="0xf", base_currency_unit_raw=10**18)

    (rule,) = aave(V3_6, RESERVE, ether).rules

    assert rule.full_close_below == Fraction(2_000 * 10**8, 10**18)


def test_aave_rounds_for_itself_since_v3_5() -> None:
    before, after = (aave(one, RESERVE).rules[0] for one in (V3_4, V3_5))

    assert (before.collateral_rounding, before.debt_rounding) == (Rounding.NEAREST,) * 2
    assert (after.collateral_rounding, after.debt_rounding) == (Rounding.DOWN, Rounding.UP)


def test_a_reserve_is_a_pocket() -> None:
    (pocket,) = aave(V3_6, RESERVE).pockets
    interest = pocket.interest

    assert (pocket.market, pocket.supply_quote, pocket.debt_quote) == (0, 0, 1)
    assert (pocket.cash_raw, pocket.deficit_raw, pocket.fee) == (700, 3, Fraction(1, 10))
    assert (pocket.supplied_raw, pocket.borrowed_raw) == (1_500, 1_001)
    assert interest.model is Model.KINKED_EXPONENTIAL
    assert (interest.borrow_rate, interest.supply_rate) == (Fraction(1, 20), Fraction(1, 50))
    assert (interest.base, interest.kink) == (Fraction(1, 100), Fraction(9, 10))
    # Per unit of utilisation: 4.5 % over 90 %, 60 % over 10 %.
    assert (interest.slope1, interest.slope2) == (Fraction(1, 20), Fraction(6))
    assert (interest.reserve_factor, interest.elapsed) == (Fraction(15, 100), 84)
    assert aave(V3_3, RESERVE).pockets[0].interest.model is Model.KINKED_SECONDS


def test_a_strategy_that_stated_nothing_goes_on_as_it_does() -> None:
    silent = replace(RESERVE, optimal_usage_bps=0, base_rate_bps=0, slope1_bps=0, slope2_bps=0)

    interest = aave(V3_2, silent).pockets[0].interest

    assert interest.base == interest.borrow_rate == Fraction(1, 20)
    assert interest.slope1 == interest.slope2 == 0
    assert interest.kink == 1


def compound(*more: Row) -> Liquidation:
    snapshot = sample.snapshot(*more)
    return COMPOUND.liquidation(snapshot, COMPOUND.holdings(snapshot))


def test_compound_closes_a_part_of_one_debt() -> None:
    found = compound()

    (rule,) = found.rules
    assert (rule.mechanism, rule.close_factor) == (Mechanism.CLOSE_FACTOR, Fraction(1, 2))
    assert rule.bad_debt is BadDebt.STAYS
    assert set(found.unit_rule) == {0}
    assert len(found.unit_rule) == len(COMPOUND.holdings(sample.snapshot()).units)


def test_nobody_liquidates_where_seizing_is_paused() -> None:
    paused = replace(sample.row(Comptroller, sample.COMPTROLLER), seize_paused=True)

    assert set(compound(paused).unit_rule) == {NO_RULE}


def test_code_that_keeps_a_part_of_the_seized_says_so() -> None:
    proven = Implementation(contract=sample.C_USD, role="c_token", proven=True)

    assert [pocket.fee for pocket in compound(proven).pockets] == [0, Fraction(28, 1_000)]


def test_a_c_token_is_a_pocket() -> None:
    token = replace(
        sample.row(CToken, sample.C_USD),
        total_reserves_raw=10**8,
        reserve_factor_mantissa=sample.ONE // 10,
        accrual_block_number=993,
    )

    pocket = compound(token).pockets[1]

    assert (pocket.supply_quote, pocket.debt_quote) == (2, 3)
    assert (pocket.cash_raw, pocket.borrowed_raw, pocket.reserves_raw) == (10**12, 10**9, 10**8)
    assert pocket.supplied_raw == 10**12 + 10**9 - 10**8
    assert pocket.interest.model is Model.KINKED_BLOCKS
    assert pocket.interest.base == Fraction(1, 10**8)
    assert pocket.interest.slope1 == 0
    assert (pocket.interest.reserve_factor, pocket.interest.elapsed) == (Fraction(1, 10), 7)


def test_a_rate_model_that_stated_nothing_goes_on_as_it_was_read() -> None:
    token = replace(sample.row(CToken, sample.C_USD), interest_rate_model="0xother")
    read = RatesRead(
        c_token=sample.C_USD, borrow_rate_per_block_mantissa=3, supply_rate_per_block_mantissa=2
    )

    interest = compound(token, read).pockets[1].interest

    assert interest.base == interest.borrow_rate == Fraction(3, sample.ONE)
    assert interest.slope1 == interest.slope2 == 0


MARKETS = [
    Market(
        market_id=market_id,
        created_block=at,
        collateral_token=collateral,
        loan_token="0xa",
        irm="0xd",
        total_supply_assets_raw=1_000,
        total_supply_shares_raw=10**9,
        total_borrow_assets_raw=500,
        total_borrow_shares_raw=5 * 10**8,
        prev_borrow_rate_wad=77,
        fee_wad=10**17,
        last_update_ts=NOW - 60,
    )
    for at, (market_id, collateral) in enumerate((("0x1", "0xa"), ("0x2", "0xc"), ("0x3", "0xb")))
]


def test_morpho_closes_whole_positions_and_lenders_lose_the_rest() -> None:
    lent = Position(market_id="0x2", account="0x9", supply_shares_raw=5)

    found = said(MORPHO, *MARKETS, Irm(irm="0xd", asked=True, proportional=True), lent)

    (rule,) = found.rules
    assert rule.mechanism is Mechanism.WHOLE_POSITION
    assert rule.close_factor == 1
    assert (rule.bad_debt, rule.debt_rounding) == (BadDebt.SOCIALISED, Rounding.UP)
    assert found.unit_rule == (0,)
    # A market whose collateral is its loan token is one state, others are two.
    assert [pocket.market for pocket in found.pockets] == [0, 1, 3]
    assert [pocket.supply_quote for pocket in found.pockets] == [1, 4, 7]
    assert [pocket.debt_quote for pocket in found.pockets] == [2, 5, 8]
    pocket = found.pockets[0]
    assert (pocket.cash_raw, pocket.supplied_raw, pocket.borrowed_raw) == (500, 1_000, 500)
    assert (pocket.shares_raw, pocket.supply_shares_raw) == (5 * 10**8, 10**9)
    interest = pocket.interest
    assert (interest.model, interest.elapsed) == (Model.LINEAR, 60)
    assert interest.base == 0
    assert interest.slope1 == Fraction(1, 31_536_000)
    assert interest.reserve_factor == Fraction(1, 10)


@pytest.mark.parametrize(
    ("read", "rate"),
    [
        (BorrowRate(market_id="0x1", rate_wad=99, last_update_ts=NOW - 60), 99),
        (BorrowRate(market_id="0x1", rate_wad=99, last_update_ts=NOW - 61), 77),
    ],
)
def test_another_model_of_morphos_goes_on_at_its_last_rate(read: BorrowRate, rate: int) -> None:
    interest = said(MORPHO, *MARKETS, read).pockets[0].interest

    assert interest.base == interest.borrow_rate == Fraction(rate, 10**18)
    assert interest.slope1 == 0


def imported(*positions: tuple[str, str, str, int]) -> Liquidation:
    markets = [
        ImportedMarket(market="m", asset=asset, decimals=0, price_usd=price, close_factor=factor)
        for asset, price, factor in (("A", "1", "0.5"), ("B", "10", "0.25"), ("C", "1", "0"))
    ]
    rows = [
        ImportedPosition(market="m", account=account, asset=asset, side=side, amount_raw=amount)
        for account, asset, side, amount in positions
    ]
    return said(IMPORTED, *markets, *rows)


def test_imported_debts_have_the_close_factor_of_the_largest() -> None:
    found = imported(
        ("a", "A", "debt", 90),
        ("a", "B", "debt", 10),
        ("b", "A", "debt", 11),
        ("b", "B", "debt", 1),
        ("c", "C", "debt", 5),
        ("d", "A", "collateral", 5),
    )

    assert [rule.close_factor for rule in found.rules] == [Fraction(1, 4), Fraction(1, 2)]
    assert found.unit_rule == (0, 1, NO_RULE, NO_RULE)
    assert {rule.bad_debt for rule in found.rules} == {BadDebt.STAYS}
    assert found.pockets == ()
