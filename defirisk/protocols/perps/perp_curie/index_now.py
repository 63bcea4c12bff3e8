"""What dispatchers say: their price feeds, what these remember, and the aggregators behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import Address
from defirisk.protocols.perps.perp_curie.index_price import IndexFeed
from defirisk.protocols.perps.perp_curie.rows import (
    Dispatcher,
    Fallback,
    FeedConstants,
    PriceFeed,
    PriceObservation,
)

DISPATCHED_DECIMALS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What a dispatcher says; `source` is the aggregator behind it, `answer` what that said."""

    source: Address
    answer: Answer
    feed: IndexFeed

    def price(self, interval: int) -> int:
        """`getDispatchedPrice`, 1e18."""
        places = DISPATCHED_DECIMALS - self.feed.decimals
        said = self.feed.price(interval)
        return int(said * 10**places) if places >= 0 else int(said // 10**-places)


class Indexes:
    """Dispatchers with what they read, each joined once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._entries: dict[Address, list[PriceObservation]] = defaultdict(list)
        for entry in snapshot.rows.all(PriceObservation):
            self._entries[entry.price_feed].append(entry)
        self._known: dict[Address, Index | None] = {}

    def of(self, dispatcher: Address) -> Index | None:
        """None where it has turned to another feed, or nothing is known of what it reads."""
        if dispatcher not in self._known:
            self._known[dispatcher] = self._index(dispatcher)
        return self._known[dispatcher]

    def _index(self, dispatcher: Address) -> Index | None:
        rows = self._snapshot.rows
        reads = rows.find(Dispatcher, dispatcher)
        constants = rows.find(FeedConstants, reads.price_feed) if reads else None
        if reads is None or constants is None or rows.find(Fallback, dispatcher):
            return None
        answer = self._snapshot.answers.get(constants.aggregator)
        feed = rows.find(PriceFeed, reads.price_feed) or PriceFeed(price_feed=reads.price_feed)
        said = _latest(feed, answer, constants.decimals, self._snapshot.block.timestamp)
        if answer is None or said is None:
            return None
        return Index(
            source=constants.aggregator,
            answer=answer,
            feed=IndexFeed(
                now=self._snapshot.block.timestamp,
                decimals=constants.decimals,
                latest=said[0],
                updated_at=said[1],
                entries=_in_order(self._entries[reads.price_feed]),
            ),
        )


def _in_order(entries: Sequence[PriceObservation]) -> list[PriceObservation]:
    return sorted(entries, key=lambda entry: entry.timestamp)


def _latest(
    feed: PriceFeed, answer: Answer | None, decimals: int, now: int
) -> tuple[int, int] | None:
    """ChainlinkPriceFeedV3._getLatestOrCachedPrice: the aggregator's answer, unless it is odd."""
    cached = (feed.last_valid_price, feed.last_valid_timestamp)
    if (
        answer is not None
        and answer.updated_at != feed.last_valid_timestamp
        and feed.last_valid_timestamp < answer.updated_at <= now
        and answer.price > 0
        and answer.decimals == decimals
    ):
        return answer.price, answer.updated_at
    return cached if feed.last_valid_timestamp else None
