"""A replacement of arrays gives the book that a store with the changed rows gives."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.screen import screen
from defirisk.core.errors import CheckFailed
from defirisk.governance.aave_v3.dial import dial
from defirisk.governance.parameters import parameters
from defirisk.governance.request import Wanted
from defirisk.protocols.lending.aave_v3.holdings import holdings
from defirisk.shocks.grammar import scenario
from defirisk.store.database import Store
from tests.unit.governance.markets import NEW, OLD, market_in, proposed, stored_rows

WANTED = (
    Wanted(asset="WETH", ltv_bps=7000, liquidation_threshold_bps=7600, supply_cap=7),
    # Thresholds that are equal before or after decide how coarse v3.0 rounds.
    Wanted(asset="DAI", liquidation_threshold_bps=7600, ltv_bps=6000, liquidation_bonus_bps=900),
)


@pytest.mark.parametrize("name", [NEW, OLD])
def test_the_changed_book_is_that_of_changed_rows(name: str, demo_copy: Store) -> None:
    market = market_in(demo_copy, name)
    made = proposed(market, *WANTED)
    ours = made.case.after()
    with stored_rows(demo_copy, market, made.rows) as book:
        theirs = book()

    different = []
    for field in fields(theirs):
        one, other = getattr(ours, field.name), getattr(theirs, field.name)
        if field.name == "edge":
            continue
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        elif field.name == "markets":
            assert [repr(facts) for facts in one] == [repr(facts) for facts in other]
        elif field.name in ("requirements", "recovery"):
            np.testing.assert_equal(tuple(one), tuple(other))
        else:
            assert one == other, field.name
        if repr(one) != repr(getattr(market.book, field.name)):
            different.append(field.name)
    assert {"ltv", "liquidation_threshold", "liquidation_bonus", "markets"} <= set(different)
    assert not any(name.startswith(("holding", "quote", "unit")) for name in different)


@pytest.mark.parametrize("name", [NEW, OLD])
def test_the_changed_edge_decides_as_that_of_changed_rows(name: str, demo_copy: Store) -> None:
    """Every unit of every deployment, at today's prices and others, exactly."""
    market = market_in(demo_copy, name)
    made = proposed(market, *WANTED)
    ours = market.edge(made.rows)
    with stored_rows(demo_copy, market, made.rows) as book:
        theirs = book()
    own = np.flatnonzero(market.book.quote_deployment == market.deployment).tolist()
    turned = 0
    for factor in (None, 9, 12):
        moved = {} if factor is None else dict.fromkeys(own[::4], Fraction(factor, 10))
        for unit in range(len(market.book.units)):
            here = market.book.unit_deployment[unit] == market.deployment
            prices = moved if here else {}
            now = ours.liquidatable(unit, prices)
            assert now == theirs.edge.liquidatable(unit, prices), (unit, factor)
            turned += now != market.book.edge.liquidatable(unit, prices)
    assert turned >= 5


def test_an_e_mode_is_not_touched_by_what_the_reserve_says(demo_copy: Store) -> None:
    market = market_in(demo_copy)
    made = proposed(market, Wanted(asset="WETH", ltv_bps=100, liquidation_threshold_bps=200))
    sets = holdings(market.snapshot).parameters
    weth = made.case.changes[0].asset
    follow = [i for i, one in enumerate(sets) if one.label == weth]
    modes = [i for i, one in enumerate(sets) if one.label.startswith(f"{weth}/")]
    assert follow
    assert modes
    after, before = made.case.new.liquidation_threshold, market.book.liquidation_threshold
    assert (after != before).sum() == len(follow)
    first = np.flatnonzero(after != before)[0] - follow[0]
    assert (after[[first + i for i in modes]] == before[[first + i for i in modes]]).all()


@pytest.mark.parametrize("name", [NEW, OLD])
def test_turning_the_dial_is_asking_the_adapter(name: str, demo_copy: Store) -> None:
    """The quick way of `tune` against the slow one of `propose`, at many points."""
    market = market_in(demo_copy, name)
    turned = dial(market, "WETH")
    texts = ("price:WETH=-30%", "price:DAI=+10%")
    for bps in (300, 2_000, 7_600, 8_299, 9_400):
        at = replace(
            turned.today, ltv_bps=bps - 150, liquidation_threshold_bps=bps,
            liquidation_bonus_bps=600,
        )  # fmt: skip
        wanted = Wanted(
            asset="WETH", ltv_bps=bps - 150, liquidation_threshold_bps=bps,
            liquidation_bonus_bps=600,
        )  # fmt: skip
        slow = proposed(market, wanted).case.new
        quick = turned.parameters(at)
        for array in ("ltv", "liquidation_threshold", "liquidation_bonus"):
            np.testing.assert_array_equal(getattr(quick, array), getattr(slow, array))
        assert (quick.resolution >= slow.resolution).all()
        one = [scenario("fall", texts, market.book)]
        outcomes = [screen(b, one) for b in (turned.at(at), proposed(market, wanted).case.after())]
        assert (outcomes[0].liquidatable_accounts == outcomes[1].liquidatable_accounts).all()


def test_a_change_that_moves_positions_is_refused(demo_copy: Store) -> None:
    market = market_in(demo_copy)
    exact = holdings(market.snapshot)
    with pytest.raises(CheckFailed, match="moves positions"):
        parameters(market.book, market.deployment, replace(exact, units=exact.units[:-1]))
    with pytest.raises(CheckFailed, match="moves positions"):
        parameters(market.book, market.deployment, replace(exact, holdings=exact.holdings[1:]))
