"""Feeds whose getters say what they are made of: what all kinds of them have in common.

Every wanted feed is a candidate: one getter, which no other kind has, tells whether it is of the
kind. Only then is it asked for the rest. What never changes in a contract holds for all its blocks;
what moves without a log is known where a run ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

from defirisk.core.adapter import (
    Answer,
    Contract,
    Deployment,
    Discovery,
    FeedWanted,
    Finding,
    Interface,
    Kind,
    Log,
    Proof,
    Question,
    Snapshot,
    TokenWanted,
    VenueWanted,
    View,
    logs_reveal_nothing,
)
from defirisk.core.errors import CheckFailed
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.quote import Spot
from defirisk.core.row import Key, Row, State
from defirisk.core.venue import Venue

CANDIDATE, FEED = "candidate", "feed"
READ_BLOCK = "read_block"
Grade = Literal["logs", "read"]


class FeedsWithGetters(ABC):
    """The part of an oracle adapter that is the same for all of them.

    `known_by` is the getter that identifies the kind; `constants` and `moving` are columns of `row`
    by getter, the latter with a column `read_block` for when they were asked. What a getter leads
    to is named in `feeds`, `pools` and `tokens`.
    """

    name: str
    source: str
    kind: Kind = "oracles"
    version = 1
    proof: Proof = "executed"
    required_contracts: tuple[str, ...] = ()
    rows: tuple[type[Row], ...]
    interfaces: Mapping[str, Interface]

    row: type[Row]
    known_by: str
    constants: Mapping[str, str]
    moving: Mapping[str, str] = {}
    feeds: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    rounds = True
    """Whether `latestRoundData` answers the time of the answer as the number of the round."""

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """None: feeds are wanted by protocols."""
        return ()

    def feed(self, wanted: FeedWanted) -> Contract:
        """Every wanted feed is asked whether it is of this kind."""
        return Contract(address=wanted.address, role=CANDIDATE, first_block=wanted.first_block)

    discover = staticmethod(logs_reveal_nothing)

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """There are no logs."""
        return ()

    def fold(self, log: Log, state: State) -> None:
        """Nothing, unless a kind declares events and overrides this."""
        raise AssertionError(f"{self.name} declares no event: {log.event}")

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What makes a candidate a feed of this kind, and what such a feed is made of."""
        for contract in contracts:
            if contract.role == CANDIDATE:
                yield View(contract, self.known_by)
            elif contract.role == FEED:
                # What is constant goes first: it holds for the rows before those that move.
                yield from (View(contract, get) for get in (*self.constants, *self.moving))

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The contracts that a feed of this kind asks."""
        contract = view.contract
        if answer is None:
            return
        if contract.role == CANDIDATE:
            yield Contract(address=contract.address, role=FEED, first_block=contract.first_block)
        elif contract.role == FEED and answer[0] != ZERO_ADDRESS:
            first_block = contract.first_block
            if view.function in self.feeds:
                yield FeedWanted(address=answer[0], first_block=first_block)
            if view.function in self.pools:
                yield VenueWanted(address=answer[0], first_block=first_block)
            if view.function in self.tokens:
                yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Constants hold since the feed was made, what moves only for now."""
        if view.contract.role != FEED or answer is None:
            return
        row = state.get(self.row, view.contract.address)
        if view.function in self.constants:
            state.amend(_with(row, self.constants[view.function], answer[0]))
        elif view.function in self.moving:
            row = _with(row, self.moving[view.function], answer[0])
            state.put(_with(row, READ_BLOCK, block.number))

    @abstractmethod
    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """What each feed says, in its own integers, with the program it follows."""

    def questions(self, snapshot: Snapshot) -> Iterator[Question]:
        """The answer of every feed, and since when it stands."""
        for address, answer in self.answers(snapshot).items():
            if not answer.exact:
                continue
            contract = Contract(address=address, role=FEED, first_block=0)
            grade: Literal["compared", "read"] = "compared" if answer.grade == "logs" else "read"
            yield Question(
                subject=address,
                view=View(contract, "latestAnswer"),
                fields=("latestAnswer",),
                ours=(answer.price,),
                grade=grade,
            )
            if self.rounds:
                since = answer.updated_at
                yield Question(
                    subject=address,
                    view=View(contract, "latestRoundData"),
                    fields=("roundId", "answer", "startedAt", "updatedAt", "answeredInRound"),
                    ours=(since, answer.price, since, since, since),
                    grade=grade,
                )

    def findings(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Feeds of which it is not known here what they say, and those that were only read."""
        known = self.answers(snapshot)
        silent = [row for row in snapshot.rows.all(self.row) if self._address(row) not in known]
        read = [answer for answer in known.values() if answer.grade == "read"]
        if silent:
            yield Finding(
                code="no-answer",
                text=f"{_count(silent)} no answer that could be computed at this block: what it is "
                "made of does not answer, or was not read there",
            )
        if read:
            yield Finding(
                code="answer-read",
                text=f"{_count(read)} answers made of something that is in no log: they are as "
                "they were when a run last asked",
            )

    def _address(self, row: Row) -> Address:
        return str(getattr(row, self.row.key[0]))


def _count(feeds: Sequence[object]) -> str:
    return "1 feed has" if len(feeds) == 1 else f"{len(feeds)} feeds have"


def _with(row: Row, column: str, value: Any) -> Row:
    changes: dict[str, Any] = {column: "0x" + value.hex() if isinstance(value, bytes) else value}
    changed: Row = replace(row, **changes)  # type: ignore[type-var]
    return changed


def grade_of(*grades: str) -> Grade:
    """That of an answer that is made of others: read where any of them is."""
    return "read" if "read" in grades else "logs"


def whole(amount: Fraction, decimals: int, other_decimals: int) -> Fraction:
    """A price in base units of one token per base unit of another, per whole tokens."""
    return amount * Fraction(10) ** (decimals - other_decimals)


def spot(venue: Venue, base: Address, quote: Address) -> Spot | None:
    """What a pool says of `base` now; None where it is empty, or has not both tokens."""
    if base not in venue.tokens or quote not in venue.tokens:
        return None
    i, j = venue.place(base), venue.place(quote)
    try:
        price = venue.pool.price(i, j)
    except CheckFailed:
        return None
    return Spot(venue.address, base, quote, whole(price, venue.decimals[i], venue.decimals[j]))
