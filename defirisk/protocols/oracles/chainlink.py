"""Chainlink: a proxy that reads an aggregator, and aggregators that emit every answer.

Source: `EACAggregatorProxy` and `FluxAggregator` of npm @chainlink/contracts 0.1.7;
`latestAnswer` of both. A proxy emits nothing when its aggregator changes, so which aggregator it
reads is asked where a run ends; an AnswerUpdated may come again within one round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

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
    View,
    logs_reveal_nothing,
)
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.row import Key, Row, State, Wide

END_OF_TIME = 2**63 - 1
PHASE_OFFSET = 64
"""A proxy's round is the aggregator's, with the number of the aggregator in the bits above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Row, table="chainlink_feeds", key=("feed",)):
    """What a protocol reads. `aggregator` is the zero address where the feed is not a proxy.

    `answer_raw` and `updated_at_ts` were read where a run ended, for feeds without logs, and for
    those that make something else of their aggregator's answer (`transforms`: a cap, a rate).
    """

    feed: str
    aggregator: str = ZERO_ADDRESS
    phase_id: int = 0
    decimals: int = 0
    description: str = ""
    answer_raw: Wide = 0
    updated_at_ts: int = 0
    transforms: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorAnswer(Row, table="chainlink_answers", key=("aggregator",)):
    """The latest AnswerUpdated of an aggregator; `round_id` is the aggregator's own."""

    aggregator: str
    answer_raw: Wide = 0
    round_id: Wide = 0
    updated_at_ts: int = 0


class Chainlink:
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "chainlink"
    kind: Kind = "oracles"
    version = 1
    proof: Proof = "executed"
    source = "npm @chainlink/contracts 0.1.7: EACAggregatorProxy, FluxAggregator"
    required_contracts = ()
    rows: tuple[type[Row], ...] = (Feed, AggregatorAnswer)
    interfaces: Mapping[str, Interface] = {
        "feed": Interface(abi="Chainlink.Proxy"),
        "aggregator": Interface(
            abi="Chainlink.Aggregator",
            events={"Chainlink.Aggregator": ("AnswerUpdated",)},
            untrusted=True,
        ),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """None: feeds are wanted by protocols."""
        return ()

    def feed(self, wanted: FeedWanted) -> Contract:
        """Every wanted feed is asked whether it is a proxy."""
        return Contract(address=wanted.address, role="feed", first_block=wanted.first_block)

    discover = staticmethod(logs_reveal_nothing)

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """The aggregator's row."""
        return [(AggregatorAnswer, (log.contract.address,))]

    def fold(self, log: Log, state: State) -> None:
        """The last AnswerUpdated is the answer, also within a round."""
        state.put(
            AggregatorAnswer(
                aggregator=log.contract.address,
                answer_raw=log.args["current"],
                round_id=log.args["roundId"],
                updated_at_ts=_time(log.args["updatedAt"]),
            )
        )

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Which aggregator stands behind each feed, and what the feed says of itself."""
        for contract in contracts:
            if contract.role == "feed":
                for function in ("aggregator", "phaseId", "decimals", "description"):
                    yield View(contract, function)
                yield View(contract, "latestRoundData")
                yield View(contract, "latestAnswer")

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The aggregator behind a proxy."""
        if view.function == "aggregator" and answer and answer[0] != ZERO_ADDRESS:
            yield Contract(
                address=answer[0],
                role="aggregator",
                first_block=view.contract.first_block,
                subject=view.contract.address,
            )

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Facts about a feed hold since it was first seen; its answer only for now."""
        feed = state.get(Feed, view.contract.address)
        if view.function == "latestAnswer":
            self._observe_answer(feed, answer, state)
        elif answer is None:
            return
        elif view.function == "latestRoundData":
            state.put(replace(feed, updated_at_ts=_time(answer[3])))
        elif view.function == "aggregator" and feed.aggregator not in (ZERO_ADDRESS, answer[0]):
            state.put(replace(feed, aggregator=answer[0]))
        else:
            column = {"aggregator": "aggregator", "phaseId": "phase_id"}.get(
                view.function, view.function
            )
            changes: dict[str, Any] = {column: answer[0]}
            state.amend(replace(feed, **changes))

    def _observe_answer(self, feed: Feed, answer: tuple[Any, ...] | None, state: State) -> None:
        """A feed that does not answer says 0, whatever its aggregator logged last."""
        folded = state.get(AggregatorAnswer, feed.aggregator)
        silent = folded == AggregatorAnswer(aggregator=feed.aggregator)
        said = answer[0] if answer else 0
        transforms = not silent and (answer is None or folded.answer_raw != said)
        if transforms and answer is not None:
            state.amend(replace(feed, transforms=True))
        state.put(replace(feed, transforms=transforms, answer_raw=said))

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """From the aggregator's logs where they are the feed's answers, else as it was read."""
        folded = {row.aggregator: row for row in snapshot.rows.all(AggregatorAnswer)}
        found: dict[Address, Answer] = {}
        for feed in snapshot.rows.all(Feed):
            answer = folded.get(feed.aggregator)
            if answer is not None and not feed.transforms:
                found[feed.feed] = Answer(
                    price=answer.answer_raw,
                    decimals=feed.decimals,
                    updated_at=answer.updated_at_ts,
                    grade="logs",
                    kind=self.name,
                    made_of=(feed.aggregator,),
                )
            elif feed.updated_at_ts:
                found[feed.feed] = Answer(
                    price=feed.answer_raw,
                    decimals=feed.decimals,
                    updated_at=feed.updated_at_ts,
                    grade="read",
                    kind=self.name,
                )
        return found

    def questions(self, snapshot: Snapshot) -> Iterator[Question]:
        """The answer of every feed, and of those that are in logs, which round it is of."""
        for address, answer in self.answers(snapshot).items():
            standing = snapshot.answers.get(address, answer)
            if standing.kind != self.name:
                continue  # another kind knows what it is made of, and is asked about it
            contract = Contract(address=address, role="feed", first_block=0)
            yield Question(
                subject=address,
                view=View(contract, "latestAnswer"),
                fields=("latestAnswer",),
                ours=(answer.price,),
                grade="compared" if answer.grade == "logs" else "read",
            )
            if answer.grade == "logs":
                feed = snapshot.rows.find(Feed, address) or Feed(feed=address)
                last = snapshot.rows.find(AggregatorAnswer, feed.aggregator)
                assert last is not None
                yield Question(
                    subject=address,
                    view=View(contract, "latestRoundData"),
                    fields=("roundId", "answer"),
                    ours=(feed.phase_id << PHASE_OFFSET | last.round_id, answer.price),
                )

    def findings(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Feeds of unknown making, whose answer is known for one block only."""
        read = [
            feed
            for feed, answer in self.answers(snapshot).items()
            if answer.grade == "read" and snapshot.answers.get(feed, answer).kind == self.name
        ]
        if read:
            yield Finding(
                code="answer-read",
                text=f"{'1 feed has' if len(read) == 1 else f'{len(read)} feeds have'} answers "
                "that are in no log: they are as they were when a run last asked",
            )


def _time(stated: int) -> int:
    """A feed may state any 256 bits as its time: what no clock will show is the end of time."""
    return min(stated, END_OF_TIME)


ADAPTER = Chainlink()
