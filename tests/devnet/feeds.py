"""Chainlink price feeds: a FluxAggregator with three oracles behind an EACAggregatorProxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .abi import ZERO_ADDRESS, derived_address, words
from .chain import Chain, Tx

ORACLES = tuple(derived_address(f"devnet oracle {number}") for number in range(3))
DECIMALS = 8
PAYMENT = 10**15
FUNDS = 10**21
ROUND_TIMEOUT = 3600
MIN_SUBMISSIONS = 2  # of 3: a third submission answers the same round again
HIGHEST_ANSWER = 10**18


@dataclass
class Feed:
    """One asset's feed, and the round its oracles report next."""

    aggregator: str
    proxy: str
    next_round: int = 1


@dataclass
class Feeds:
    """All feeds of the market by asset symbol."""

    chain: Chain
    admin: str
    link: str
    by_symbol: dict[str, Feed] = field(default_factory=dict)
    followers: list[Feeds] = field(default_factory=list)

    def another(self, prices: Mapping[str, float]) -> Feeds:
        """Other feeds of the same assets, which from now on report whatever these do."""
        other = Feeds(self.chain, self.admin, self.link)
        for symbol, price in prices.items():
            other.add(symbol)
            self.chain.must(*other.report(symbol, price))
        self.followers.append(other)
        return other

    def add(self, symbol: str) -> Feed:
        """Deploy, fund and connect the feed of `symbol`."""
        aggregator = self._aggregator(symbol)
        proxy = self.chain.deploy("EACAggregatorProxy", self.admin, aggregator, ZERO_ADDRESS)
        self.by_symbol[symbol] = Feed(aggregator, proxy)
        return self.by_symbol[symbol]

    def replace(self, symbol: str, price: float) -> list[Tx]:
        """Transactions after which the proxy reads a new aggregator that has answered `price`.

        Confirming it emits nothing: of the change there are only the new aggregator's own logs.
        """
        feed = self.by_symbol[symbol]
        feed.aggregator, feed.next_round = self._aggregator(symbol), 1
        setters = ("proposeAggregator(address)", "confirmAggregator(address)")
        return [
            *self.report(symbol, price),
            *(Tx(self.admin, feed.proxy, setter, (feed.aggregator,)) for setter in setters),
        ]

    def _aggregator(self, symbol: str) -> str:
        """A funded aggregator that has not answered yet."""
        chain, admin = self.chain, self.admin
        bounds = (ZERO_ADDRESS, 1, HIGHEST_ANSWER, DECIMALS, f"{symbol} / USD")
        aggregator = chain.deploy(
            "FluxAggregator", admin, self.link, PAYMENT, ROUND_TIMEOUT, *bounds
        )
        oracles = "changeOracles(address[],address[],address[],uint32,uint32,uint32)"
        chain.must(
            Tx(admin, self.link, "transfer(address,uint256)", (aggregator, FUNDS)),
            Tx(admin, aggregator, "updateAvailableFunds()"),
            Tx(admin, aggregator, oracles, ([], ORACLES, ORACLES, MIN_SUBMISSIONS, 3, 0)),
        )
        return aggregator

    def attach(self, symbol: str, aggregator: str, proxy: str) -> None:
        """Take over a feed that has already reported."""
        latest = words(self.chain.call(aggregator, "latestRound()"))[0]
        self.by_symbol[symbol] = Feed(aggregator, proxy, latest + 1)

    def report(
        self, symbol: str, price: float, spread: float = 0.0, third: bool = False
    ) -> list[Tx]:
        """Transactions of a new round: two oracles around `price`, and sometimes the last one."""
        feed = self.by_symbol[symbol]
        seen = [price * (1 - spread), price * (1 + spread), price * (1 + spread / 2)]
        answers = [round(value * 10**DECIMALS) for value in seen[: 3 if third else 2]]
        number = feed.next_round
        feed.next_round += 1
        followed = [one for one in self.followers if symbol in one.by_symbol]
        return [
            *(
                Tx(oracle, feed.aggregator, "submit(uint256,int256)", (number, answer))
                for oracle, answer in zip(ORACLES, answers, strict=False)
            ),
            *(tx for one in followed for tx in one.report(symbol, price, spread, third)),
        ]
