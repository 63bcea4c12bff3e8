"""What no seed brings about on Sovryn Zero: scales of the pool, other parameters, other feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from tests.devnet.abi import ZERO_ADDRESS, view_data, words
from tests.devnet.alone import Alone
from tests.devnet.chain import Tx
from tests.devnet.market import KEEPERS
from tests.devnet.protocol import ADMIN
from tests.devnet.zero.actions import ANY_FEE
from tests.devnet.zero.book import WAD, read_positions, read_system
from tests.devnet.zero.market import Zero

SURPLUS_OF_DEPOSIT = 10**11
"""A pool with one part in so many beyond a debt that it absorbs falls below the next scale."""
RICH, ORDINARY = "0x" + "71" * 20, tuple("0x" + f"{0x81 + n:02x}" * 20 for n in range(4))


class Oddities:
    """Things that happen one after another on a fresh chain."""

    def __init__(self, chain: Alone) -> None:
        self.chain = chain.chain
        self.market = chain.market
        self.zero = cast(Zero, chain.deployed)

    def steps(self) -> list[Callable[[], None]]:
        """In their order."""
        return [
            self.as_it_is,
            self.a_scale_begins,
            self.another_scale_begins,
            self.a_deposit_spans_two_scales_and_adds,
            self.everybody_leaves_the_pool,
            self.the_owner_changes_parameters,
            self.the_main_feed_is_broken,
            self.a_feed_that_nobody_knows,
        ]

    def as_it_is(self) -> None:
        """The population's chain, with a rich account that keeps the system out of recovery."""
        self.chain.fund((RICH, *ORDINARY))
        self._report(2_000.0)
        self._open(RICH, 3_000_000, 4.0)
        for account in ORDINARY:
            self._open(account, 20_000, 1.2)

    def a_scale_begins(self) -> None:
        """A debt is absorbed by a pool that holds hardly more."""
        self._empty_but_for(ORDINARY[0])
        self._report(1_750.0)
        self._liquidate(ORDINARY[0])
        assert self._pool("currentScale()") == 1

    def another_scale_begins(self) -> None:
        """Deposits of two scales ago are worth nothing, those of one ago next to nothing."""
        self._empty_but_for(ORDINARY[1])
        self._liquidate(ORDINARY[1])
        assert self._pool("currentScale()") == 2

    def a_deposit_spans_two_scales_and_adds(self) -> None:
        """It is settled, and begins anew."""
        self._provide(RICH, 1_000 * WAD)
        self._liquidate(ORDINARY[2])

    def everybody_leaves_the_pool(self) -> None:
        """Deposits of nothing, and a debt that is redistributed."""
        self._liquidate(ORDINARY[3])
        for one in read_positions(self.zero, [RICH]):
            if one.deposit:
                self._must(RICH, "pool", "withdrawFromSP(uint256)", 2**255)

    def the_owner_changes_parameters(self) -> None:
        """Without a log."""
        for setter, value in (
            ("setMCR", WAD * 13 // 10),
            ("setCCR", WAD * 17 // 10),
            ("setPercentDivisor", 100),
            ("setBorrowingFeeFloor", WAD // 100),
            ("setRedemptionFeeFloor", WAD // 50),
            ("setMaxBorrowingFee", WAD // 10),
        ):
            self._must(ADMIN, "params", f"{setter}(uint256)", value)

    def the_main_feed_is_broken(self) -> None:
        """Its proxy reads an aggregator that never answered: the backup has another price."""
        feeds = self.market.feeds
        backup = self.chain.deploy("ZeroPriceFeed", ADMIN, feeds.by_symbol["LINK"].proxy)
        self._must(ADMIN, "price_feed", "setAddress(uint8,address)", 1, backup)
        bounds = (3_600, ZERO_ADDRESS, 1, 10**18, 8, "silent")
        silent = self.chain.deploy("FluxAggregator", ADMIN, feeds.link, 1, *bounds)
        proxy = feeds.by_symbol["WETH"].proxy
        for setter in ("proposeAggregator(address)", "confirmAggregator(address)"):
            self.chain.must(Tx(ADMIN, proxy, setter, (silent,)))
        assert read_system(self.zero).price < 100 * WAD, "the price of LINK"

    def a_feed_that_nobody_knows(self) -> None:
        """It has no aggregator, so that its price can only be read."""
        feed = self.chain.deploy("zero:RskOracle", ADMIN, self._pricing())
        self._must(ADMIN, "price_feed", "setAddress(uint8,address)", 0, feed)

    def _pricing(self) -> str:
        """Answers 1,234 and something to whatever it is asked."""
        at = "0x" + "91" * 20
        code = f"0x7f{1_234 * WAD + 567:064x}60005260406000f3"
        self.chain.rpc.call("anvil_setCode", at, code)
        self.chain.mine([])
        return at

    def _empty_but_for(self, borrower: str) -> None:
        """Make the pool hold a little more than what the borrower owes."""
        owed = read_positions(self.zero, [borrower])[0].debt
        wanted = owed + owed // SURPLUS_OF_DEPOSIT
        deposits = read_system(self.zero).deposits
        assert deposits < wanted, "the population has put more into the pool than the story needs"
        self._provide(RICH, wanted - deposits)

    def _open(self, account: str, debt: int, ratio: float) -> None:
        price = read_system(self.zero).price
        coll = int(ratio * 1.006 * (debt + 20)) * WAD * WAD // price
        signature = "openTrove(uint256,uint256,address,address)"
        args = (ANY_FEE, debt * WAD, account, account)
        self.chain.must(Tx(account, self.zero["borrower_operations"], signature, args, value=coll))

    def _provide(self, account: str, amount: int) -> None:
        self._must(account, "pool", "provideToSP(uint256,address)", amount, ZERO_ADDRESS)

    def _liquidate(self, borrower: str) -> None:
        self._must(KEEPERS[0], "trove_manager", "liquidate(address)", borrower)

    def _must(self, sender: str, role: str, signature: str, *args: object) -> None:
        self.chain.must(Tx(sender, self.zero[role], signature, args))

    def _report(self, price: float) -> None:
        self.chain.must(*self.market.feeds.report("WETH", price))

    def _pool(self, view: str) -> int:
        return words(self.chain.calls([(self.zero["pool"], view_data(view))])[0] or "0x")[0]
