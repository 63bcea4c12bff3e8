"""Interest of a Compound v2 market: from a model's parameters, read, and by the year."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.adapter import Contract
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.accrual import Rates, rates
from defirisk.protocols.lending.compound_v2.rows import (
    CToken,
    InterestRateModel,
    RateModelConstants,
    RatesRead,
)
from tests.unit.protocols.compound_v2_sample import BLOCK, C_USD, MODEL, ONE, asked, row, snapshot
from tests.unit.protocols.rows_in_memory import RowsInMemory


def test_rates_follow_the_kink() -> None:
    token = CToken(c_token=C_USD, cash_raw=10, total_borrows_raw=90)
    model = InterestRateModel(
        model=MODEL,
        kind="jump",
        base_rate_per_block_mantissa=5,
        multiplier_per_block_mantissa=1_000,
        jump_multiplier_per_block_mantissa=10_000,
        kink_mantissa=8 * ONE // 10,
    )

    assert rates(token, model) == Rates(5 + 800 + 1_000, 9 * 1_805 // 10)
    assert rates(token, replace(model, kink_mantissa=ONE)) == Rates(905, 814)
    assert rates(token, replace(model, kind="white paper")) == Rates(905, 814)
    assert rates(replace(token, total_reserves_raw=100), model) is None


def test_rates_of_a_model_that_never_stated_its_parameters_are_read() -> None:
    token = replace(row(CToken, C_USD), interest_rate_model="0xother")
    read = RatesRead(
        c_token=C_USD, borrow_rate_per_block_mantissa=3, supply_rate_per_block_mantissa=2
    )

    assert asked(snapshot(), "borrowRatePerBlock").ours == (10**10,)
    assert asked(snapshot(token, read), "borrowRatePerBlock").ours == (3,)
    assert asked(snapshot(token, read), "borrowRatePerBlock").grade == "read"
    assert ADAPTER.holdings(snapshot(token)).markets[1].borrow_apr is None


@pytest.mark.parametrize(
    ("blocks", "apr"),
    [(2_102_400, Fraction(2_102_400, 10**8)), (10_512_000, Fraction(10_512, 10**5))],
)
def test_a_year_has_the_blocks_that_the_rate_model_counts(blocks: int, apr: Fraction) -> None:
    state = RowsInMemory()
    model = Contract(address=MODEL, role="interest_rate_model", first_block=0)
    (view,) = ADAPTER.views([model])

    ADAPTER.observe(view, (blocks,), BLOCK, state)
    known = state.get(RateModelConstants, MODEL)

    assert ADAPTER.holdings(snapshot(known)).markets[1].borrow_apr == apr
    assert ADAPTER.holdings(snapshot()).markets[1].borrow_apr is None
