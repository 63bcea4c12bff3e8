"""What lies cost and earn on the shared chain: verdicts by name, and attacks that are carried out.

Every prediction stands in a file before the first transaction of the attack is sent to a fork.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.book import Book
from defirisk.core.quote import Spot
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import Attempt, best_attempt, earners
from defirisk.manipulation.exposure import Exposure, exposures
from defirisk.manipulation.lending import listings
from defirisk.manipulation.lies import families
from defirisk.manipulation.moved import Moved
from defirisk.manipulation.quoted import Quoted, quoted
from tests.command import CommandLine
from tests.devnet.abi import words
from tests.devnet.build import DEPLOYMENT, Devnet
from tests.onchain.oracle_attack import LABEL_ID, Attacker, forked, written
from tests.onchain.unjudged import unjudged

pytestmark = pytest.mark.onchain
ASSUMED = Assumptions()
FREE = replace(ASSUMED, gas_usd=0.0)
"""Ether is no token here: what is realised has no gas in it."""
WITHIN = 0.01


@pytest.fixture(scope="module")
def described(devnet_path: Path) -> dict[str, Any]:
    return dict(json.loads((devnet_path / DEPLOYMENT).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def planted(described: dict[str, Any]) -> dict[str, Any]:
    return dict(described["planted"])


@pytest.fixture(scope="module")
def found(recorded_book: Book) -> dict[str, Exposure]:
    """By feed and asset."""
    every = exposures(recorded_book, ASSUMED)
    return {f"{one.quoted.feed}/{recorded_book.symbol(one.quoted.asset)}": one for one in every}


@pytest.fixture(scope="module")
def attacker(devnet: Devnet, recorded_book: Book) -> Iterator[Attacker]:
    """On a fork that every test of this file leaves as it was."""
    with forked(devnet) as chain:
        yield Attacker.of(chain, devnet, recorded_book)


@pytest.fixture
def undone(attacker: Attacker) -> Iterator[Attacker]:
    before = attacker.chain.rpc.call("evm_snapshot")
    yield attacker
    attacker.chain.rpc.call("evm_revert", before)
    attacker.chain.resync()


def unsafe(found: dict[str, Exposure]) -> dict[str, Exposure]:
    return {one.quoted.feed: one for one in found.values() if one.verdict == "unsafe"}


def test_the_planted_prices_are_unsafe_and_every_other_one_is_safe(
    found: dict[str, Exposure], described: dict[str, Any], recorded_book: Book
) -> None:
    planted = described["planted"]
    naive, thin = planted["lp_collateral"]["naive"], planted["thin_pool"]
    bad = planted["bad_allocation"]["bad"]
    (written_down,) = (one for one in planted["hard_coded"] if one["market"] == bad)
    wrong = {one["feed"]: one["market"] for one in (naive, thin, written_down)}
    attacked = unsafe(found)
    assert set(attacked) == set(wrong)
    for feed, market in wrong.items():
        (listing,) = attacked[feed].quoted.listings
        assert listing.facts.market.endswith(market[:LABEL_ID])
        assert attacked[feed].max_profit_usd > 0
    unknown = {
        (one.quoted.feed, recorded_book.symbol(one.quoted.asset)): one.cause
        for one in found.values()
        if one.verdict == "unknown"
    }
    assert unknown == unjudged(described)
    others = [one for one in found.values() if one.verdict != "unknown"]
    others = [one for one in others if one.quoted.feed not in wrong]
    assert len(others) > 15
    for one in others:
        assert one.verdict == "safe"
        assert math.isfinite(one.cost_usd)
        assert one.cost_usd >= 0
        assert math.isfinite(one.max_profit_usd)
        # Nothing can be borrowed with the price of a perpetual.
        assert one.max_profit_usd == 0 if one.cause == "unused" else one.max_profit_usd < 0
    unused = {recorded_book.symbol(one.quoted.asset) for one in others if one.cause == "unused"}
    assert unused == {"sETHPERP", "sBTCPERP", "sLINKPERP"}


def predicted(one: Exposure) -> Attempt:
    assert one.best is not None
    assert one.best.aim == "borrow against it"
    return one.best


def test_the_share_of_a_pool_at_spot_is_attacked_as_predicted(
    undone: Attacker, recorded_book: Book, planted: dict[str, Any], tmp_path: Path
) -> None:
    """One block: the pool is pushed, the share pledged, everything borrowed, the pool restored."""
    feed = planted["lp_collateral"]["naive"]["feed"]
    (one,) = exposures(recorded_book, FREE, of_feed(recorded_book, feed))
    assert one.verdict == "unsafe"
    best = predicted(one)
    said = written(best, feed, tmp_path / "lp.json")
    assert best.flash_profit_usd(0.0) is not None
    gained = undone.realised(said)
    assert said["profit_usd"] > 100_000
    assert gained == pytest.approx(said["profit_usd"], rel=WITHIN)
    assert gained == pytest.approx(said["profit_usd"], rel=1e-9)


@pytest.mark.parametrize("blocks", [2, 3])
def test_the_mean_over_a_thin_pool_is_attacked_as_predicted(
    undone: Attacker, recorded_book: Book, planted: dict[str, Any], tmp_path: Path, blocks: int
) -> None:
    """The blocks before the window closes are pushed, the next one is the attacker's too."""
    assumed = replace(FREE, controlled_blocks=blocks)
    feed = planted["thin_pool"]["feed"]
    (one,) = exposures(recorded_book, assumed, of_feed(recorded_book, feed))
    assert one.verdict == "unsafe"
    best = predicted(one)
    said = written(best, feed, tmp_path / "twap.json")
    assert said["held_seconds"] == 12 * (blocks - 1)
    assert best.flash_profit_usd(0.0) is None
    gained = undone.realised(said)
    assert said["profit_usd"] > 100_000
    assert gained == pytest.approx(said["profit_usd"], rel=WITHIN)
    assert gained == pytest.approx(said["profit_usd"], rel=1e-9)


def of_feed(book: Book, feed: str) -> tuple[Quoted, ...]:
    every = quoted(book, [one for some in listings(book).values() for one in some])
    return tuple(one for one in every if one.feed == feed)


def test_healthy_borrowers_are_liquidated_as_predicted(
    undone: Attacker, recorded_book: Book, planted: dict[str, Any], tmp_path: Path
) -> None:
    """With a whole window of blocks the thin pool is emptied of dollars, and all LINK is seized."""
    assumed = replace(FREE, controlled_blocks=301)
    (one,) = of_feed(recorded_book, planted["thin_pool"]["feed"])
    (listing,) = one.listings
    market = listings(recorded_book)[listing.facts.deployment, listing.facts.market]
    other = next(each for each in market if each is not listing)
    *_, liquidating = earners(recorded_book, listing, [other], assumed)
    down = families(listing.program, recorded_book.sources, undone.prices, assumed)
    attempt = best_attempt(liquidating, next(each for each in down if not each.up), assumed)
    assert attempt is not None
    assert attempt.aim == "liquidate"
    said = written(attempt, one.feed, tmp_path / "liquidation.json") | {"loan": other.asset}
    assert said["held_seconds"] == 3600
    assert said["profit_usd"] > 10_000
    predicted_gain = said["profit_usd"] + attempt.anyway_usd
    assert undone.liquidated(said) == pytest.approx(predicted_gain, rel=WITHIN)


@pytest.mark.parametrize("which", ["lp", "twap"])
def test_the_oracle_says_what_was_predicted_while_the_lie_lasts(
    undone: Attacker,
    found: dict[str, Exposure],
    planted: dict[str, Any],
    tmp_path: Path,
    which: str,
) -> None:
    """So the collateral that was left behind was the least that is enough."""
    feeds = {"lp": planted["lp_collateral"]["naive"]["feed"], "twap": planted["thin_pool"]["feed"]}
    one = unsafe(found)[feeds[which]]
    best = predicted(one)
    said = written(best, one.quoted.feed, tmp_path / "said.json")
    undone.realised(said, stop_before_the_loan=True)
    (answer,) = words(undone.chain.call(one.quoted.feed, "latestAnswer()"))
    before = float(best.listing.oracle(Moved()))
    assert answer / 1e8 == pytest.approx(before * best.oracle_move, rel=1e-6)
    # A thousandth less collateral is refused.
    assert undone.refused({**said, "left": said["left"] * 0.999})
    assert not undone.refused(said)


def test_a_healthy_price_by_a_network_cannot_be_lied_about(
    undone: Attacker, recorded_book: Book, planted: dict[str, Any], tmp_path: Path
) -> None:
    """The deepest pool of the asset is pushed, and the market neither notices nor pays for it."""
    feed = planted["shared_feed"]["feed"]
    label = planted["shared_feed"]["markets"][0]
    (market,) = (
        some
        for (_, name), some in listings(recorded_book).items()
        if name.endswith(label[:LABEL_ID])
    )
    collateral = next(one for one in market if one.backs)
    others = [one for one in market if one is not collateral]
    pool = planted["lp_collateral"]["pair"]
    spot = Spot(pool, collateral.asset, others[0].asset, Fraction(1))
    every = families(spot, recorded_book.sources, undone.prices, FREE)
    lie = next(one for one in every if one.up).of(2.0)
    against = next(iter(earners(recorded_book, collateral, others, ASSUMED)))
    attempt = against(lie)
    assert attempt is not None
    said = written(attempt, feed, tmp_path / "healthy.json")
    assert said["profit_usd"] < -10_000
    assert attempt.oracle_move == 1
    (was,) = words(undone.chain.call(feed, "latestAnswer()"))
    gained = undone.realised(said)
    assert words(undone.chain.call(feed, "latestAnswer()")) == [was]
    assert gained < 0
    assert gained == pytest.approx(said["profit_usd"], rel=WITHIN)


def test_the_command_says_so_and_ends_with_one(cli: CommandLine, demo_database: Path) -> None:
    ran = cli("oracle", "--db", f"sqlite:///{demo_database}", "--format", "json")
    assert ran.code == 1
    said = json.loads(ran.out)
    keys = "feed kind asset dependants age_seconds cost_usd max_profit_usd best_move verdict"
    assert all(set(keys.split()) <= set(one) for one in said["feeds"])
    assert [one["verdict"] for one in said["feeds"]][:3] == ["unsafe"] * 3
    assert said["assumptions"]["controlled_blocks"] == 2
    assert [one["market"].split()[0] for one in said["hidden_losses"]] == ["cvUSDC/USDC"]
    safe = cli("oracle", "WBTC", "--db", f"sqlite:///{demo_database}", "--format", "json")
    assert safe.code == 0
    assert {one["asset"] for one in json.loads(safe.out)["feeds"]} == {"WBTC"}
    wrong = cli("oracle", "WBTT", "--db", f"sqlite:///{demo_database}")
    assert wrong.code == 2
    assert "did you mean WBTC or WETH or vBTC?" in wrong.err
