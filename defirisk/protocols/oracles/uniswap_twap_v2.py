"""A mean price over a window that somebody closes, of a Uniswap v2 pair.

Source: tests/devnet/contracts/TwapV2Feed.sol, our own, which follows ExampleOracleSimple of npm
@uniswap/v2-periphery 1.1.0-beta.0. `update` writes the mean without an event: it is only known
where a run ends. What it would become is in the pair's accumulators, which are in its logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Answer, Contract, Interface, Question, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Cut, Product, Twap, anchored
from defirisk.core.row import Row, Wide
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters, spot


@dataclass(frozen=True, slots=True, kw_only=True)
class TwapV2Feed(Row, table="uniswap_twap_v2_feeds", key=("feed",)):
    """`average_raw` is in base units of the quote token per base unit, times 2**112; it and what
    stands under it were read where a run ended, and are 0 before the first one.
    """

    feed: str
    pair: str = ZERO_ADDRESS
    base: str = ZERO_ADDRESS
    quote: str = ZERO_ADDRESS
    quote_feed: str = ZERO_ADDRESS
    period_seconds: Wide = 0
    decimals: int = 0
    average_raw: Wide = 0
    price_cumulative_raw: Wide = 0
    timestamp_last_ts: int = 0
    read_block: int = 0


class UniswapTwapV2(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "uniswap-twap-v2"
    source = (
        "tests/devnet/contracts/TwapV2Feed.sol of this project, after ExampleOracleSimple of npm "
        "@uniswap/v2-periphery 1.1.0-beta.0"
    )
    rows: tuple[type[Row], ...] = (TwapV2Feed,)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="UniswapTwap.V2Feed"),
        FEED: Interface(abi="UniswapTwap.V2Feed"),
    }
    row = TwapV2Feed
    known_by = "PERIOD"
    constants: Mapping[str, str] = {
        "PAIR": "pair",
        "BASE": "base",
        "QUOTE": "quote",
        "QUOTE_FEED": "quote_feed",
        "PERIOD": "period_seconds",
        "decimals": "decimals",
    }
    moving: Mapping[str, str] = {
        "average": "average_raw",
        "priceCumulativeLast": "price_cumulative_raw",
        "timestampLast": "timestamp_last_ts",
    }
    feeds = ("QUOTE_FEED",)
    pools = ("PAIR",)
    tokens = ("BASE", "QUOTE")

    def questions(self, snapshot: Snapshot) -> Iterator[Question]:
        """Besides the answers: what the pair has accumulated, from which the next mean is made."""
        yield from super().questions(snapshot)
        now_ts = snapshot.block.timestamp
        for row in snapshot.rows.all(TwapV2Feed):
            venue = snapshot.venues.get(row.pair)
            if venue is not None and venue.history is not None and row.base in venue.tokens:
                sums = venue.history.accumulated(now_ts)
                contract = Contract(address=row.feed, role=FEED, first_block=0)
                yield Question(
                    subject=row.feed,
                    view=View(contract, "cumulative"),
                    fields=("sum", "timestamp"),
                    ours=(sums[venue.place(row.base)], now_ts % 2**32),
                    grade="compared" if venue.grade == "logs" else "read",
                )

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """The last mean that was read, in dollars, as the contract rounds it."""
        found = {}
        for row in snapshot.rows.all(TwapV2Feed):
            answer = self._answer(row, snapshot)
            if answer is not None:
                found[answer[0]] = answer[1]
        return found

    def _answer(self, row: TwapV2Feed, snapshot: Snapshot) -> tuple[Address, Answer] | None:
        dollars, venue = snapshot.answers.get(row.quote_feed), snapshot.venues.get(row.pair)
        tokens = [snapshot.tokens.get(token) for token in (row.base, row.quote)]
        if dollars is None or dollars.price < 0 or venue is None or row.average_raw == 0:
            return None
        now, (base, quote) = spot(venue, row.base, row.quote), tokens
        if now is None or base is None or quote is None:
            return None
        worth = worth_of(row.average_raw, base.decimals)
        price = worth * dollars.price // 10**quote.decimals
        mean = Twap(now, row.period_seconds, Fraction(worth, 10**quote.decimals))
        program = Cut(Product((mean, dollars.of(row.quote_feed))), dollars.decimals)
        return row.feed, Answer(
            price=price,
            decimals=row.decimals,
            updated_at=min(row.timestamp_last_ts, dollars.updated_at),
            grade="read",
            program=anchored(program, Fraction(price, 10**row.decimals)),
            kind=self.name,
            made_of=(row.pair, row.quote_feed),
            exact=row.read_block == snapshot.block.number and dollars.exact,
        )


def worth_of(average_raw: int, decimals: int) -> int:
    """A whole token at a mean of UQ112x112, in base units of the other, rounded down."""
    worth: int = average_raw * 10**decimals >> 112
    return worth


ADAPTER = UniswapTwapV2()
