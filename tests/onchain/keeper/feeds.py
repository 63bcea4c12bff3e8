"""Those who report prices: Chainlink's aggregators and Pyth, written as the shared chain's are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from eth_abi.abi import encode

from tests.devnet.abi import address_in
from tests.devnet.build import Devnet
from tests.devnet.chain import Chain, Tx
from tests.devnet.feeds import MIN_SUBMISSIONS, ORACLES
from tests.devnet.oracles.market import PUBLISHER

from .fork import Block, view
from .record import Feed


@dataclass(frozen=True)
class Reporter(ABC):
    """One feed."""

    feed: Feed
    decimals: int

    def answer(self, block: Block) -> int:
        """What it says."""
        return block.asked([view(self.feed.address, "latestAnswer()")])[0].word

    def due(self, answer: int, price: Fraction, deviation: Fraction) -> int | None:
        """The price, in its own decimals, rounded down, where it is off by that much or more."""
        return int(price) if abs(price - answer) >= deviation * answer else None

    @abstractmethod
    def post(self, block: Block, answer: int, time: int) -> list[Tx]:
        """Transactions after which it says that."""


@dataclass(frozen=True)
class Aggregator(Reporter):
    """Chainlink's FluxAggregator behind its proxy: as many oracles as it takes agree."""

    aggregator: str

    def post(self, block: Block, answer: int, time: int) -> list[Tx]:
        """See `Reporter`."""
        (latest,) = block.asked([view(self.aggregator, "latestRound()")])
        submission = (latest.word + 1, answer)
        oracles = ORACLES[:MIN_SUBMISSIONS]
        submit = "submit(uint256,int256)"
        return [Tx(oracle, self.aggregator, submit, submission) for oracle in oracles]


@dataclass(frozen=True)
class Pyth(Reporter):
    """A price of Pyth, with a confidence as the publisher's own updates have."""

    pyth: str
    price_id: str

    def post(self, block: Block, answer: int, time: int) -> list[Tx]:
        """See `Reporter`."""
        said = (answer, answer // 2000, -self.decimals, time)
        one = "(int64,uint64,int32,uint256)"
        parts = [bytes.fromhex(self.price_id[2:]), said, said, time - 1]
        update = encode(["bytes32", one, one, "uint64"], parts)
        return [Tx(PUBLISHER, self.pyth, "updatePriceFeeds(bytes[])", ([update],), value=1)]


def reporters_of(devnet: Devnet, feeds: Sequence[Feed]) -> list[Reporter]:
    """The feeds of a header, in its order."""
    return [_reporter(devnet.chain, feed) for feed in feeds]


def _reporter(chain: Chain, feed: Feed) -> Reporter:
    to = feed.address
    decimals = int(chain.call(to, "decimals()"), 16)
    questions = [view(to, name) for name in ("aggregator()", "pyth()", "priceId()")]
    aggregator, pyth, price_id = chain.calls([(one.to, one.data) for one in questions])
    if aggregator is not None:
        return Aggregator(feed, decimals, address_in(aggregator))
    if pyth is None or price_id is None:
        raise ValueError(f"nobody reports to {to}")
    return Pyth(feed, decimals, address_in(pyth), price_id)
