"""What markets pay and vaults are worth after a failure, on drawn networks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from defirisk.contagion.clearing.clear import clear
from defirisk.contagion.clearing.network import Network
from defirisk.contagion.failure.losses import lost_usd
from defirisk.contagion.failure.settle import Settled, fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.backing import backing
from defirisk.core.book import Book
from defirisk.core.holdings import Side
from tests.unit.contagion.failure import twin
from tests.unit.contagion.failure.failing import (
    BAD,
    at,
    falls,
    networks,
    place,
    row,
)

CLOSE = 1e-12


def left(found: Settled, vault: str, s: int = 0) -> float:
    return float(found.left[found.claims.index(at(vault)), s])


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
