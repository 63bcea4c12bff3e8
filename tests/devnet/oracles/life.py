"""Those who keep the sources going, and what becomes of a feed and of a cap along the way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..abi import view_data, words
from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Plan, Purse
from .market import CAPPED, PUBLISHER, REPLACED, TWAP_V2, YEARLY_GROWTH, Oracles

UPDATED, REPORTED, PUBLISHED = 0.5, 0.5, 0.3  # how often in a step, if nothing forces it
DEVIATION = 0.01
REPLACE_DATE, SNAPSHOT_DATE = 0.45, 0.55
CAP_PARAMETERS = "setCapParameters(uint104,uint48,uint16)"
READING = ("latestAnswer()", "latestRoundData()", "decimals()")
GETTERS = {
    "twap-v2": (
        *("priceCumulativeLast()", "timestampLast()", "average()", "cumulative()"),
        *("PAIR()", "BASE()", "QUOTE()", "QUOTE_FEED()", "PERIOD()"),
    ),
    "twap-v3": ("meanTick()", "POOL()", "WINDOW()", "BASE()", "QUOTE()", "QUOTE_FEED()"),
    "capped-ratio": (
        *("getRatio()", "getMaxRatio()", "isCapped()", "getSnapshotRatio()"),
        *("getSnapshotTimestamp()", "getMaxRatioGrowthPerSecond()", "RATIO_PROVIDER()"),
        *("getMaxYearlyGrowthRatePercent()", "BASE_TO_USD_AGGREGATOR()", "RATIO_DECIMALS()"),
    ),
    "lp-naive": ("PAIR()", "FEED_0()", "FEED_1()", "DECIMALS_0()", "DECIMALS_1()"),
    "lp-fair": ("PAIR()", "FEED_0()", "FEED_1()", "DECIMALS_0()", "DECIMALS_1()"),
    "hard-coded": ("PRICE()",),
    "pyth": ("pyth()", "priceId()"),
    "chainlink": ("aggregator()", "phaseId()"),
}


@dataclass(frozen=True)
class OracleCustoms:
    """Nobody lives here: every step has its updates, and that is all."""

    chain: Chain
    oracles: Oracles
    purse: Purse
    rng: random.Random
    steps: int
    published: dict[str, float] = field(default_factory=dict)

    def reforms(self, step: int) -> Sequence[Tx]:
        """Updates that are due; each is one that anybody could send."""
        return list(self._due(step))

    def _due(self, step: int) -> Iterator[Tx]:
        sources, prices = self.oracles.sources, self.purse.prices
        if self.rng.random() < UPDATED and TWAP_V2 in sources:
            yield Tx(PUBLISHER, sources[TWAP_V2].address, "update()")
        replaced = step == int(REPLACE_DATE * self.steps)
        # A feed that was silent at the end would hang on no asset: its price is an old one.
        last = step == self.steps - 1
        if replaced or self.rng.random() < REPORTED or last:
            price = prices[REPLACED] * self.rng.gauss(1.0, 0.001)
            renewed = self.oracles.renewed
            yield from (renewed.replace if replaced else renewed.report)(REPLACED, price)
        if step == int(SNAPSHOT_DATE * self.steps):
            capped = sources[CAPPED].address
            ratio = words(self.chain.call(capped, "getRatio()"))[0]
            yield Tx(ADMIN, capped, CAP_PARAMETERS, (ratio, self.chain.time, YEARLY_GROWTH))
        # Last: its time is that of the very next block, and a replacement above takes some.
        price = prices["WBTC"]
        moved = abs(price / self.published.get("WBTC", price) - 1) > DEVIATION
        if moved or step == 0 or self.rng.random() < PUBLISHED:
            self.published["WBTC"] = price
            yield self.oracles.publish(self.chain, price * self.rng.gauss(1.0, 0.0005))

    def liquidate(self, accounts: list[str]) -> None:
        """Nobody owes anything here."""

    def join(self, account: Account) -> Plan:
        """Nobody joins."""
        return []

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Nobody is there."""
        return []

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """Nobody sends anything."""
        return txs

    def questions(self) -> Sequence[Call]:
        """What each source answers, and what it is made of."""
        return [
            (source.address, view_data(view))
            for source in self.oracles.sources.values()
            for view in (*READING, *GETTERS[source.kind])
        ]

    def trials(self) -> Sequence[Tx]:
        """None: every source has a view."""
        return ()


def settle_oracles(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Sources have keepers, but no accounts."""
    customs = OracleCustoms(chain, protocols.oracles, purse, rng, pace.steps)
    return Life(chain, pace, rng, [], customs)
