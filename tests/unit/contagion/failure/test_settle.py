"""What markets pay and vaults are worth after a failure: by hand, a twin, Eisenberg and Noe."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from defirisk.contagion.clearing.clear import clear
from defirisk.contagion.clearing.network import Network
from defirisk.contagion.failure.losses import lent_usd, lost_usd, vault_usd
from defirisk.contagion.failure.settle import Settled, fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.backing import backing
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.scenario import Moves, Scenario
from tests.unit.contagion.failure import twin
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
    networks,
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


@given(made=networks(), part=st.fractions(0, 1), run=st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=60)
def test_the_same_as_its_definition_in_loops(made: Book, part: Fraction, run: float) -> None:
    scenario = falls(made, BAD, part)
    found = fail(made, [UNMOVED, scenario])
    pays, lacks = twin.settled(made, scenario)

    assert found.converged.all()
    assert found.recoveries[:, 1] == pytest.approx([float(one) for one in pays], abs=1e-9)
    assert found.uncovered[:, 1] == pytest.approx([float(one) for one in lacks], abs=1e-7)
    for token, part_left in twin.left(made, pays).items():
        k = found.claims.index(token)
        assert found.left[k, 1] == pytest.approx(float(part_left), abs=1e-9)
    # A run changes who pays, not how much lenders of markets lose together.
    ran = fail(made, [scenario], run=run)
    assert np.isfinite(ran.left).all()
    assert ((ran.left >= 0) & (ran.left <= 1)).all()


@given(made=networks(), parts=st.tuples(st.fractions(0, 1), st.fractions(0, 1)))
@settings(max_examples=60)
def test_more_recovery_is_never_more_loss(made: Book, parts: tuple[Fraction, Fraction]) -> None:
    worse, better = sorted(parts)
    found = fail(made, [falls(made, BAD, worse), falls(made, BAD, better)])
    assert (found.recoveries[:, 0] <= found.recoveries[:, 1] + 1e-9).all()
    assert (found.left[:, 0] <= found.left[:, 1] + 1e-9).all()
    lost = lost_usd(made, found)
    assert lost[0] >= lost[1] - 1e-6


@given(made=networks(shares=False), part=st.fractions(0, 1))
@settings(max_examples=60)
def test_claims_are_paid_as_eisenberg_and_noe_clear_them(made: Book, part: Fraction) -> None:
    """Where no share is collateral, markets and vaults are a network of debts and nothing else."""
    scenario = falls(made, BAD, part)
    found = fail(made, [scenario])
    rows = [row(made, facts.name) for facts in made.deployments]
    vaults, totals = list(made.sources.claims), _totals(made)
    size = len(rows) + len(vaults)
    debts, assets = np.zeros((size, size)), np.zeros(size)
    for k, token in enumerate(vaults):
        claim, node = made.sources.claims[token], len(rows) + k
        if claim.underlying in totals:  # its assets are the other vault's shares
            debts[len(rows) + vaults.index(claim.underlying), node] += totals[token]
            continue
        assets[node] = totals[token]
        for m, share in backing(made).get(token, {}).items():
            debts[rows.index(m), node] += totals[token] * float(share)
            assets[node] -= totals[token] * float(share)
    owed = np.array([*(made.markets[m].supplied for m in rows), *totals.values()])
    assets[: len(rows)] = owed[: len(rows)] - found.uncovered[rows, 0]
    # More shares may be held than there are: that is no network of debts.
    assume((debts.sum(axis=1) <= owed + 1e-9).all())
    outside = owed - debts.sum(axis=1)
    cleared = clear(
        Network(
            liabilities=csr_array(debts),
            external_assets=np.maximum(assets, 0.0),
            external_liabilities=np.maximum(outside, 0.0),
        )
    )
    paid = np.divide(cleared.payments[:, 0], owed, out=np.ones(size), where=owed > 0)
    assert paid[: len(rows)] == pytest.approx(found.recoveries[rows, 0], abs=1e-9)
    prices = [found.prices[place(made, made.sources.tokens[token].symbol), 0] for token in vaults]
    assert paid[len(rows) :] == pytest.approx(prices, abs=1e-9)


def _totals(made: Book) -> dict[str, float]:
    """Whole tokens of every vault's assets, of which there are as many shares."""
    return {token: claim.total_assets_raw / 1e18 for token, claim in made.sources.claims.items()}


@given(made=networks(), part=st.fractions(0, 1))
@settings(max_examples=60)
def test_value_is_conserved(made: Book, part: Fraction) -> None:
    """What BAD lost is what all together lost: borrowers, lenders and who holds shares."""
    before, after = (
        _everybody(made, fail(made, [scenario])) for scenario in (UNMOVED, falls(made, BAD, part))
    )
    own = (made.holding_side == Side.COLLATERAL) & (
        made.quote_asset[made.holding_quote] == place(made, BAD)
    )
    fell = float(made.holding_amount[own].sum()) * float(1 - part)
    assert before - after == pytest.approx(fell, rel=1e-9, abs=1e-7)


def _everybody(made: Book, found: Settled) -> float:
    """Equity of all accounts but vaults, and the shares that nobody pledged or put into another
    vault.
    """
    price = {asset.address: float(found.prices[a, 0]) for a, asset in enumerate(made.assets)}
    claims = made.sources.claims
    outside = {token: claim.supply_raw / 1e18 for token, claim in claims.items()}
    for claim in claims.values():
        if claim.underlying in outside:
            outside[claim.underlying] -= claim.total_assets_raw / 1e18
    total = 0.0
    for unit in range(len(made.units)):
        if made.owners[int(made.unit_owner[unit])] in claims:
            continue
        backs = owes = 0.0
        for h in np.flatnonzero(made.holding_unit == unit).tolist():
            q = int(made.holding_quote[h])
            token, amount = made.assets[int(made.quote_asset[q])].address, made.holding_amount[h]
            worth = float(amount) * price[token]
            if made.holding_side[h] == Side.COLLATERAL:
                backs += worth
                if token in outside:
                    outside[token] -= float(amount)
            elif made.holding_side[h] == Side.DEBT:
                owes += worth
            else:
                name = made.deployments[int(made.unit_deployment[unit])].name
                total += worth * float(found.recoveries[row(made, name), 0])
        total += max(backs - owes, 0.0)
    return total + sum(shares * price[token] for token, shares in outside.items())
