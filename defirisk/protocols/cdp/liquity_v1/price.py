"""What the price feed of a Liquity v1 answers, and what that follows.

Source: `PriceFeed.fetchPrice` of npm @sovryn-zero/contracts 0.4.0: the first source that answers,
else the last good price. Liquity's own asks one aggregator; how it decides that this is broken or
frozen is not mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Feed, Program, anchored
from defirisk.protocols.cdp.liquity_v1.rows import WAD, Aggregator, PriceFeed, PriceRead

PRICE_PLACES = 18
Grade = Literal["logs", "read", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One aggregator and its answer; `moves` where a shock of the first one moves it."""

    aggregator: Address
    answer: Answer
    moves: bool

    def wad(self, factor: Fraction) -> int:
        """With 18 decimals, rounded before to the feed's own precision as a feed would."""
        price = round(self.answer.price * (factor if self.moves else 1))
        return scaled(price, self.answer.decimals)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNow:
    """The price at a block, 1e18 units of debt for a whole token; `sources` in their order.

    `read_wad` is what `fetchPrice` said where a run ended, used where no source is known.
    """

    price_feed: Address
    sources: tuple[Source, ...]
    last_good_wad: int
    read_wad: int | None

    def wad(self, factor: Fraction = Fraction(1)) -> int | None:
        """`fetchPrice` after the feed moved by `factor`; None where it never had a price."""
        for source in self.sources:
            price = source.wad(factor)
            if price > 0:
                return price
        if not self.sources and self.read_wad is not None:
            return round(self.read_wad * factor)
        return self.last_good_wad or None

    @property
    def used(self) -> Source | None:
        """The source that the price is from now."""
        return next((one for one in self.sources if one.wad(Fraction(1)) > 0), None)

    @property
    def grade(self) -> Grade:
        """How the price is known."""
        if self.wad() is None:
            return "none"
        return self.used.answer.grade if self.used else "read"

    @property
    def exact(self) -> bool:
        """Whether it is of this very block."""
        return self.used is None or self.used.answer.exact

    @property
    def address(self) -> Address:
        """The feed the price is from."""
        return self.used.aggregator if self.used else self.price_feed

    @property
    def updated_ts(self) -> int | None:
        """When that feed answered."""
        return self.used.answer.updated_at if self.used else None

    def program(self) -> Program:
        """What the price of a whole token follows."""
        price = self.wad()
        if price is None:
            return Feed(self.price_feed, None)
        value = Fraction(price, WAD)
        if self.used is None:
            return Feed(self.price_feed, value)
        return anchored(self.used.answer.of(self.used.aggregator), value)


def price_now(snapshot: Snapshot, price_feed: Address) -> PriceNow:
    """From the feeds' own logs where they are known, else what was read."""
    row = snapshot.rows.find(PriceFeed, price_feed) or PriceFeed(price_feed=price_feed)
    read = snapshot.rows.find(PriceRead, price_feed)
    return PriceNow(
        price_feed=price_feed,
        sources=tuple(_sources(snapshot, row)),
        last_good_wad=row.last_good_price_wad,
        read_wad=read.price_wad if read and read.price_wad >= 0 else None,
    )


def _sources(snapshot: Snapshot, row: PriceFeed) -> Iterator[Source]:
    first = ""
    for contract in (row.price_feed, row.main, row.backup):
        found = snapshot.rows.find(Aggregator, contract)
        aggregator = found.aggregator if found else ZERO_ADDRESS
        answer = snapshot.answers.get(aggregator)
        if answer is not None:
            first = first or aggregator
            yield Source(aggregator=aggregator, answer=answer, moves=aggregator == first)
        elif contract not in (row.price_feed, ZERO_ADDRESS):
            # What this one says is not known, so neither is whether the next is asked at all.
            return


def scaled(price: int, decimals: int) -> int:
    """To 18 decimals, cut off."""
    if decimals <= PRICE_PLACES:
        return int(price * 10 ** (PRICE_PLACES - decimals))
    return int(price // 10 ** (decimals - PRICE_PLACES))
