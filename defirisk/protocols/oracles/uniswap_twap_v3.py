"""The price at the mean tick of a Uniswap v3 pool over the last seconds, a geometric mean.

Source: tests/devnet/contracts/TwapV3Feed.sol, our own, over `OracleLibrary` of npm
@uniswap/v3-periphery 1.4.4. The mean is made at each block anew, from what the pool remembers: all
of it is in the pool's logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Answer, Contract, Interface, Question, Snapshot, View
from defirisk.core.errors import CheckFailed
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Cut, Product, Twap, anchored
from defirisk.core.row import Row
from defirisk.core.venue import Venue
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters, grade_of, spot
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick

MAX_UINT128, MAX_UINT256 = 2**128 - 1, 2**256 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TwapV3Feed(Row, table="uniswap_twap_v3_feeds", key=("feed",)):
    """A feed over a pool. `window_seconds` is how far it looks back."""

    feed: str
    pool: str = ZERO_ADDRESS
    base: str = ZERO_ADDRESS
    quote: str = ZERO_ADDRESS
    quote_feed: str = ZERO_ADDRESS
    window_seconds: int = 0
    decimals: int = 0


class UniswapTwapV3(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "uniswap-twap-v3"
    source = (
        "tests/devnet/contracts/TwapV3Feed.sol of this project, over OracleLibrary of npm "
        "@uniswap/v3-periphery 1.4.4"
    )
    rows: tuple[type[Row], ...] = (TwapV3Feed,)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="UniswapTwap.V3Feed"),
        FEED: Interface(abi="UniswapTwap.V3Feed"),
    }
    row = TwapV3Feed
    known_by = "WINDOW"
    constants: Mapping[str, str] = {
        "POOL": "pool",
        "BASE": "base",
        "QUOTE": "quote",
        "QUOTE_FEED": "quote_feed",
        "WINDOW": "window_seconds",
        "decimals": "decimals",
    }
    feeds = ("QUOTE_FEED",)
    pools = ("POOL",)
    tokens = ("BASE", "QUOTE")

    def questions(self, snapshot: Snapshot) -> Iterator[Question]:
        """Besides the answers: the mean tick, where an answer may hide what is off by one."""
        yield from super().questions(snapshot)
        for row in snapshot.rows.all(TwapV3Feed):
            venue = snapshot.venues.get(row.pool)
            if venue is not None and venue.history is not None:
                tick = mean_tick(venue, snapshot.block.timestamp, row.window_seconds)
                contract = Contract(address=row.feed, role=FEED, first_block=0)
                yield Question(
                    subject=row.feed,
                    view=View(contract, "meanTick"),
                    fields=("meanTick",),
                    ours=None if tick is None else (tick,),
                    grade="compared" if venue.grade == "logs" else "read",
                )

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """The price at the mean tick, in dollars; none where the pool does not remember so far."""
        found = {}
        for row in snapshot.rows.all(TwapV3Feed):
            answer = self._answer(row, snapshot)
            if answer is not None:
                found[answer[0]] = answer[1]
        return found

    def _answer(self, row: TwapV3Feed, snapshot: Snapshot) -> tuple[Address, Answer] | None:
        dollars, venue = snapshot.answers.get(row.quote_feed), snapshot.venues.get(row.pool)
        tokens = [snapshot.tokens.get(token) for token in (row.base, row.quote)]
        if dollars is None or dollars.price < 0 or venue is None:
            return None
        now, (base, quote) = spot(venue, row.base, row.quote), tokens
        tick = mean_tick(venue, snapshot.block.timestamp, row.window_seconds)
        if now is None or base is None or quote is None or tick is None:
            return None
        first = venue.place(row.base) == 0
        worth = quote_at_tick(tick, 10**base.decimals % 2**128, first)
        if worth * dollars.price > MAX_UINT256:
            return None
        price = worth * dollars.price // 10**quote.decimals
        mean = Twap(now, row.window_seconds, Fraction(worth, 10**quote.decimals))
        program = Cut(Product((mean, dollars.of(row.quote_feed))), dollars.decimals)
        return row.feed, Answer(
            price=price,
            decimals=row.decimals,
            updated_at=dollars.updated_at,
            grade=grade_of(venue.grade, dollars.grade),
            program=anchored(program, Fraction(price, 10**row.decimals)),
            kind=self.name,
            made_of=(row.pool, row.quote_feed),
            exact=dollars.exact,
        )


def mean_tick(venue: Venue, timestamp: int, window_seconds: int) -> int | None:
    """`OracleLibrary.consult`: rounded to minus infinity. None where it reverts, as with a window
    longer than the pool's memory, or where that memory is not known.
    """
    if venue.history is None or window_seconds == 0:
        return None
    try:
        after, _ = venue.history.accumulated(timestamp)
        before, _ = venue.history.accumulated(timestamp - window_seconds)
    except CheckFailed:
        return None
    tick = (after - before) // window_seconds
    return tick if MIN_TICK <= tick <= MAX_TICK else None


def quote_at_tick(tick: int, base_amount: int, first: bool) -> int:
    """`OracleLibrary.getQuoteAtTick`: base units of the other token. `first`: what is sold is the
    pool's token 0.
    """
    root = sqrt_ratio_at_tick(tick)
    if root <= MAX_UINT128:
        ratio, one = root * root, 1 << 192
    else:
        ratio, one = root * root >> 64, 1 << 128
    return ratio * base_amount // one if first else one * base_amount // ratio


ADAPTER = UniswapTwapV3()
