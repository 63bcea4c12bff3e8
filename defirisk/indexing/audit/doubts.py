"""Blocks whose header and logs do not agree are asked again until they do, or nobody can tell.

A hit in a bloom is only a maybe. So an answer by block hash that has the log ends a doubt at once;
without it, as many answers must agree as `Trust` demands, from all endpoints in turn. Receipts that
give the header's root end it, too: they are asked after two answers, where the node has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from defirisk.chain.bloom import Pair
from defirisk.chain.receipts import Receipts, RootDiffers
from defirisk.core.evm import Block, LogQuery, RawLog
from defirisk.indexing.audit.settings import Auditable
from defirisk.indexing.audit.trust import AT_LEAST, Trust

ROUNDS = 64
"""Times a block is asked for before it is left unverified."""
RECEIPTS_EVERY = 16
"""Rounds after which receipts that were no proof are asked for again."""


@dataclass(slots=True)
class Doubt:
    """A block of which a log may be missing, or which may have none of those we were given.

    `known` are our logs of it that the whole query finds, `lacking` what its bloom shows and we do
    not have, `unshown` the indexes of logs that its bloom does not show. `refuted`: its receipts
    were not all there either, which no number of agreeing answers outweighs.
    """

    block: Block
    known: list[RawLog]
    lacking: set[Pair]
    unshown: set[int] = field(default_factory=set)
    gained: list[RawLog] = field(default_factory=list)
    agreeing: int = 0
    asked: int = 0
    proven: bool = False
    refuted: bool = False

    @property
    def query(self) -> LogQuery:
        """Only what is in doubt."""
        unshown = [log for log in self.known if log.log_index in self.unshown]
        pairs = self.lacking | {(log.address, log.topics[0]) for log in unshown if log.topics}
        return LogQuery(
            addresses=tuple(sorted({address for address, _ in pairs})),
            topics0=tuple(sorted({topic for _, topic in pairs})),
        )

    @property
    def why(self) -> str:
        """What is still in doubt, in words."""
        if self.lacking:
            address, topic = min(self.lacking)
            return f"the bloom shows a log of {address} (0x{topic.hex()[:8]}) that no answer had"
        return "a log was served that neither the bloom nor a second answer shows"

    def settled(self, needed: int) -> bool:
        """Whether nothing is left to ask."""
        asked_enough = not self.lacking or (self.agreeing >= needed and not self.refuted)
        return self.proven or (asked_enough and not self.unshown)

    def take(self, query: LogQuery, answer: Sequence[RawLog] | None, trust: Trust) -> None:
        """Learns from one more answer."""
        self.asked += 1
        if answer is None:
            return
        served = {log.log_index for log in answer}
        ours = [*self.known, *self.gained]
        expected = {log.log_index for log in ours if _asks_for(query, log)} - self.unshown
        new = [log for log in answer if log.log_index not in {one.log_index for one in ours}]
        self.unshown -= served
        self._gain(new, trust)
        if expected <= served:
            self.agreeing += 1
        else:
            trust.false += 1

    def prove(self, receipts: Receipts, query: LogQuery) -> None:
        """Receipts that give the header's root hold every log."""
        ours = {log.log_index for log in (*self.known, *self.gained)}
        self.gained += [log for log in receipts.logs(query) if log.log_index not in ours]
        self.proven = True

    def _gain(self, new: list[RawLog], trust: Trust) -> None:
        if new:
            trust.false += self.agreeing + 1  # those that agreed before, and the first answer
            self.agreeing = 0
            self.gained += new
            self.lacking -= {(log.address, log.topics[0]) for log in new if log.topics}


def _asks_for(query: LogQuery, log: RawLog) -> bool:
    return log.address in query.addresses and bool(log.topics) and log.topics[0] in query.topics0


async def settle(
    reader: Auditable, doubts: Sequence[Doubt], trust: Trust, query: LogQuery
) -> list[Doubt]:
    """Asks until every doubt is settled or `ROUNDS` are spent; returns those that are not."""
    second = reader.second()
    for round_ in range(ROUNDS):
        left = [doubt for doubt in doubts if not doubt.settled(trust.needed)]
        if not left:
            break
        if round_ % RECEIPTS_EVERY == AT_LEAST:
            await _by_receipts(reader, left, query, trust)
            left = [doubt for doubt in left if not doubt.proven]
        asked = [(doubt.block, doubt.query) for doubt in left]
        asker = second if second is not None and round_ % 2 else reader
        for doubt, (_, only), answer in zip(left, asked, await asker.logs_at(asked), strict=True):
            doubt.take(only, answer, trust)
    unsettled = [doubt for doubt in doubts if not doubt.settled(trust.needed)]
    trust.honest += sum(d.agreeing for d in doubts if d.settled(trust.needed) and not d.gained)
    return unsettled


async def _by_receipts(
    reader: Auditable, doubts: Sequence[Doubt], query: LogQuery, trust: Trust
) -> None:
    answers = await reader.receipts([doubt.block for doubt in doubts])
    for doubt, answer in zip(doubts, answers, strict=True):
        if isinstance(answer, Receipts):
            trust.receipts_work = True
            doubt.prove(answer, query)
    for doubt, answer in zip(doubts, answers, strict=True):
        doubt.refuted |= trust.receipts_work and isinstance(answer, RootDiffers)
