"""What markets pay and vaults are worth after a failure: by hand."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from defirisk.contagion.failure.losses import lent_usd, lost_usd, vault_usd
from defirisk.contagion.failure.settle import Settled, fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.scenario import Moves, Scenario
from tests.unit.contagion.failure.failing import (
    BAD,
    HAND,
    USDC,
    Isolated,
    V,
    Vault,
    W,
    at,
    book,
    falls,
    place,
    pool,
    row,
)

CLOSE = 1e-12


def left(found: Settled, vault: str, s: int = 0) -> float:
    return float(found.left[found.claims.index(at(vault)), s])


def test_a_chain_by_hand() -> None:
    """Of 80 owed against BAD nothing is paid: R = 1 - 80/200. V lent half there: 1 - 0.5 * 0.4. Its
    50 shares are worth 40 and 45 is owed against them: R = 1 - 5/100.
    """
    made = book(HAND, [V, W])
    found = fail(made, [falls(made, BAD)])

    assert found.converged.all()
    assert found.recoveries[row(made, "bad"), 0] == pytest.approx(0.6, rel=CLOSE)
    assert left(found, "V") == pytest.approx(0.8, rel=CLOSE)
    assert found.prices[place(made, "V"), 0] == pytest.approx(0.8, rel=CLOSE)
    assert found.prices[place(made, "W"), 0] == pytest.approx(0.8, rel=CLOSE)
    assert found.uncovered[row(made, "share"), 0] == pytest.approx(5, rel=CLOSE)
    assert found.recoveries[row(made, "share"), 0] == pytest.approx(0.95, rel=CLOSE)
    assert found.recoveries[row(made, "good"), 0] == 1
    assert lost_usd(made, found)[0] == pytest.approx(85, rel=CLOSE)
    assert vault_usd(made, found)[found.claims.index(at("V")), 0] == pytest.approx(40, rel=CLOSE)


def test_without_a_failure_nothing_is_lost() -> None:
    made = book(HAND, [V, W])
    found = fail(made, [UNMOVED])
    assert (found.recoveries == 1).all()
    assert (found.left == 1).all()
    assert lost_usd(made, found)[0] == 0


def test_a_vault_that_lent_against_its_own_shares_settles() -> None:
    """x = 1 - 0.5 * 0.4 - 0.3 (45 - 50 x) / 160, solved by hand."""
    loop = Vault("V", 200, {"bad": 100, "share": 60})
    made = book(HAND, [loop])
    found = fail(made, [falls(made, BAD)])

    assert found.converged.all()
    assert left(found, "V") == pytest.approx(0.715625 / 0.90625, rel=CLOSE)


def test_two_vaults_that_hold_each_other_end() -> None:
    """Nobody has anything but the other's shares: what they are worth is not known, not endless."""
    made = book(HAND, [V, Vault("X", 10, {}, of="Y"), Vault("Y", 10, {}, of="X")])
    found = fail(made, [falls(made, BAD)])
    assert found.converged.all()
    assert left(found, "V") == pytest.approx(0.8, rel=CLOSE)


def test_a_market_that_fails_itself() -> None:
    """`fail:bad=0.4`: half of V is lent there."""
    made = book(HAND, [V])
    moves = Moves(recoveries={row(made, "bad"): Fraction(2, 5)})
    found = fail(made, [Scenario(name="", shocks=(), moves=moves)])
    assert left(found, "V") == pytest.approx(1 - 0.5 * 0.6, rel=CLOSE)
    assert lent_usd(made, found)[row(made, "bad"), 0] == pytest.approx(0.6 * 200, rel=CLOSE)


def test_a_deposit_that_backs_a_debt_is_worth_what_its_market_pays() -> None:
    """80 USDC against BAD are not paid back, of 160 deposits. 100 of these back 70 DAI, and are
    worth 50 now: of 100 DAI deposits 20 are lost.
    """
    made = pool(
        [
            [("collateral", BAD, 100.0), ("debt", USDC, 80.0)],
            [("collateral", USDC, 100.0), ("debt", "DAI", 70.0)],
            [("supply", USDC, 60.0), ("supply", "DAI", 100.0)],
        ],
        (BAD, USDC, "DAI"),
    )
    found = fail(made, [falls(made, BAD)])
    assert found.recoveries[:, 0] == pytest.approx([1, 0.5, 0.8], rel=CLOSE)


def test_a_booked_deficit_is_lost_already() -> None:
    made = book(HAND, [V])
    bad = row(made, "bad")
    facts = dataclasses.replace(made.markets[bad], deficit=20.0)
    short = dataclasses.replace(
        made, markets=(*made.markets[:bad], facts, *made.markets[bad + 1 :])
    )
    found = fail(short, [UNMOVED, falls(short, BAD)])
    assert found.recoveries[bad].tolist() == pytest.approx([0.9, 0.5], rel=CLOSE)


@pytest.mark.parametrize(("asked", "multiplier"), [(0.0, 1), (0.2, 1.25), (0.5, 2)])
def test_who_stays_bears_the_loss_of_those_who_left(asked: float, multiplier: float) -> None:
    """Idle are 40 and the sound market has 100 in cash: 20 % and 50 % get out without touching the
    bad one, where V has 120 in cash to share with nobody, if the bad one is last in the order.
    """
    ordered = Vault("V", 200, {"good": 60, "bad": 100})
    made = book(HAND, [ordered])
    found = fail(made, [falls(made, BAD)], run=np.array([asked]))
    k = found.claims.index(at("V"))

    assert found.paid[k, 0] == pytest.approx(asked, rel=CLOSE)
    assert 1 - found.left[k, 0] == pytest.approx(0.2 * multiplier, rel=CLOSE)
    assert vault_usd(made, found)[k, 0] == pytest.approx(40, rel=CLOSE)


def test_leaving_through_the_bad_market_leaves_the_loss_to_its_other_lenders() -> None:
    """80 % want out: 40 idle, 60 from the sound market, 60 of the 120 that the bad one has in cash.
    Its deposits are 140 then, of which 80 are lost; V still has 40 there and nothing else.
    """
    ordered = Vault("V", 200, {"good": 60, "bad": 100})
    made = book(HAND, [ordered])
    found = fail(made, [falls(made, BAD)], run=0.8)
    k = found.claims.index(at("V"))

    assert found.paid[k, 0] == pytest.approx(0.8, rel=CLOSE)
    assert found.withdrawn[row(made, "bad"), 0] == pytest.approx(60, rel=CLOSE)
    assert found.recoveries[row(made, "bad"), 0] == pytest.approx(1 - 80 / 140, rel=CLOSE)
    assert found.left[k, 0] == pytest.approx(1 - 80 / 140, rel=CLOSE)
    assert lent_usd(made, found)[row(made, "bad"), 0] == pytest.approx(80, rel=CLOSE)


def test_no_more_gets_out_than_there_is_cash() -> None:
    """Everything in the bad market is borrowed: who wants all gets what is idle or elsewhere."""
    market = Isolated("bad", BAD, [(1000, 200)], others=100)
    made = book([market, *HAND[1:]], [V])
    found = fail(made, [falls(made, BAD)], run=1.0)
    k = found.claims.index(at("V"))
    assert found.paid[k, 0] == pytest.approx(0.5, rel=CLOSE)
    assert found.left[k, 0] == 0


def test_a_book_without_markets_or_units_loses_nothing_that_it_knows_of() -> None:
    made = book(HAND, [V])
    for less in (
        dataclasses.replace(made, markets=()),
        book([], []),
    ):
        found = fail(less, [UNMOVED, falls(less, BAD)])
        assert found.recoveries.shape == (0, 2)
        assert lost_usd(less, found).tolist() == [0, 0]


def test_a_part_is_a_part() -> None:
    made = book(HAND, [V])
    with pytest.raises(ValueError, match="between 0 and 1"):
        fail(made, [UNMOVED], run=1.5)


def test_an_unknown_price_is_counted_and_makes_no_loss_up() -> None:
    made = book(HAND, [V], bad_price=float("nan"))
    found = fail(made, [UNMOVED])
    assert found.unknown.tolist() == [1]
    assert np.isfinite(found.recoveries).all()
    assert np.isnan(found.prices[place(made, BAD), 0])
    assert lost_usd(made, found)[0] == 0


def test_a_loss_of_an_unknown_price_is_unknown() -> None:
    made = book(HAND, [V])
    made.asset_price[place(made, USDC)] = float("nan")
    moves = Moves(recoveries={row(made, "bad"): Fraction(0)})
    assert np.isnan(lost_usd(made, fail(made, [Scenario(name="", shocks=(), moves=moves)]))[0])
