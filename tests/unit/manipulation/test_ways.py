"""Ways to move a price: what each costs, and how far each moves a mean."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import sqrt

import pytest

from defirisk.core.claim import Claim
from defirisk.core.quote import Conversion, Feed, Median, Twap
from defirisk.manipulation.attempts import (
    best_attempt,
)
from defirisk.manipulation.lies import families, ways
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.twap import CumulativePrices
from tests import books
from tests.books import NOW
from tests.unit.manipulation.lying import ASSUMED, CASH, PRICES, attack, averaged, family, sides
from tests.unit.manipulation.made import NETWORK, POOL, TKN, USDC, E, book, pool, spot


def test_a_gift_to_a_vault_costs_its_part_of_all_that_the_vault_holds() -> None:
    rate = Conversion(TKN, Fraction(10))
    claim = Claim(
        token=TKN, kind="vault", program=rate, underlying=USDC, total_assets_raw=400 * 10**6
    )
    made = book(rate, claims=[claim])
    lie = family(made).of(1.5)
    assert lie.cost_usd == pytest.approx(200)
    found = attack(made, "borrow against it")(lie)
    assert found is not None
    assert found.left_usd == pytest.approx(CASH / (0.8 * 1.5), rel=1e-5)
    assert found.profit_usd == pytest.approx(CASH - CASH / 1.2 - 200, rel=1e-4)
    # Pi'(m) = V / (ltv m^2) - T = 0 at m = sqrt(V / (ltv T)).
    most = best_attempt(attack(made, "borrow against it"), family(made), ASSUMED)
    assert most is not None
    assert most.lie.move == pytest.approx(sqrt(CASH / (0.8 * 400)), rel=1e-3)


def test_ways_to_lie_to_a_mean() -> None:
    own, one, whole = ways(3600, ASSUMED)
    assert (own.name, own.blocks, own.held_seconds, own.trades_back) == ("own blocks", 2, 12, True)
    assert (one.name, one.held_seconds, one.times, one.trades_back) == ("one block", 12, 1, False)
    assert (whole.held_seconds, whole.times, whole.blocks) == (3600, 300, 301)
    three = ways(3600, replace(ASSUMED, controlled_blocks=3))
    assert three[0].held_seconds == 24
    assert [way.name for way in ways(3600, replace(ASSUMED, controlled_blocks=1))] == [
        "one block",
        "whole window",
    ]
    (spot_way,) = ways(0, ASSUMED)
    assert spot_way.in_one_transaction
    assert spot_way.trades_back


def test_a_mean_is_moved_by_its_part_of_the_window() -> None:
    made = averaged()
    found = {
        one.way.name: attack(made, "borrow against it")(one.of(31.0))
        for one in families(sides(made)[0].program, made.sources, PRICES, ASSUMED)
        if one.up
    }
    moves = {name: one.oracle_move for name, one in found.items() if one is not None}
    assert moves["own blocks"] == pytest.approx(1 + 30 / 300, rel=1e-6)
    assert moves["one block"] == pytest.approx(1 + 30 / 300, rel=1e-6)
    assert moves["whole window"] == pytest.approx(31, rel=1e-6)
    costs = {name: one.lie.cost_usd for name, one in found.items() if one is not None}
    root = sqrt(31)
    loss = 1000 * (root + 1 / root - 2)
    assert costs["one block"] == pytest.approx(loss, rel=0.01)
    assert costs["whole window"] == pytest.approx(300 * costs["one block"], rel=1e-9)
    assert costs["own blocks"] < 0.0061 * 1000
    assert all(one is not None and one.flash_profit_usd(0.0005) is None for one in found.values())


def test_what_others_trade_back_starts_at_the_market_price() -> None:
    """The pool says 20 where the market pays 10: to keep it there is paid for in every block, and
    to let it fall costs nothing.
    """
    venue = pool((100 * E, 2000 * 10**6))
    assert isinstance(venue.pool, ConstantProduct)
    history = CumulativePrices(0, 0, NOW, venue.pool.reserves)
    there = replace(venue, history=history)
    made = book(Twap(spot(there), 3600, Fraction(20)), venues=[there])
    found = {
        (one.way.name, one.up): one
        for one in families(sides(made)[0].program, made.sources, PRICES, ASSUMED)
    }
    # At 10 the reserves are 1414 USDC and 141 TKN.
    kept = found["whole window", True].of(1.0)
    assert kept.cost_usd == pytest.approx(300 * 1414.2 * 0.121320, rel=1e-4)
    assert found["whole window", False].of(2.0).cost_usd == pytest.approx(0, abs=1e-3)
    assert found["own blocks", True].of(1.0).cost_usd == 0


def test_gas_is_paid_in_every_block() -> None:
    made = averaged()
    dear = replace(ASSUMED, gas_usd=3.0)
    for one, free in zip(
        families(sides(made)[0].program, made.sources, PRICES, dear),
        families(sides(made)[0].program, made.sources, PRICES, ASSUMED),
        strict=True,
    ):
        added = one.of(2.0).cost_usd - free.of(2.0).cost_usd
        assert added == pytest.approx(3.0 * one.way.blocks)


def test_a_median_of_two_pools_and_a_feed_needs_both_pools() -> None:
    """One of three is not the middle; two are."""
    other = replace(pool(), address=books.address("other"))
    parts = (spot(), replace(spot(), venue=other.address), Feed(NETWORK, Fraction(10)))
    made = book(Median(parts), venues=[pool(), other])
    found = {
        one.label: attack(made, "borrow against it")(one.of(4.0))
        for one in families(sides(made)[0].program, made.sources, PRICES, ASSUMED)
        if one.up
    }
    moves = {label: one.oracle_move for label, one in found.items() if one is not None}
    assert moves == {
        POOL: 1,
        other.address: 1,
        f"{POOL},{other.address}": pytest.approx(4, rel=1e-6),
    }
    both = found[f"{POOL},{other.address}"]
    assert both is not None
    assert both.lie.capital_usd == pytest.approx(2000, rel=1e-6)
