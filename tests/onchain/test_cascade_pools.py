"""The cascade's pools against swaps that are executed, one after the other, on the shared chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from numpy.testing import assert_allclose

from defirisk.contagion.cascade.pools import PoolTable, move_spot, pool_table, sell, spot
from defirisk.contagion.cascade.pools.columns import RANGE, ROOT
from defirisk.contagion.cascade.pools.table import VIRTUAL
from defirisk.core.book import Floats
from defirisk.core.venue import Venue
from defirisk.swaps.stableswap import StableSwap
from defirisk.swaps.tick_math import Q96
from tests.devnet.abi import words
from tests.devnet.build import Devnet
from tests.devnet.chain import Tx
from tests.devnet.purse import Purse
from tests.devnet.uniswap_v2.desk import SWAP as SWAP_V2
from tests.devnet.uniswap_v2.market import DEADLINE, MAKER
from tests.devnet.uniswap_v3.desk import SWAP_IN as SWAP_V3
from tests.onchain.markets import new_store
from tests.onchain.oracle_chain import Oracled

pytestmark = pytest.mark.onchain

SWAPS = 60
EXCHANGE = "exchange(int128,int128,uint256,uint256)"


@dataclass(frozen=True)
class Trader:
    """The chain's pools as the book has them, in floats, and somebody who trades at them."""

    oracled: Oracled
    table: PoolTable
    purse: Purse
    symbols: dict[str, str]

    @property
    def state(self) -> Floats:
        return self.table.state.copy()

    def balance(self, token: str, account: str = MAKER) -> int:
        said = self.oracled.devnet.chain.call(token, "balanceOf(address)", account)
        return int(words(said)[0])

    def swap(self, venue: Venue, i: int, j: int, amount: int, limit: int = 0) -> tuple[int, int]:
        """Sells by transaction, ranges down to a root of the price: sold and received, of the
        trader's own balances.
        """
        spender, order = self._order(venue, i, j, amount, limit)
        funding = self.purse.fund(MAKER, self.symbols[venue.tokens[i]], amount, spender)
        self.oracled.must(*funding)
        before = [self.balance(venue.tokens[place]) for place in (i, j)]
        self.oracled.must(order)
        after = [self.balance(venue.tokens[place]) for place in (i, j)]
        return before[0] - after[0], after[1] - before[1]

    def price(self, venue: Venue, state: Floats) -> float:
        """The price of token 0 that the contract's own state says. `state` is the kernels'."""
        chain = self.oracled.devnet.chain
        if venue.kind == "constant-product":
            first, second, _ = words(chain.call(venue.address, "getReserves()"))
            assert_allclose(state[:2], [float(first), float(second)], rtol=1e-13, atol=2)
            return float(second / first)
        if venue.kind == "concentrated":
            root = words(chain.call(venue.address, "slot0()"))[0] / Q96
            assert_allclose(state[ROOT], root, rtol=1e-12)
            return float(root * root)
        places = range(len(venue.tokens))
        said = [words(chain.call(venue.address, "balances(uint256)", place)) for place in places]
        balances = tuple(answer[0] for answer in said)
        assert_allclose(state, [float(one) for one in balances], rtol=1e-13, atol=2)
        assert isinstance(venue.pool, StableSwap)
        return float(replace(venue.pool, balances=balances).price(0, 1))

    def _order(self, venue: Venue, i: int, j: int, amount: int, limit: int) -> tuple[str, Tx]:
        protocols, path = self.oracled.devnet.protocols, (venue.tokens[i], venue.tokens[j])
        if venue.kind == "constant-product":
            router = protocols.uniswap_v2.router
            return router, Tx(MAKER, router, SWAP_V2, (amount, 0, list(path), MAKER, DEADLINE))
        if venue.kind == "concentrated":
            router = protocols.uniswap_v3.router
            (fee,) = (
                pool.fee
                for pool in protocols.uniswap_v3.pools.values()
                if pool.address.lower() == venue.address
            )
            order = (*path, fee, MAKER, DEADLINE, amount, 0, limit)
            return router, Tx(MAKER, router, SWAP_V3, (order,))
        return venue.address, Tx(MAKER, venue.address, EXCHANGE, (i, j, amount, 0))


@pytest.fixture(scope="module")
def trader(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    store = new_store(tmp_path_factory.mktemp("cascade-pools"))
    oracled = Oracled.of(devnet, store)
    tokens = devnet.market.tokens
    symbols = {address.lower(): symbol for symbol, address in tokens.by_symbol.items()}
    purse = Purse(tokens, dict.fromkeys(tokens.by_symbol, 1.0))
    with oracled.tried():
        yield Trader(oracled, pool_table(oracled.book()), purse, symbols)
    store.close()


def test_the_book_s_pools_are_all_there(trader: Trader) -> None:
    assert [(one.label[:4], why) for one, why in trader.table.left_out] == [
        ("vETH", VIRTUAL),
        ("vBTC", VIRTUAL),
    ]
    kinds = sorted(venue.kind for venue in trader.table.venues)
    assert kinds == ["concentrated"] * 3 + ["constant-product"] * 5 + ["stableswap"]
    assert [one.address for one in trader.table.venues] == sorted(
        one.address for one in trader.table.venues
    )


def test_executed_swaps_give_what_the_kernels_say(trader: Trader) -> None:
    """Both ways, up to most of what a pool holds, without ever looking at it again."""
    dice, state, crossed = Random("cascade"), trader.state, 0
    every = range(len(trader.table.venues))
    ranged = [v for v in every if trader.table.venues[v].kind == "concentrated"]
    with trader.oracled.tried():
        for _ in range(SWAPS):
            v = dice.choice(every if dice.random() < 0.5 else ranged)
            venue = trader.table.venues[v]
            i, j = dice.sample(range(len(venue.tokens)), 2)
            held = trader.balance(venue.tokens[i], venue.address)
            amount = int(held * 10 ** dice.uniform(-4, -0.1)) + 1
            row = state[v, RANGE]
            ours = sell(trader.table.pools, state, v, i, j, float(amount))
            theirs = trader.swap(venue, i, j, amount)
            for mine, real in zip(ours, theirs, strict=True):
                assert abs(int(mine) - real) <= max(2, 1e-12 * real), venue.label
            crossed += venue.kind == "concentrated" and abs(state[v, RANGE] - row) >= 1
        assert crossed >= 5


@pytest.mark.parametrize("factor", [0.6, 0.995, 1.7])
def test_arbitrage_that_is_executed_takes_pools_to_the_price(trader: Trader, factor: float) -> None:
    """What the contracts hold afterwards is at the price, and what the kernels hold."""
    state = trader.state
    with trader.oracled.tried():
        for v, venue in enumerate(trader.table.venues):
            wanted = factor * spot(trader.table.pools, state, v, 0, 1)
            place, amount = move_spot(trader.table.pools, state, v, 0, 1, factor)
            offered, limit = int(amount), 0
            if venue.kind == "concentrated":
                offered, limit = 2 * offered, int(state[v, ROOT] * Q96)
            gave, _ = trader.swap(venue, place, 1 - place, offered, limit)
            assert abs(gave - int(amount)) <= max(2, 1e-12 * amount), venue.label
            assert spot(trader.table.pools, state, v, 0, 1) == pytest.approx(wanted, rel=1e-9)
            price = trader.price(venue, state[v])
            # Amounts are whole base units, of which the smallest pool holds 1e10.
            assert price == pytest.approx(wanted, rel=2e-10), venue.label
