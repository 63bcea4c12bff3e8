"""What liquidations do to pockets, in Python and in machine code."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.contagion.cascade import pockets
from defirisk.contagion.cascade.machine import machine_code
from defirisk.contagion.cascade.pockets.columns import (
    BORROW_RATE,
    BORROWED,
    CASH,
    DEBT_GROWTH,
    DEBT_SHARES,
    SUPPLIED,
    SUPPLY_GROWTH,
    SUPPLY_SHARES,
)
from defirisk.contagion.cascade.pockets.table import table_of
from defirisk.core.book import Book
from defirisk.core.quote import Rate, leaves
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS
from defirisk.protocols.lending.aave_v3.rows import Reserve
from defirisk.protocols.lending.compound_v2.rows import CToken, InterestRateModel
from defirisk.protocols.lending.morpho_blue.interest import accrue, proportional_rate
from defirisk.protocols.lending.morpho_blue.rows import Irm, Market
from tests.unit.contagion.cascade.pocket_cases import (
    CLOSE,
    aave_pockets,
    c_tokens,
    compound_pockets,
    morpho_markets,
    morpho_pockets,
    off,
    reserves,
    share,
)
from tests.unit.protocols.morpho_model import ACCOUNTS, Model

LENDERS = {"aave-v3", "compound-v2", "morpho-blue"}
PROPORTIONAL = Irm(irm="0xd", asked=True, proportional=True)


def test_morpho_lenders_lose_what_a_liquidation_leaves_unpaid() -> None:
    chain = Model()
    price = 2_000 * 10**24
    chain.supply(ACCOUNTS[0], 10**12)
    chain.fee = 10**17
    for account, pledged in ((ACCOUNTS[1], 10**18), (ACCOUNTS[2], 40 * 10**18)):
        chain.supply_collateral(account, pledged)
        chain.borrow(account, pledged * 1_600 // 10**12, price)
    chain.now += 86_400
    stored = market_of(chain)
    table = table_of(morpho_pockets(stored, PROPORTIONAL, 86_400))
    first = accrue(stored, proportional_rate(stored), 86_400).market

    for hours, account, part in ((1, ACCOUNTS[1], 5), (5, ACCOUNTS[2], 9)):
        chain.now += hours * 3_600
        pockets.accrue(table, 0, hours * 3_600, 0)
        chain.liquidate(account, Fraction(part, 10), 1_500 * 10**24)
        _, told, _ = chain.logs[-1]
        pockets.repaid(table, 0, told["repaidAssets"], told["repaidShares"])
        pockets.socialise(table, 0, told["badDebtAssets"], told["badDebtShares"])
        pockets.renew_rates(table, 0)
        assert (told["badDebtAssets"] > 0) == (part == 9)

        then = market_of(chain)
        assert table[0, BORROWED] == then.total_borrow_assets_raw
        assert table[0, SUPPLIED] == then.total_supply_assets_raw
        assert table[0, CASH] == then.total_supply_assets_raw - then.total_borrow_assets_raw
        assert table[0, DEBT_SHARES] == then.total_borrow_shares_raw
        assert off(table[0, SUPPLY_SHARES], then.total_supply_shares_raw) < CLOSE
        assert off(table[0, DEBT_GROWTH], share(then)[0] / share(first)[0]) < CLOSE
        assert off(table[0, SUPPLY_GROWTH], share(then)[1] / share(first)[1]) < CLOSE
        assert table[0, BORROW_RATE] == proportional_rate(then)
    assert table[0, SUPPLY_GROWTH] < 1


def market_of(chain: Model) -> Market:
    """The model's market as our rows have it, stored when it was last touched."""
    return Market(
        market_id="0xb",
        irm="0xd",
        total_supply_assets_raw=chain.m["sa"],
        total_supply_shares_raw=chain.m["ss"],
        total_borrow_assets_raw=chain.m["ba"],
        total_borrow_shares_raw=chain.m["bs"],
        fee_wad=chain.fee,
    )


EVENTS = {
    "accrue": ((12.0, 1.0), (0.0, 0.0), (86_400.0, 7_200.0)),
    "repaid": ((1e8, 9e7), (123_456_789.0, 1e8), (1e30, 1e30)),
    "paid_out": ((1e8,), (987_654_321.0,)),
    "kept": ((1e7,),),
    "book_deficit": ((3e8,),),
    "socialise": ((1e8, 9e7),),
    "renew_rates": ((),),
}


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    return machine_code(pockets.KERNELS)


@given(
    reserves(),
    c_tokens(),
    morpho_markets(),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(EVENTS)), st.integers(0, 2))),
)
def test_machine_code_does_the_same_to_the_last_bit(
    compiled: dict[str, Any],
    reserve: Reserve,
    case: tuple[CToken, InterestRateModel],
    market: Market,
    events: list[tuple[int, str, int]],
) -> None:
    slow = table_of(
        (
            *aave_pockets(reserve, GENERATIONS[market.fee_wad % 7], 84),
            *compound_pockets(*case, 15),
            *morpho_pockets(market, PROPORTIONAL, 60),
        )
    )
    fast = slow.copy()
    for k, name, choice in events:
        given_to = EVENTS[name][choice % len(EVENTS[name])]
        getattr(pockets, name)(slow, k, *given_to)
        compiled[name](fast, k, *given_to)

    assert np.array_equal(slow, fast, equal_nan=True)


def test_every_quote_of_a_lender_knows_its_pocket(recorded_book: Book) -> None:
    """Nobody else lends: a CDP mints what is owed, a perpetual has its own books."""
    lenders = [d.protocol in LENDERS for d in recorded_book.deployments]
    assert sum(lenders) == 4
    table = pockets.pocket_table(recorded_book)
    of_quote = pockets.pocket_of_quote(recorded_book)
    column = pockets.growth_of_quote(recorded_book)
    collaterals = 0
    for quote, k in enumerate(of_quote):
        if not lenders[recorded_book.quote_deployment[quote]]:
            assert k < 0
            continue
        market = recorded_book.quote_market[quote]
        if k < 0:
            collaterals += 1
            continue
        facts = recorded_book.markets[recorded_book.liquidation.pockets[k].market]
        assert facts.market == market
        assert facts.asset == recorded_book.quote_asset[quote]
        assert table[k, column[quote]] == 1.0
        rate = recorded_book.quote_program[quote]
        names = [leaf.name for leaf in leaves(rate) if isinstance(leaf, Rate)]
        assert any("borrow" in name for name in names) == (column[quote] == DEBT_GROWTH)
    morpho = [d.protocol for d in recorded_book.deployments].index("morpho-blue")
    assert collaterals == np.count_nonzero(recorded_book.quote_deployment == morpho) / 3
