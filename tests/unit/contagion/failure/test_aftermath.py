"""Failures played through: by hand, against the replay event by event, and what counts once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defirisk.contagion.cascade.settings import BASE
from defirisk.contagion.failure.aftermath import Aftermath, aftermaths, can_be_played
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.book import Book
from defirisk.core.scenario import Moves, Scenario
from defirisk.metrics.systemic import marginal_losses
from defirisk.shocks.grammar import scenario
from tests.books import Entry, Token, book
from tests.unit.contagion.cascade.liquidated import AAVE, HALF, liquidated, liquidated_books, pair
from tests.unit.contagion.failure import replayed
from tests.unit.contagion.failure.failing import BAD, HAND, V, W, falls
from tests.unit.contagion.failure.failing import book as vaults

FREE = replace(BASE, gas_usd=0.0, round_seconds=0)
TOKENS = [
    Token("BAD", 2.0, 0.8),
    Token("ETH", 2.0, 0.8),
    Token("USD", 1.0, 0.8),
]
DEEP = pair("ETH", "USD", (1e12, 2e12))
LENT: list[Entry] = [("supply", "USD", 100_000.0)]


def one_book(units: list[list[Entry]], *, rule: object = AAVE, **tokens: object) -> Book:
    made = book(
        [replace(token, **tokens) if token.symbol == BAD else token for token in TOKENS],  # type: ignore[arg-type]
        [*units, LENT],
    )
    return liquidated(made, [rule], [DEEP])  # type: ignore[list-item]


def ends(made: Book, *failures: Scenario) -> tuple[Aftermath, ...]:
    return aftermaths(made, failures, FREE, compiled=False)


def dies(made: Book) -> Scenario:
    return scenario("", ["price:BAD=-100%"], made)


def test_by_hand() -> None:
    """12,000 is owed against 10,000 of ETH once BAD is worthless: at once 2,000 are missing. A
    keeper takes the ETH with his bonus of 5 %, and pays 9,523.81 for it: 2,476.19 are.
    """
    made = one_book(
        [[("collateral", "BAD", 5_000.0), ("collateral", "ETH", 5_000.0), ("debt", "USD", 12e3)]]
    )
    (found,) = ends(made, dies(made))
    assert float(lost_usd(made, found.at_once)[0]) == pytest.approx(2_000)
    assert found.lost_usd == pytest.approx(12_000 - 10_000 / 1.05, rel=1e-9)
    assert sum(found.seized_usd.values()) == pytest.approx(10_000)
    assert found.sold_usd == pytest.approx({(1, 2): 10_000})
    assert (found.liquidations, found.ended) == (1, True)


def test_what_no_oracle_sees_is_lost_all_the_same() -> None:
    """Its price is hard-coded: nobody can be liquidated, and nobody pays."""
    made = one_book([[("collateral", "BAD", 5_000.0), ("debt", "USD", 7_000.0)]], feed="")
    (found,) = ends(made, dies(made))
    assert found.liquidations == 0
    assert found.lost_usd == pytest.approx(7_000)


def test_what_is_written_off_is_not_owed_again() -> None:
    """All of a falling collateral is taken, and what is left of the debt becomes a deficit."""
    made = one_book([[("collateral", "ETH", 5_000.0), ("debt", "USD", 7_000.0)]])
    half = scenario("", ["price:ETH=-50%"], made)
    (found,) = ends(made, half)
    assert found.settled.uncovered.max() == 0
    assert found.lost_usd == pytest.approx(7_000 - 5_000 / 1.05, rel=1e-9)


def test_lenders_of_a_market_that_fails_lose_their_deposits_once() -> None:
    """Nothing comes back of 100,000: that a borrower does not pay either changes nothing."""
    made = one_book([[("collateral", "ETH", 5_000.0), ("debt", "USD", 7_000.0)]])
    usd = next(m for m, facts in enumerate(made.markets) if facts.asset == 2)
    moves = replace(scenario("", ["price:ETH=-50%"], made).moves, recoveries={usd: Fraction(0)})
    for happens in (Moves(recoveries={usd: Fraction(0)}), moves):
        (found,) = ends(made, Scenario(name="", shocks=(), moves=happens))
        assert found.lost_usd == pytest.approx(100_000, rel=1e-12)


def test_sales_alone_are_no_loss() -> None:
    """All collateral is sold into a thin pool, all debts are paid: the price fell, no more."""
    made = book(TOKENS, [[("collateral", "ETH", 5_000.0), ("debt", "USD", 8_000.5)], LENT])
    made = liquidated(made, [HALF], [pair("ETH", "USD", (250_000.0, 500_000.0))])
    (found,) = ends(made, UNMOVED)
    assert found.liquidations >= 1
    assert found.prices[1] < 1.98
    assert found.lost_usd == 0


def test_sales_make_other_loans_bad_in_dollars_of_before() -> None:
    """ETH is sold into a thin pool. Of two loans that nobody can liquidate one is backed by ETH,
    which is worth less then, and one owes ETH, of which less is lacking, but each counts 2 USD.
    """
    made = one_book(
        [
            [("collateral", "BAD", 5_000.0), ("collateral", "ETH", 5_000.0), ("debt", "USD", 12e3)],
            [("collateral", "ETH", 5_000.0), ("debt", "USD", 9_999.0)],
            [("collateral", "USD", 10_000.0), ("debt", "ETH", 5_400.0)],
            [("supply", "ETH", 9_000.0)],
        ]
    )
    rules, thin = made.liquidation, pair("ETH", "USD", (250_000.0, 500_000.0))
    made = replace(
        made,
        liquidation=replace(rules, unit_rule=(0, -1, -1, -1, -1)),
        sources=replace(made.sources, venues={thin.address: thin}),
    )
    (found,) = ends(made, dies(made))
    price = float(found.prices[1])
    assert 1.9 < price < 1.97
    pays_usd = pays_eth = 1.0
    for _ in range(200):  # deposits that back a debt are worth what their market pays
        of_usd = (12_000 - 10_000 / 1.05) + 9_999 - 5_000 * price * pays_eth
        of_eth = 5_400 - 10_000 * pays_usd / price
        pays_usd, pays_eth = 1 - of_usd / 110_000, 1 - of_eth / 19_000
    assert found.lost_usd == pytest.approx(of_usd + of_eth * 2, rel=1e-9)


def test_where_nothing_can_be_liquidated_it_is_the_settlement() -> None:
    made = vaults(HAND, [V, W])
    assert not can_be_played(made)
    bad = falls(made, BAD)
    (found, _) = ends(made, bad, UNMOVED)
    assert found.lost_usd == float(lost_usd(made, fail(made, [bad]))[0])
    assert marginal_losses(made, [bad])[0] == pytest.approx(85)


slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(
    liquidated_books(),
    st.sampled_from(["price:ETH=-100%", "price:BTC=-60%", "price:DAI=-100%", "market:ETH=-90%"]),
)
def test_the_same_as_the_replay_event_by_event(made: Book, shock: str) -> None:
    happens = scenario("", [shock], made)
    found = aftermaths(made, [happens, UNMOVED], compiled=False)
    assert found[0].lost_usd == pytest.approx(replayed.lost(made, happens), rel=1e-8, abs=1e-4)
    assert found[1].lost_usd == pytest.approx(replayed.lost(made, UNMOVED), rel=1e-8, abs=1e-4)


def test_machine_code_loses_the_same_to_the_last_bit() -> None:
    units: list[list[Entry]] = [
        [("collateral", "BAD", 5e3), ("collateral", "ETH", 5e3 + n), ("debt", "USD", 9e3 + 7 * n)]
        for n in range(300)
    ]
    made = liquidated(book(TOKENS, [*units, LENT]), [AAVE], [pair("ETH", "USD", (1e6, 2e6))])
    happens = [dies(made), UNMOVED, scenario("", ["price:ETH=-40%"], made)]
    one, other = (aftermaths(made, happens, compiled=how) for how in (False, True))
    assert one[0].liquidations >= 300
    for ours, theirs in zip(one, other, strict=True):
        assert ours.lost_usd.hex() == theirs.lost_usd.hex()
        assert ours.settled.recoveries.tobytes() == theirs.settled.recoveries.tobytes()
        assert ours.prices.tobytes() == theirs.prices.tobytes()
        assert (ours.seized_usd, ours.sold_usd) == (theirs.seized_usd, theirs.sold_usd)
        assert (ours.rounds, ours.liquidations) == (theirs.rounds, theirs.liquidations)
