"""Perp Curie: what rarely happens, step by step, each verified against the contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from defirisk.core.quote import Constant
from defirisk.protocols.perps.perp_curie import ADAPTER
from defirisk.protocols.perps.perp_curie.perp_now import perp_now
from tests.devnet.abi import derived_address, view_data
from tests.devnet.alone import Alone, Story, fresh_alone
from tests.devnet.chain import Tx
from tests.devnet.curie_perp.desk import Desk
from tests.devnet.curie_perp.market import FEED_TIMEOUT, Base, Curie, ints, updates
from tests.devnet.market import KEEPERS
from tests.devnet.protocol import ADMIN
from tests.devnet.purse import Purse
from tests.onchain.perp_curie_chain import FOLDER, Indexed

pytestmark = pytest.mark.onchain
DAY = 86_400
TRADER, HOLDER, MAKER = (derived_address(f"odd {name}") for name in ("trader", "holder", "maker"))
WIDE = (-6_000, 6_000)
SPACING = 60


@dataclass(frozen=True)
class Oddities:
    """Each step is a few transactions; the order matters."""

    alone: Alone
    curie: Curie
    desk: Desk

    def steps(self) -> list[Callable[[], None]]:
        """In this order."""
        return [
            self.three_come,
            self.funding_is_settled_without_a_trade,
            self.all_is_withdrawn,
            self.collateral_is_sold,
            self.the_fund_is_repaid,
            self.the_index_is_read_elsewhere,
            self.the_aggregator_is_silent,
            self.a_market_is_paused,
            self.a_day_passes,
            self.the_market_is_closed,
            self.who_had_a_position_quits,
        ]

    def three_come(self) -> None:
        """A trader, one with WETH, and a maker with orders in both markets."""
        chain, desk = self.alone.chain, self.desk
        chain.fund([TRADER, HOLDER, MAKER])
        chain.must(
            *desk.deposit(TRADER, 9_000.0),
            *desk.deposit(HOLDER, 3.0),
            *desk.deposit(HOLDER, 8_000.0, "WETH"),
            *desk.deposit(MAKER, 50_000.0),
        )
        chain.must(
            desk.trade(TRADER, "vETH", 30_000.0, long=True),
            desk.trade(TRADER, "vBTC", 20_000.0, long=False),
            desk.trade(HOLDER, "vBTC", 12_000.0, long=True),
            *(self._order(symbol) for symbol in self.curie.bases),
        )

    def _order(self, symbol: str) -> Tx:
        (slot,) = ints(self.alone.chain.calls([(self._base(symbol).pool, view_data("slot0()"))]))
        middle = slot[1] // SPACING * SPACING
        ticks = (middle + WIDE[0], middle + WIDE[1])
        return self.desk.provide(MAKER, symbol, ticks, 10**30, 40_000 * 10**18)

    def funding_is_settled_without_a_trade(self) -> None:
        """A day later, and for the second time in the next block."""
        self.alone.chain.mine([], DAY)
        for _ in range(2):
            who = (TRADER, MAKER)
            self._must(*(self._house(one, "settleAllFunding(address)", one) for one in who))

    def all_is_withdrawn(self) -> None:
        """As much as is free."""
        vault, usdc = self.curie["vault"], self.curie["settlement_token"]
        self._must(Tx(TRADER, vault, "withdrawAll(address)", (usdc,)))

    def collateral_is_sold(self) -> None:
        """Any debt is too much now: WETH is sold for it, to pay the fund's share as well."""
        manager, vault = self.curie["collateral_manager"], self.curie["vault"]
        token, keeper = self.desk.purse.token("WETH"), KEEPERS[0]
        order = (HOLDER, token, 10**14, False)
        self._must(
            Tx(ADMIN, manager, "setDebtThreshold(uint256)", (1,)),
            Tx(ADMIN, manager, "setDiscountRatio(address,uint24)", (token, 50_000)),
            *self.desk.purse.fund(keeper, "USDC", 10**10, vault),
            Tx(keeper, vault, "liquidateCollateral(address,address,uint256,bool)", order),
        )

    def the_fund_is_repaid(self) -> None:
        """Its own tokens go to the vault."""
        self._must(Tx(ADMIN, self.curie["insurance_fund"], "deposit()"))

    def the_index_is_read_elsewhere(self) -> None:
        """A new price feed and a new dispatcher, which remembers nothing."""
        chain, base = self.alone.chain, self._base("vETH")
        proxy = self.alone.market.feeds.by_symbol["WETH"].proxy
        feed = chain.deploy("perp:ChainlinkPriceFeedV3", ADMIN, proxy, FEED_TIMEOUT, 900)
        dispatcher = chain.deploy("perp:PriceFeedDispatcher", ADMIN, feed)
        token = self.desk.purse.token("WETH")
        manager = self.curie["collateral_manager"]
        self._must(
            Tx(ADMIN, base.token, "setPriceFeed(address)", (dispatcher,)),
            Tx(ADMIN, manager, "setPriceFeed(address,address)", (token, dispatcher)),
            Tx(ADMIN, feed, "update()"),
        )

    def the_aggregator_is_silent(self) -> None:
        """For three days, and then it answers."""
        self.alone.chain.mine([], 3 * DAY)
        feeds, prices = self.alone.market.feeds, self.desk.purse.prices
        self._must(*feeds.report("WBTC", prices["WBTC"] * 1.03))
        self._must(updates(self.curie)[list(self.curie.bases).index("vBTC")])
        self._must(*self.desk.deposit(TRADER, 6_000.0))
        self._must(self.desk.trade(TRADER, "vBTC", 500.0, long=True))

    def a_market_is_paused(self) -> None:
        """Its index stays, and funding ends; trades in the other go on."""
        self._must(Tx(ADMIN, self._base("vBTC").token, "pause()"))
        self._must(self.desk.trade(TRADER, "vETH", 500.0, long=False))

    def a_day_passes(self) -> None:
        """Funding of the paused market is settled until its pause."""
        self.alone.chain.mine([], DAY)
        self._must(self._house(TRADER, "settleAllFunding(address)", TRADER))

    def the_market_is_closed(self) -> None:
        """At a price of its owner's."""
        price = int(self.desk.purse.prices["WBTC"] * 0.97) * 10**18
        self._must(Tx(ADMIN, self._base("vBTC").token, "close(uint256)", (price,)))

    def who_had_a_position_quits(self) -> None:
        """Traders and makers are paid out at that price."""
        token = self._base("vBTC").token
        quitting = "quitMarket(address,address)"
        who = (TRADER, HOLDER, MAKER)
        self._must(*(self._house(KEEPERS[1], quitting, one, token) for one in who))

    def _base(self, symbol: str) -> Base:
        return self.curie.bases[symbol]

    def _house(self, sender: str, signature: str, *args: object) -> Tx:
        return Tx(sender, self.curie["clearing_house"], signature, args)

    def _must(self, *txs: Tx) -> None:
        self.alone.chain.must(*txs)


@pytest.fixture
def odd() -> Iterator[Oddities]:
    with fresh_alone(FOLDER, 3, Story(accounts=12, steps=12, actions=3)) as alone:
        curie = alone.deployed
        assert isinstance(curie, Curie)
        prices = {"USDC": 1.0}
        for base in curie.bases.values():
            call = (base.token, view_data("getIndexPrice(uint256)", 0))
            prices[base.asset] = ints(alone.chain.calls([call]))[0][0] / 10**18
        desk = Desk(curie, Purse(alone.market.tokens, prices), {})
        yield Oddities(alone, curie, desk)


def test_what_rarely_happens_is_folded_as_well(odd: Oddities, tmp_path: Path) -> None:
    """Step by step, and then all of it at once into a second store."""
    steps = tmp_path / "steps"
    steps.mkdir()
    known = Indexed.of(odd.alone, steps)
    assert known.verdict().mismatches == ()
    for step in odd.steps():
        step()
        known.advance()
        assert known.verdict().mismatches == (), step.__name__
    once = Indexed.of(odd.alone, tmp_path)

    assert once.verdict() == known.verdict()
    found = {finding.code for finding in ADAPTER.findings(known.snapshot())}
    assert {"closed-market", "makers", "collateral-liquidation"} <= found
    assert "orders-missing" not in found
    token = odd.curie.bases["vBTC"].token
    closed = [q for q in ADAPTER.holdings(known.snapshot()).quotes if q.asset == token]
    assert isinstance(closed[0].program, Constant)
    held = perp_now(known.snapshot()).accounts
    assert not any(token in held[who].held for who in (TRADER, HOLDER, MAKER))
    known.store.close()
    once.store.close()
