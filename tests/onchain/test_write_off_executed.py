"""A vault after liquidations that left bad debts, executed, is worth what was predicted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from defirisk.contagion.failure.backed import backed
from defirisk.contagion.failure.settle import fail
from defirisk.contagion.valuation import UNMOVED
from defirisk.core.backing import backing
from defirisk.core.quote import Conversion
from defirisk.core.scenario import ExactMoves
from defirisk.shocks.grammar import scenario
from tests.devnet.build import fresh
from tests.devnet.market import KEEPERS
from tests.devnet.morpho.book import read_positions
from tests.devnet.morpho.desk import Desk
from tests.devnet.purse import Purse
from tests.devnet.vaults.market import ALLOCATOR
from tests.onchain.markets import new_store
from tests.onchain.vault_chain import Wrapped

pytestmark = pytest.mark.onchain

SHARES = 10**18
WORTHLESS = 1e-8
"""USD: the smallest answer above 0 that the feed can give."""
ID = 10


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wrapped]:
    """A small chain on which WETH becomes worthless."""
    with fresh(3, accounts=12, actions=60) as devnet:
        its = Wrapped(devnet, new_store(tmp_path_factory.mktemp("failing")), 3)
        its.index()
        yield its
        its.store.close()


def test_a_vault_after_real_bad_debts_is_worth_what_was_predicted(living: Wrapped) -> None:
    """The feed says next to nothing, keepers take all collateral, Morpho lets the lenders pay:
    S (1 - sum of a_j (1 - R_j)), of the markets that were settled.
    """
    devnet, chain = living.devnet, living.devnet.chain
    vault = devnet.protocols.vaults.by_symbol[ALLOCATOR]
    morpho = devnet.protocols.morpho
    chain.must(*devnet.market.feeds.report("WETH", WORTHLESS))
    # What a vault lent is known as its markets booked it last: interest since then is only in its
    # total.
    desk = Desk(morpho, Purse(devnet.market.tokens, {}))
    of_vault = [one for one in morpho.markets if one.id in vault.markets]
    chain.must(*(desk.accrue(KEEPERS[0], market) for market in of_vault))
    living.index()
    book, before = living.book(), living.ask(vault.address, "convertToAssets(uint256)", SHARES)
    of_weth = [
        one
        for one in (*morpho.plain, *morpho.composed.values())
        if one.id in vault.markets and "WETH" in one.collateral
    ]
    assert of_weth
    names = {one.id[:ID]: one for one in of_weth}
    rows = {
        m: names[facts.market.rsplit(" ", 1)[-1]]
        for m, facts in enumerate(book.markets)
        if facts.market.rsplit(" ", 1)[-1] in names and facts.borrowed > 0
    }
    assert len(rows) == len(of_weth)
    found = fail(book, [UNMOVED])
    recoveries = np.ones_like(found.recoveries)
    recoveries[list(rows)] = found.recoveries[list(rows)]
    shares = backed(book, np.zeros(1))
    predicted = float(shares.left(recoveries)[shares.tokens.index(vault.address), 0])
    assert 0.05 < predicted < 0.99
    supplied = {m: totals(living, one.id) for m, one in rows.items()}

    liquidate_all(living, list(rows.values()))
    said = living.ask(vault.address, "convertToAssets(uint256)", SHARES)

    # A second of interest, and the bonus on collateral that is worth a hundred-millionth.
    assert said / before == pytest.approx(predicted, rel=2e-7)
    for m, one in rows.items():
        paid = Fraction(totals(living, one.id), supplied[m])
        assert float(paid) == pytest.approx(float(found.recoveries[m, 0]), rel=2e-6)
    after = [
        f"fail:{one.id}={totals(living, one.id) / supplied[m]:.15f}" for m, one in rows.items()
    ]
    factor = ExactMoves(book, scenario("", after, book)).leaf(
        Conversion(vault.address, Fraction(1))
    )
    assert float(factor) == pytest.approx(said / before, rel=1e-6)
    living.index()
    assert living.claims()[vault.address].rate is not None
    again = fail(living.book(), [UNMOVED])
    settled = [m for m, facts in enumerate(living.book().markets) if m in rows]
    assert again.recoveries[settled] == pytest.approx(1, abs=1e-6)
    assert set(backing(book)[vault.address]) >= set(rows)


def totals(living: Wrapped, market: str) -> int:
    """What the contract says that a market's lenders have."""
    raw = bytes.fromhex(market[2:])
    return living.ask(living.devnet.protocols.morpho.address, "market(bytes32)", raw)


def liquidate_all(living: Wrapped, markets: list[Any]) -> None:
    """Everybody who owes something there, within one second."""
    devnet = living.devnet
    prices = {"WETH": 1.0, "USDC": 1.0}
    desk = Desk(devnet.protocols.morpho, Purse(devnet.market.tokens, prices))
    who = [owner for owner in living.book().owners if owner.startswith("0x")]
    places = [(market.id, account) for market in markets for account in who]
    owing = [
        one
        for one in read_positions(devnet.chain, devnet.protocols.morpho, places)
        if one.borrow_shares and one.collateral
    ]
    assert owing
    calls = [
        desk.liquidate(KEEPERS[0], one.market, one.account, seized=one.collateral) for one in owing
    ]
    assert all(devnet.chain.mine(calls, seconds=1))
