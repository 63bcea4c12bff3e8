"""Programs follow what moves the oracles: each shock against the same, done by transactions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

import pytest

from defirisk.core.evm import Address
from defirisk.core.plugins import adapters
from defirisk.core.quote import Product, exact
from defirisk.core.scenario import ExactMoves, Moves, Scenario, quote_prices
from defirisk.protocols.lending.morpho_blue.market_now import markets_now
from defirisk.swaps.constant_product import ConstantProduct
from tests.devnet.abi import view_data
from tests.devnet.chain import Tx
from tests.devnet.oracles.market import (
    CAPPED,
    DEEP,
    FAIR,
    NAIVE,
    PEGGED,
    PERIOD,
    PYTH,
    PYTH_PLACES,
    SHARE,
    THIN,
    TWAP_V2,
    TWAP_V3,
    WINDOW,
    WRITTEN,
)
from tests.devnet.purse import Purse
from tests.devnet.uniswap_v2.desk import Desk, read_reserves
from tests.devnet.uniswap_v2.market import MAKER
from tests.devnet.uniswap_v3.desk import Desk as RangeDesk
from tests.onchain.oracle_chain import KINDS, Before, lived

pytestmark = pytest.mark.onchain

RELATIVE = 1e-12


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    with lived(tmp_path_factory.mktemp("shocks")) as oracled:
        yield Before(oracled, oracled.book())


@pytest.mark.parametrize("factor", [Fraction(1, 2), Fraction(9, 10), Fraction(3, 2)])
def test_a_feed_that_reports_another_price(before: Before, factor: Fraction) -> None:
    """Every oracle over the feed says what its program says, and the others stay."""
    chain, feed = before.oracled, before.oracled.source("WETH")
    was = {label: chain.answer(chain.source(label)) for label in KINDS}
    with chain.tried():
        price = float(was["WETH"] * factor / 10**8)
        chain.must(*chain.devnet.market.feeds.report("WETH", price))
        exactly = Fraction(chain.answer(feed), was["WETH"])
        moves = Moves(feeds={feed: exactly})
        assert abs(exactly - factor) < Fraction(1, 10**8)
        for label in KINDS:
            answer, ours = before.moved(label, moves)
            theirs = chain.answer(chain.source(label))
            assert abs(ours - theirs) <= 1 + answer.price * Fraction(1, 10**14), label
        assert chain.answer(chain.source("WETH")) == before.moved("WETH", moves)[1]
        assert chain.answer(chain.source(PYTH)) == was[PYTH]
        assert chain.answer(chain.source(PEGGED)) == was[PEGGED]


def test_a_price_that_is_published_to_pyth(before: Before) -> None:
    chain, feed = before.oracled, before.oracled.source(PYTH)
    was = chain.answer(feed)
    with chain.tried():
        oracles = chain.devnet.protocols.oracles
        chain.must(oracles.publish(chain.devnet.chain, 0.8 * was / 10**PYTH_PLACES))
        theirs = chain.answer(feed)
        moves = Moves(feeds={feed: Fraction(theirs, was)})
        assert theirs < was
        assert before.moved(PYTH, moves)[1] == theirs


def swapped(before: Before, label: str, symbol: str, part: Fraction) -> Fraction:
    """Sells a part of a pair's own reserve into it; returns by how much what was sold fell."""
    chain = before.oracled.devnet
    pool = chain.protocols.uniswap_v2.pools[label]
    ((first, second),) = read_reserves(chain.chain, [pool])
    place = pool.symbols.index(symbol)
    amount = int((first, second)[place] * part)
    desk = Desk(chain.protocols.uniswap_v2, Purse(chain.market.tokens, {}))
    path = [symbol, pool.symbols[1 - place]]
    funded = desk.purse.fund(MAKER, symbol, amount, chain.protocols.uniswap_v2.router)
    before.oracled.must(*funded, desk.sell(MAKER, path, amount))
    ((third, fourth),) = read_reserves(chain.chain, [pool])
    was, now = Fraction(second, first), Fraction(fourth, third)
    return now / was if place == 0 else was / now


@pytest.mark.parametrize("part", [Fraction(1, 100), Fraction(1), Fraction(4)])
def test_a_mean_after_its_window_has_passed_with_the_pool_elsewhere(
    before: Before, part: Fraction
) -> None:
    """`update` closes the window in which the sale was, and then one after it."""
    chain, feed = before.oracled, before.oracled.source(TWAP_V2)
    with chain.tried():
        fall = swapped(before, THIN, "LINK", part)
        update = Tx(MAKER, feed, "update()")
        chain.devnet.chain.mine([], PERIOD)
        chain.must(update)
        between = chain.answer(feed)
        chain.devnet.chain.mine([], PERIOD)
        chain.must(update)
        answer, ours = before.moved(TWAP_V2, Moves(market={before.place("LINK"): fall}))
        theirs = chain.answer(feed)
        # A base unit of USDC, to which the mean is cut, is 100 of the answer's.
        assert abs(ours - theirs) <= 2 * 101
        assert min(answer.price, theirs) - 101 <= between <= max(answer.price, theirs) + 101


@pytest.mark.parametrize("dollars", [400_000, 4_000_000])
def test_a_mean_tick_after_its_window_has_passed(before: Before, dollars: int) -> None:
    """The answer knows whole ticks only, of a part in ten thousand each."""
    chain, devnet = before.oracled, before.oracled.devnet
    pool = devnet.protocols.uniswap_v3.pools[DEEP]
    venue = chain.sources().venues[pool.address.lower()]
    zero = pool.symbols[0] == "WETH"
    place = 0 if zero else 1
    was = venue.pool.price(place, 1 - place)
    with chain.tried():
        prices = {"WETH": chain.answer(chain.source("WETH")) / 1e8, "USDC": 1.0}
        desk = RangeDesk(devnet.protocols.uniswap_v3, Purse(devnet.market.tokens, prices))
        amount = desk.purse.units("WETH", dollars)
        funded = desk.purse.fund(MAKER, "WETH", amount, devnet.protocols.uniswap_v3.router)
        chain.must(*funded, desk.sell(MAKER, pool, zero, amount))
        (root,) = chain.asked([(pool.address, view_data("slot0()"))])
        assert root is not None
        squared = Fraction(root**2, 2**192)
        fall = (squared if zero else 1 / squared) / was
        devnet.chain.mine([], WINDOW + 12)
        _, ours = before.moved(TWAP_V3, Moves(market={before.place("WETH"): fall}))
        theirs = chain.answer(chain.source(TWAP_V3))
        assert fall < Fraction(99, 100)
        tick = Fraction(10_001, 10_000)
        assert theirs / tick - 101 <= ours <= theirs * tick + 101


@pytest.mark.parametrize("part", [Fraction(1, 50), Fraction(3)])
@pytest.mark.parametrize("symbol", ["WETH", "USDC"])
def test_one_swap_moves_the_naive_share_and_not_the_fair_one(
    before: Before, part: Fraction, symbol: str
) -> None:
    """But for what the swap pays to the pool, by the root of which both grow."""
    chain = before.oracled
    pool = chain.devnet.protocols.uniswap_v2.pools[SHARE]
    ((first, second),) = read_reserves(chain.devnet.chain, [pool])
    with chain.tried():
        fall = swapped(before, SHARE, symbol, part)
        ((third, fourth),) = read_reserves(chain.devnet.chain, [pool])
        earned = Fraction(isqrt(third * fourth * 10**40 // (first * second)), 10**20)
        moves = Moves(market={before.place(symbol): fall})
        for label in (NAIVE, FAIR):
            answer, ours = before.moved(label, moves)
            theirs = chain.answer(chain.source(label))
            assert abs(ours * earned - theirs) <= 2 + Fraction(answer.price, 10**15)
        naive, fair = (before.moved(label, moves) for label in (NAIVE, FAIR))
        assert fair[1] == fair[0].price
        assert abs(naive[1] / naive[0].price - 1) > Fraction(1, 10**5)
    assert isinstance(chain.sources().venues[pool.address.lower()].pool, ConstantProduct)


@pytest.mark.parametrize("part", [Fraction(-1, 3), Fraction(1, 1000), Fraction(1, 2)])
def test_a_vault_that_loses_or_is_given_something(before: Before, part: Fraction) -> None:
    """The rate moves by a transfer; what is above the cap does not count."""
    chain, tokens = before.oracled, before.oracled.devnet.market.tokens
    vault, weth = tokens.by_symbol["yWETH"], tokens.by_symbol["WETH"]
    rate = (vault, view_data("convertToAssets(uint256)", 10**18))
    (was,), (held,) = chain.asked([rate]), chain.asked([(vault, view_data("totalAssets()"))])
    assert was is not None
    assert held is not None
    with chain.tried():
        amount = abs(int(held * part))
        who, to = (vault, MAKER) if part < 0 else (MAKER, vault)
        if part > 0:
            chain.must(*tokens.grant("WETH", MAKER, amount))
        chain.must(Tx(who, weth, "transfer(address,uint256)", (to, amount)))
        (now,) = chain.asked([rate])
        assert now is not None
        feed = chain.source(CAPPED)
        capped = chain.asked([(feed, view_data("isCapped()"))])
        moves = Moves(conversions={vault.lower(): Fraction(now, was)})
        _, ours = before.moved(CAPPED, moves)
        assert abs(ours - chain.answer(feed)) <= 2
        assert capped == [int(part > 0)]
        if "erc4626" in adapters():
            assert_morpho_follows(before, vault.lower(), moves)


def assert_morpho_follows(before: Before, vault: Address, moves: Moves) -> None:
    """Oracles that ask a vault for its rate: their programs against their own words."""
    book, chain = before.book, before.oracled
    exactly = ExactMoves(book, Scenario(name="", shocks=(), moves=moves))
    (at,) = [at for _, at in chain.markets() if at.deployment.protocol == "morpho-blue"]
    seen = 0
    for now in markets_now(at):
        share = now.price.base.share
        if share is None or share.token != vault:
            continue
        collateral, loan = (
            exact(Product(side), exactly.leaf) for side in (now.worth.collateral, now.worth.loan)
        )
        assert collateral is not None
        assert loan is not None
        assert now.collateral_decimals is not None
        assert now.loan_decimals is not None
        (theirs,) = chain.asked([(now.price.oracle, view_data("price()"))])
        assert theirs is not None
        ours = (
            collateral / loan * Fraction(10) ** (36 + now.loan_decimals - now.collateral_decimals)
        )
        assert abs(ours / theirs - 1) <= Fraction(1, 10**16)
        seen += 1
    assert seen >= 2


def test_what_is_written_into_a_contract_follows_nothing(before: Before) -> None:
    everything = range(len(before.book.assets))
    feeds = {feed: Fraction(1, 3) for feed in before.oracled.sources().answers}
    moves = Moves(market=dict.fromkeys(everything, Fraction(1, 2)), feeds=feeds)
    for label in (PEGGED, WRITTEN):
        answer, ours = before.moved(label, moves)
        assert ours == answer.price == before.oracled.answer(before.oracled.source(label))


def test_floats_say_what_fractions_say_under_every_kind_of_move(before: Before) -> None:
    """All quotes of all markets, in lanes."""
    book, chain = before.book, before.oracled
    vault = chain.devnet.market.tokens.by_symbol["yWETH"].lower()
    cases = {
        "feed": Moves(feeds={chain.source("WETH"): Fraction(7, 10)}),
        "market": Moves(market={before.place("LINK"): Fraction(1, 3)}),
        "rate": Moves(conversions={vault: Fraction(9, 10)}),
        "beyond": Moves(conversions={vault: Fraction(2)}),
        "quote": Moves(quotes={0: Fraction(5, 4)}),
    }
    scenarios = [Scenario(name=name, shocks=(), moves=moves) for name, moves in cases.items()]
    floats = quote_prices(book, scenarios)
    for s, scenario in enumerate(scenarios):
        exactly = ExactMoves(book, scenario)
        for q, program in enumerate(book.quote_program):
            today = exact(program)
            if today is not None:
                expected = float(today * exactly.quote(q))
                assert floats[q, s] == pytest.approx(expected, rel=RELATIVE), (q, scenario.name)
