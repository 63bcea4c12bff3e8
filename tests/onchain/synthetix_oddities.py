"""What rarely happens to Perps V2, done on the running chain one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from tests.devnet.abi import derived_address
from tests.devnet.chain import Tx
from tests.devnet.protocol import ADMIN
from tests.devnet.synthetix.desk import Desk
from tests.devnet.synthetix.governance import Governance
from tests.devnet.synthetix.market import deploy_perp
from tests.devnet.synthetix.system import UNIT, name32
from tests.onchain.synthetix_chain import Indexed

NEWCOMER = "SOL"  # published, and no feed of the chain prices it


@dataclass
class Oddities:
    """Steps; after each, `look` asserts what must be said of the deployment now."""

    found: Indexed

    def steps(self) -> Iterator[Callable[[], None]]:
        """In this order."""
        yield self.rates_become_stale
        yield self.rates_are_reported_again
        yield self.a_rate_breaks_the_circuit
        yield self.the_owner_resets_the_breaker
        yield self.a_market_loses_its_feed
        yield self.a_market_gets_another_feed
        yield self.a_synth_is_suspended
        yield self.everything_is_suspended
        yield self.a_market_has_no_parameters
        yield self.a_removed_market_comes_back
        yield self.an_order_ends_with_its_position

    def look(self, step: str) -> None:
        """The findings after a step."""
        said = [finding.text for finding in ADAPTER.findings(self.found.snapshot())]

        def unpriced(key: str) -> bool:
            return any(one.startswith(f"{key} has no usable price") for one in said)

        expected = {
            "rates_become_stale": unpriced("sETHPERP") and unpriced("sBTCPERP"),
            "rates_are_reported_again": not unpriced("sETHPERP"),
            "a_rate_breaks_the_circuit": unpriced("sBTCPERP") and not unpriced("sETHPERP"),
            "the_owner_resets_the_breaker": not unpriced("sBTCPERP"),
            "a_market_loses_its_feed": unpriced("sLINKPERP"),
            "a_market_gets_another_feed": not unpriced("sLINKPERP"),
            "a_synth_is_suspended": unpriced("sBTCPERP"),
            "everything_is_suspended": unpriced("sETHPERP")
            and sum("is suspended (System" in one for one in said) == 3,
            "a_market_has_no_parameters": any("no parameters yet" in one for one in said),
            "a_removed_market_comes_back": not any("was removed" in one for one in said),
        }
        assert expected.get(step, True), said

    def rates_become_stale(self) -> None:
        """Nobody reports for longer than a rate may be old."""
        self.found.alone.chain.mine([], 11 * 86_400)

    def rates_are_reported_again(self) -> None:
        """At the prices of before."""
        for perp in self.found.synthetix.perps.values():
            self._report(perp.symbol, 1.0)

    def a_rate_breaks_the_circuit(self) -> None:
        """Four times the price at which somebody traded last."""
        self._report("WBTC", 4.0)

    def the_owner_resets_the_breaker(self) -> None:
        """By telling it the price."""
        feed = self.found.alone.market.feeds.by_symbol["WBTC"].proxy
        price = self._price("WBTC") * 10**10
        args = ([feed], [price])
        self._must("CircuitBreaker", "resetLastValue(address[],uint256[])", *args)

    def a_market_loses_its_feed(self) -> None:
        """Its rate is then 0."""
        self._must("ExchangeRates", "removeAggregator(bytes32)", name32("LINK"))

    def a_market_gets_another_feed(self) -> None:
        """That of another asset."""
        feed = self.found.alone.market.feeds.by_symbol["AAVE"].proxy
        self._must("ExchangeRates", "addAggregator(bytes32,address)", name32("LINK"), feed)

    def a_synth_is_suspended(self) -> None:
        """Its price is invalid while that lasts."""
        self.found.alone.chain.must(self._governance.suspend("Synth", "sBTC", True))

    def everything_is_suspended(self) -> None:
        """Then no price is valid either."""
        self.found.alone.chain.must(self._governance.suspend_all("System", True))

    def a_market_has_no_parameters(self) -> None:
        """Its skew has no scale: most of its views divide by 0."""
        chain, synthetix = self.found.alone.chain, self.found.synthetix
        chain.must(self._governance.suspend_all("System", False))
        synthetix.perps[NEWCOMER] = deploy_perp(chain, synthetix.system, NEWCOMER, "LINK")
        chain.must(synthetix.add(NEWCOMER)[0])

    def a_removed_market_comes_back(self) -> None:
        """With the positions that were left in it."""
        self.found.alone.chain.must(*self.found.synthetix.add("AAVE"))

    def an_order_ends_with_its_position(self) -> None:
        """A position is flagged while its order waits: no event removes the order."""
        chain, synthetix = self.found.alone.chain, self.found.synthetix
        desk, perp = Desk(synthetix), synthetix.perps["sETH"]
        account = derived_address("devnet newcomer")
        chain.fund([account])
        price = self._price("WETH") / 10**8
        size = int(90_000 / price) * UNIT
        chain.must(
            *desk.deposit(account, perp, 10_000 * UNIT),
            desk.trade(account, perp, size, price),
            desk.order(account, perp, UNIT, price, offchain=True),
        )
        self._report("WETH", 0.8)
        chain.must(desk.flag(ADMIN, perp, account))

    @property
    def _governance(self) -> Governance:
        return Governance(self.found.synthetix, 0)

    def _price(self, symbol: str) -> int:
        chain, feeds = self.found.alone.chain, self.found.alone.market.feeds
        return int(chain.call(feeds.by_symbol[symbol].proxy, "latestAnswer()"), 16)

    def _report(self, symbol: str, factor: float) -> None:
        price = self._price(symbol) / 10**8 * factor
        self.found.alone.chain.must(*self.found.alone.market.feeds.report(symbol, price))

    def _must(self, name: str, signature: str, *args: object) -> None:
        to = self.found.synthetix.system[name]
        self.found.alone.chain.must(Tx(ADMIN, to, signature, args))
