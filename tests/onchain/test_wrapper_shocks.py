"""Wrapped tokens under shocks: the links between them, and vaults that gain or lose."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from defirisk.core.book import Book
from defirisk.core.claim import converted
from defirisk.core.quote import Conversion, exact, leaves
from defirisk.core.scenario import ExactMoves, market_prices, quote_prices
from defirisk.shocks.grammar import scenario
from tests.devnet.build import fresh
from tests.devnet.chain import Tx
from tests.devnet.morpho.composed import A_WETH, LP
from tests.devnet.protocol import ADMIN, TREASURY
from tests.devnet.vaults.market import ALLOCATOR, CREDIT
from tests.onchain.markets import new_store
from tests.onchain.vault_chain import LENDING, PLAIN, Wrapped

pytestmark = pytest.mark.onchain

SHARES = 10**18  # base units, of any share
CLOSE = 1e-12


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wrapped]:
    """A small chain on which tests go on."""
    with fresh(3, accounts=12, actions=60) as devnet:
        its = Wrapped(devnet, new_store(tmp_path_factory.mktemp("living")), 3)
        its.index()
        yield its
        its.store.close()


def place(book: Book, address: str) -> int:
    return [asset.address for asset in book.assets].index(address.lower())


def moved(book: Book, shock: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """By how much every asset's market price moves."""
    factors = market_prices(book, [scenario("", [shock], book)])[:, 0] / book.asset_price
    return np.asarray(factors)


def test_a_fall_of_weth_reaches_all_that_is_made_of_it(living: Wrapped) -> None:
    """An LP share of WETH and a dollar is worth twice the root of what the two are worth."""
    book, token = living.book(), living.devnet.protocols.parts.token
    after = moved(book, "price:WETH=-20%")
    lp = living.claims()[token(LP).lower()]
    assert [leaf.asset for leaf in leaves(lp.program) if hasattr(leaf, "asset")]

    expected = {"WETH": 0.8, "yWETH": 0.8, A_WETH: 0.8, LP: 0.8**0.5}
    expected |= {"USDC": 1.0, "WBTC": 1.0, CREDIT: 1.0, ALLOCATOR: 1.0}
    for name, factor in expected.items():
        assert after[place(book, token(name))] == pytest.approx(factor, rel=CLOSE), name


def test_a_share_without_a_feed_of_its_own_is_worth_what_the_vault_says(living: Wrapped) -> None:
    """Its market's oracle asks the vault: dollars of the asset, times what a share converts to."""
    book, claim = living.book(), living.claims()[living.vault(ALLOCATOR)]
    assert claim.rate is not None
    share, asset = (book.asset_price[place(book, a)] for a in (claim.token, claim.underlying))
    assert share <= asset * float(claim.rate)
    # The oracle asks about one share, and USDC has six places.
    assert share == pytest.approx(asset * float(claim.rate), rel=1e-6)


@pytest.mark.parametrize("symbol", ["yWETH", CREDIT])
def test_a_slash_is_what_the_vault_says_after_such_a_loss(living: Wrapped, symbol: str) -> None:
    living.index()
    vault, before, book = living.vault(symbol), living.claims()[living.vault(symbol)], living.book()
    assert before.rate is not None
    scene = scenario("", [f"slash:{symbol}=-5%"], book)
    factor = ExactMoves(book, scene).leaf(Conversion(vault, before.rate))

    lost = round(Fraction(living.ask(vault, "totalAssets()") + 1, 20))
    living.devnet.chain.fund((vault,), wei=10**18)
    living.devnet.chain.must(loss(living, symbol, lost))
    said = living.ask(vault, "convertToAssets(uint256)", SHARES)
    living.index()

    scale = Fraction(SHARES) * Fraction(10) ** (decimals(living, symbol))
    assert factor == Fraction(95, 100)
    assert float(before.rate * factor * scale) == pytest.approx(said, rel=CLOSE)
    after = living.claims()[vault]
    assert after.rate is not None
    assert int(after.rate * scale) == said
    assert living.verdict(PLAIN).mismatches == ()
    # Every oracle that asks the vault itself moves likewise, and so does the share at market.
    quotes = [
        quote
        for quote, program in enumerate(book.quote_program)
        if any(isinstance(leaf, Conversion) and leaf.token == vault for leaf in leaves(program))
    ]
    assert bool(quotes) == (symbol == "yWETH")
    fallen = [quote_prices(book, [scene])[q, 0] / book.quote_price[q] for q in quotes]
    # One oracle has a cap, below which the fall begins later.
    assert all(0.95 - CLOSE <= one <= 1 for one in fallen)
    assert sum(one == pytest.approx(0.95, rel=CLOSE) for one in fallen) >= min(2, len(quotes))
    assert moved(book, f"slash:{symbol}=-5%")[place(book, vault)] == pytest.approx(0.95, rel=CLOSE)


def decimals(living: Wrapped, symbol: str) -> int:
    """Of the asset, less those of the share."""
    vault = living.devnet.protocols.vaults.by_symbol[symbol]
    return living.ask(vault.asset, "decimals()") - vault.decimals


def loss(living: Wrapped, symbol: str, lost: int) -> Tx:
    """By the owner where the vault has one; a plain vault loses by sending assets itself."""
    vault = living.devnet.protocols.vaults.by_symbol[symbol]
    if symbol == CREDIT:
        return Tx(ADMIN, vault.address, "lose(uint256,address)", (lost, TREASURY))
    return Tx(vault.address, vault.asset, "transfer(address,uint256)", (TREASURY, lost))


def test_a_gift_raises_the_rate_of_the_next_run(living: Wrapped) -> None:
    living.index()
    vault = living.devnet.protocols.vaults.by_symbol[CREDIT]
    before = living.claims()[vault.address]
    gift = living.ask(vault.address, "totalAssets()") // 3 + 7
    tokens = living.devnet.market.tokens
    give = Tx(ADMIN, vault.asset, "transfer(address,uint256)", (vault.address, gift))
    living.devnet.chain.must(*tokens.grant("USDC", ADMIN, gift), give)
    living.index()

    after = living.claims()[vault.address]
    assert after.total_assets_raw == before.total_assets_raw + gift
    said = living.ask(vault.address, "convertToAssets(uint256)", SHARES)
    assert converted(after, SHARES, vault.decimals, 6) == said
    assert living.verdict(PLAIN).mismatches == ()


def test_a_loss_of_the_credit_vault_stays_with_those_who_hold_its_shares(living: Wrapped) -> None:
    """The oracle of its market is a price that somebody wrote: it stays where it is."""
    book = living.book()
    scene = scenario("", [f"slash:{CREDIT}=-50%"], book)
    quotes = np.flatnonzero(book.quote_asset == place(book, living.vault(CREDIT)))
    assert len(quotes) > 0
    assert (quote_prices(book, [scene])[quotes, 0] == book.quote_price[quotes]).all()


def test_the_allocator_tells_where_it_has_lent(living: Wrapped) -> None:
    """All of it is lent. Interest that no market has booked yet is only in the sum."""
    living.index()
    vault = living.devnet.protocols.vaults.by_symbol[ALLOCATOR]
    claim = living.claims()[vault.address]
    morpho = living.devnet.protocols.morpho.address
    assert [one.market for one in claim.allocations] == vault.markets
    booked = 0
    for one in claim.allocations:
        raw = bytes.fromhex(one.market[2:])
        assert one.cap_raw == living.ask(vault.address, "config(bytes32)", raw)
        shares = living.ask(morpho, "position(bytes32,address)", raw, vault.address)
        assert (one.assets_raw > 0) == (shares > 0)
        booked += one.assets_raw
    assert booked <= claim.total_assets_raw == living.ask(vault.address, "totalAssets()")
    assert booked > 0.97 * claim.total_assets_raw
    assert living.verdict(LENDING).mismatches == ()


def test_every_claim_is_on_the_asset_axis_with_its_price_today(living: Wrapped) -> None:
    book = living.book()
    for asset, price in zip(book.assets, book.asset_price, strict=True):
        if asset.program is not None:
            value = exact(asset.program)
            assert value is not None
            assert float(value) == pytest.approx(price, rel=CLOSE), asset.symbol
