"""The price of a share of a Uniswap v2 pair out of the prices of its two tokens.

Source: tests/devnet/contracts/LpFeedNaive.sol and LpFeedFair.sol, our own. The naive way adds up
what the reserves are worth, so that a swap moves it; the fair way takes the root of the product of
the reserves, which no swap lowers, at the feeds' prices. Both have the same getters: which way a
feed goes is seen by computing its answer both ways, wherever a run ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any

from defirisk.core.adapter import Answer, Contract, Discovery, Interface, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.quote import (
    Constant,
    Cut,
    Product,
    Program,
    Ratio,
    Root,
    Spot,
    Sum,
    anchored,
)
from defirisk.core.row import Row, Rows, State, Wide
from defirisk.core.venue import Venue
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters, grade_of, spot
from defirisk.swaps.constant_product import ConstantProduct

WHOLE, SHARE_DECIMALS = 10**18, 18
PAIR, SIDE = "pair", "side"
NAIVE, FAIR = "naive", "fair"


@dataclass(frozen=True, slots=True, kw_only=True)
class LpFeed(Row, table="lp_share_feeds", key=("feed",)):
    """What a feed is made of. `way` is "naive", "fair", or empty where its answer is neither."""

    feed: str
    pair: str = ZERO_ADDRESS
    feed_0: str = ZERO_ADDRESS
    feed_1: str = ZERO_ADDRESS
    decimals_0: int = 0
    decimals_1: int = 0
    decimals: int = 0
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LpPair(Row, table="lp_share_pairs", key=("pair",)):
    """A pair as it was read where a run ended."""

    pair: str
    reserve_0_raw: Wide = 0
    reserve_1_raw: Wide = 0
    supply_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LpSide(Row, table="lp_share_sides", key=("feed",)):
    """What the feed of one of the two tokens answered where a run ended."""

    feed: str
    answer_raw: Wide = 0


class LpShare(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "lp-share"
    source = "tests/devnet/contracts/LpFeedNaive.sol and LpFeedFair.sol of this project"
    rows: tuple[type[Row], ...] = (LpFeed, LpPair, LpSide)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="LpShare.Feed"),
        FEED: Interface(abi="LpShare.Feed"),
        PAIR: Interface(abi="LpShare.Pair"),
        SIDE: Interface(abi="LpShare.Feed"),
    }
    row = LpFeed
    known_by = "FEED_0"
    constants: Mapping[str, str] = {
        "PAIR": "pair",
        "FEED_0": "feed_0",
        "FEED_1": "feed_1",
        "DECIMALS_0": "decimals_0",
        "DECIMALS_1": "decimals_1",
        "decimals": "decimals",
    }
    feeds = ("FEED_0", "FEED_1")
    pools = ("PAIR",)
    tokens = ("PAIR",)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Besides the getters: what the answer is computed from, to see which way."""
        yield from super().views(contracts)
        for contract in contracts:
            if contract.role == PAIR:
                yield from (View(contract, get) for get in ("getReserves", "totalSupply"))
            elif contract.role == SIDE:
                yield View(contract, "latestAnswer")

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """The answers themselves, after all that they are made of."""
        return (View(one, "latestAnswer") for one in contracts if one.role == FEED)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The pair and the two feeds, to be asked themselves."""
        yield from super().discover_view(view, answer)
        role = {"PAIR": PAIR, "FEED_0": SIDE, "FEED_1": SIDE}.get(view.function)
        if answer and view.contract.role == FEED and role:
            yield Contract(
                address=answer[0],
                role=role,
                first_block=view.contract.first_block,
                subject=view.contract.address,
            )

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Which way a feed goes holds since it was made; the rest is known for now."""
        address, role = view.contract.address, view.contract.role
        if role == FEED and view.function == "latestAnswer":
            _observe_way(state, address, answer)
        elif role == PAIR and answer is not None:
            pair = state.get(LpPair, address)
            if view.function == "getReserves":
                state.put(replace(pair, reserve_0_raw=answer[0], reserve_1_raw=answer[1]))
            else:
                state.put(replace(pair, supply_raw=answer[0]))
        elif role == SIDE and answer is not None:
            state.put(LpSide(feed=address, answer_raw=answer[0]))
        else:
            super().observe(view, answer, block, state)

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """Both ways, for feeds of which it is known which one they go."""
        found = {}
        for row in snapshot.rows.all(LpFeed):
            if row.way:
                answer = self._answer(row, snapshot)
                if answer is not None:
                    found[row.feed] = answer
        return found

    def _answer(self, row: LpFeed, snapshot: Snapshot) -> Answer | None:
        venue, claim = snapshot.venues.get(row.pair), snapshot.claims.get(row.pair)
        sides = [snapshot.answers.get(feed) for feed in (row.feed_0, row.feed_1)]
        first, second = sides
        if venue is None or claim is None or first is None or second is None:
            return None
        now = spot(venue, *venue.tokens[:2])
        if not isinstance(venue.pool, ConstantProduct) or now is None:
            return None
        price = share_price(row, venue.pool.reserves, (first.price, second.price), claim.supply_raw)
        if price is None:
            return None
        worth = (first.of(row.feed_0), second.of(row.feed_1))
        program = Cut(_program(row.way, venue, now, worth, claim.supply_raw), first.decimals)
        return Answer(
            price=price,
            decimals=row.decimals,
            updated_at=min(first.updated_at, second.updated_at),
            grade=grade_of(venue.grade, claim.grade, first.grade, second.grade),
            program=anchored(program, Fraction(price, 10**row.decimals)),
            kind=self.name,
            made_of=(row.pair, row.feed_0, row.feed_1),
            exact=claim.exact and first.exact and second.exact,
        )


def share_price(
    row: LpFeed, reserves: Sequence[int], prices: Sequence[int], supply: int
) -> int | None:
    """What the contract answers for a whole share; None where it reverts."""
    if supply == 0 or min(prices) < 0 or row.decimals_0 + row.decimals_1 > 2 * SHARE_DECIMALS:
        return None
    if row.way == NAIVE:
        units = 10**row.decimals_0, 10**row.decimals_1
        sides = zip(reserves, prices, units, strict=True)
        total: int = sum(reserve * price * WHOLE // unit for reserve, price, unit in sides)
        return total // supply
    places: int = 10 ** (2 * SHARE_DECIMALS - row.decimals_0 - row.decimals_1)
    return 2 * isqrt(reserves[0] * reserves[1] * prices[0] * prices[1] * places) // supply


def _program(
    way: str, venue: Venue, now: Spot, worth: tuple[Program, Program], supply: int
) -> Program:
    """Of a whole share. Swaps move the reserves along their product: each is a root of it with the
    price. What swaps pay to the pool raises the product, which no scenario says.
    """
    assert isinstance(venue.pool, ConstantProduct)
    first, second = venue.pool.reserves
    product = Constant(Fraction(first * second, 10 ** sum(venue.decimals[:2])))
    shares = Fraction(supply, WHOLE)
    if way == FAIR:
        return Product((Constant(2 / shares), Root(Product((product, *worth)))))
    reserves = Root(Ratio(product, now)), Root(Product((product, now)))
    sides = (Product((reserve, price)) for reserve, price in zip(reserves, worth, strict=True))
    return Product((Constant(1 / shares), Sum(tuple(sides))))


def _observe_way(state: State, feed: Address, answer: tuple[Any, ...] | None) -> None:
    """The way that gives the answer. Where both do, or none is asked, what was known stays."""
    row = state.get(LpFeed, feed)
    pair = state.get(LpPair, row.pair)
    prices = [state.get(LpSide, side).answer_raw for side in (row.feed_0, row.feed_1)]
    reserves = pair.reserve_0_raw, pair.reserve_1_raw
    if answer is None or row.pair == ZERO_ADDRESS:
        return
    ways = [
        way
        for way in (NAIVE, FAIR)
        if share_price(replace(row, way=way), reserves, prices, pair.supply_raw) == answer[0]
    ]
    if row.way == "" and len(ways) == 1:
        state.amend(replace(row, way=ways[0]))
    elif row.way and row.way not in ways:
        state.put(replace(row, way=""))


ADAPTER = LpShare()
