"""Prices and what depends on them."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from defirisk.core.adapter import Answer
from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.core.heartbeat import Heartbeats
from defirisk.core.quote import Constant, Conversion, Feed, Product, Spot, Twap
from defirisk.core.sources import Link, Sources
from defirisk.metrics.oracle import dependences, prices, sources_of
from tests.books import Token, address, book

TOKENS = [
    Token("WETH", 2000),
    Token("wstETH", 2400, feed="feed-WETH", ratio_feed="ratio"),
    Token("GHO", 1, feed=""),
    Token("ODD", np.nan),
]
UNITS = [
    [("collateral", "WETH", 1.0), ("debt", "GHO", 100.0)],
    [("collateral", "wstETH", 1.0), ("supply", "WETH", 5.0)],
    [("supply", "WETH", 5.0), ("debt", "ODD", 3.0)],
]


def test_every_market_says_where_its_price_comes_from() -> None:
    weth = prices(book(TOKENS, UNITS))[0]

    assert (weth.price_usd, weth.age_seconds, weth.grade) == (2000, 60, "logs")
    assert weth.source == address("feed-WETH")


def test_what_each_feed_prices() -> None:
    found = {dependence.feed: dependence for dependence in dependences(book(TOKENS, UNITS))}

    assert next(iter(found)) == address("feed-WETH")
    shared, ratio = found[address("feed-WETH")], found[address("ratio")]
    assert (shared.assets, shared.accounts, shared.collateral_usd) == ((0, 1), 2, 4400)
    assert (ratio.assets, ratio.accounts, ratio.collateral_usd) == ((1,), 1, 2400)
    assert (found[None].assets, found[None].debt_usd) == ((2,), 100)
    assert (found[address("feed-ODD")].accounts, found[address("feed-ODD")].debt_usd) == (1, 0)


def test_a_feed_without_users_is_listed_with_nothing() -> None:
    assert all(d.accounts == 0 for d in dependences(book(TOKENS, [])))


POOL, VAULT, MEAN = address("pool"), address("vault"), address("mean")


def test_pools_and_vaults_that_are_read_are_depended_on() -> None:
    made = book(TOKENS, UNITS)
    feed = Feed(address("feed-WETH"), Fraction(2000))
    spot = Spot(POOL, "a", "b", Fraction(1))
    program = Product((Twap(spot, 60, Fraction(1)), Conversion(VAULT, Fraction(1)), feed))
    first = replace(made, quote_program=(program, *made.quote_program[1:]))

    found = {dependence.feed: dependence for dependence in dependences(first)}

    assert {POOL, VAULT} <= found.keys()
    assert found[POOL].collateral_usd == found[VAULT].collateral_usd > 0
    assert found[POOL].assets == (0,)


def answer(age: int, *made_of: str, kind: str = "chainlink") -> Answer:
    updated = book(TOKENS, UNITS).block.timestamp - age
    return Answer(price=1, decimals=0, updated_at=updated, grade="logs", kind=kind, made_of=made_of)


def fed(**ages: int) -> Book:
    """The first market reads a mean of a pool in a token that has a feed and a vault."""
    made, feeds = book(TOKENS, UNITS), {address(name): answer(age) for name, age in ages.items()}
    mean = answer(max(ages.values()), POOL, VAULT, *feeds, kind="uniswap-twap-v2")
    claim = Claim(token=VAULT, kind="vault", program=Constant(Fraction(1)))
    sources = Sources(answers={MEAN: mean, **feeds}, claims={VAULT: claim})
    first = replace(made.markets[0], price_source=MEAN)
    return replace(made, markets=(first, *made.markets[1:]), sources=sources)


def test_the_chain_of_contracts_behind_a_price() -> None:
    made = fed(one=5)
    assert sources_of(made, made.markets[0]) == Link(
        address=MEAN,
        kind="uniswap-twap-v2",
        made_of=(
            Link(address=POOL, kind="contract"),
            Link(address=VAULT, kind="vault"),
            Link(address=address("one"), kind="chainlink"),
        ),
    )
    # An oracle that is no feed itself says what it asks; a feed that asks itself ends the chain.
    oracle = replace(made.markets[0], price_source=POOL, price_made_of=(VAULT, MEAN))
    found = [link.address for link in sources_of(made, oracle).all()]
    assert found == [POOL, VAULT, MEAN, VAULT, address("one")]
    made.sources.answers[address("one")] = answer(5, MEAN)
    assert len(list(sources_of(made, made.markets[0]).all())) == 4


@pytest.mark.parametrize(
    ("heartbeats", "stale"),
    [
        (Heartbeats(), ("slow",)),
        (Heartbeats(by_feed={address("slow"): 200_000}), ()),
        (Heartbeats(default_seconds=3_600), ("quick", "slow")),
        (Heartbeats(default_seconds=3_600, by_feed={address("slow"): 10**6}), ("quick",)),
    ],
)
def test_a_feed_that_is_silent_beyond_its_heartbeat_is_flagged(
    heartbeats: Heartbeats, stale: tuple[str, ...]
) -> None:
    """Not what is made of it: that is as old as it."""
    first, *others = prices(replace(fed(quick=7_200, slow=100_000), heartbeats=heartbeats))

    assert first.stale == tuple(map(address, stale))
    assert all(price.stale == () for price in others)
