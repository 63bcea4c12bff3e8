"""What rarely happens to Maker, executed on a fresh chain."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAD,
)
from defirisk.protocols.cdp.maker_mcd.system_now import MakerNow, maker_now
from tests.devnet.alone import Alone, Story, fresh_alone
from tests.onchain.maker_chain import Indexed, deployment_of
from tests.onchain.maker_oddities import Oddities
from tests.onchain.markets import index_live, new_store

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.cdp.maker_mcd"
BITES = 40  # looked at closely
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@pytest.fixture
def small() -> Iterator[Alone]:
    with fresh_alone("maker", 3, Story(accounts=12, steps=16, actions=3)) as chain:
        yield chain


def test_what_rarely_happens_is_folded_as_well(small: Alone, tmp_path: Path) -> None:
    """Step by step, and then all of it at once into a second store."""
    market, store = deployment_of(small), new_store(tmp_path)
    said = {}
    for step in Oddities(small).steps():
        step()
        block = index_live(small.url, store, market).block
        at = Indexed(small, tmp_path, store, market, block)
        verdict = at.verdict()
        assert verdict.mismatches == (), step.__name__
        said[step.__name__] = {one.code for one in ADAPTER.findings(at.snapshot())}
    now = maker_now(at.snapshot())
    once = new_store(tmp_path, "once.db")
    block = index_live(small.url, once, market).block
    again = Indexed(small, tmp_path, once, market, block).verdict()

    assert again == verdict
    assert_findings(said)
    assert_shut_down(now)
    store.close()
    once.close()


def assert_findings(said: dict[str, set[str]]) -> None:
    """Each is said from when it is so until it is no more."""
    assert "poke-pending" in said["terms_change_without_a_poke"]
    assert "poke-pending" not in said["somebody_pokes"]
    assert "auctions-full" in said["auctions_have_no_room"]
    assert "auctions-full" not in said["an_auction_is_called_off"]
    assert "no-price" in said["a_pip_has_no_price"]
    assert "deficit" in said["debt_is_made_of_nothing"]
    assert "deficit" not in said["and_cancelled"]
    assert "liquidations-off" in said["the_cat_is_caged"]
    assert "shut-down" in said["everything_is_caged"]


def assert_shut_down(now: MakerNow) -> None:
    """Nobody can be liquidated any more, however little an urn is worth."""
    assert not now.system.live
    assert not now.system.spotter_live
    assert not now.cat.live
    assert now.open
    assert not any(now.can_be_liquidated(urn, Fraction(1, 1000)) for urn in now.open)
    assert now.system.debt_rad < 10**12 * RAD
