"""Which pool or feed a name means, and what to type where it means none or several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from defirisk.core.errors import UsageError
from defirisk.reports.subject import find_feed, find_venue
from tests import books
from tests.unit.reports import sources
from tests.unit.reports.sources import BOOK, ETH_FEED, PAIR, POOL, venue

ONE = sources.book(venue(PAIR, POOL, label="Uniswap pair"), sources.three_coins())


@pytest.mark.parametrize(
    "name", [PAIR, PAIR.upper(), PAIR[:10], "weth/usdc", "USDC/WETH", "UNISWAP PAIR"]
)
def test_a_pool_by_address_label_or_symbols(name: str) -> None:
    assert find_venue(ONE, name).address == PAIR


def test_names_that_mean_several_pools_say_what_to_type() -> None:
    several = sources.book(venue(PAIR, POOL), sources.depth_table())
    with pytest.raises(UsageError, match=f"is 2 pools: name one of {PAIR} and {BOOK}"):
        find_venue(several, "WETH/USDC")
    # Neither is called so: both trade this pair.
    fees = [venue(books.address(f"p{fee}"), POOL, label=f"USDC/WETH {fee}%") for fee in (1, 3)]
    assert find_venue(sources.book(*fees), "WETH/USDC 3%") is fees[1]
    with pytest.raises(UsageError, match="is 2 pools"):
        find_venue(sources.book(*fees), "WETH/USDC")
    # One that is called so comes first.
    plain = venue(PAIR, POOL, label="USDC/WETH")
    assert find_venue(sources.book(*fees, plain), "weth/usdc") is plain
    many = sources.book(*(venue(books.address(f"p{at}"), POOL) for at in range(30)))
    with pytest.raises(UsageError, match=r"is 30 pools: name one of .* and 22 more$"):
        find_venue(many, "WETH/USDC")


def test_a_whole_name_comes_before_a_label() -> None:
    """A pool of a file may be called like the pair that others trade."""
    named = venue("WETH/USDC", POOL)
    both = sources.book(venue(PAIR, POOL), named)
    assert find_venue(both, "WETH/USDC").address == "WETH/USDC"


def test_names_that_mean_no_pool_say_what_there_is() -> None:
    with pytest.raises(UsageError, match="no pool called 'WETH/USDT' is indexed: did you mean"):
        find_venue(ONE, "WETH/USDT")
    with pytest.raises(UsageError, match="no pool called 'x' is indexed: there is no pool at this"):
        find_venue(sources.book(), "x")
    # The start of an address must be long enough to mean one.
    with pytest.raises(UsageError, match="no pool called '0x7'"):
        find_venue(ONE, "0x7")


def test_a_feed_by_address_or_by_the_asset_that_it_prices() -> None:
    of = sources.book()
    for name in (ETH_FEED, ETH_FEED[:14], "WETH", "weth"):
        assert find_feed(of, name) == ETH_FEED
    with pytest.raises(UsageError, match="no feed called 'WBTC'"):
        find_feed(of, "WBTC")
    empty = replace(of, sources=replace(of.sources, answers={}))
    with pytest.raises(UsageError, match="there is no feed at this block"):
        find_feed(empty, "WETH")


def test_two_feeds_of_one_asset_say_what_to_type() -> None:
    two = sources.book(WETH=sources.feed_of(sources.DOLLAR_FEED, 2000))
    with pytest.raises(UsageError, match="'WETH' is 2 feeds: name one of 0x"):
        find_feed(two, "WETH")
