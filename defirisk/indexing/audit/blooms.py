"""The bloom audit: which blocks' headers are looked at, and what in them does not fit our logs."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from defirisk.chain.bloom import BLOOM_BYTES, Watched, shows
from defirisk.core.evm import Address, Block, RawLog
from defirisk.indexing.audit.doubts import Doubt
from defirisk.indexing.audit.figures import Figures
from defirisk.indexing.audit.settings import AuditSettings

PER_REQUEST = 200
"""Headers in one HTTP request."""
NEAR_HEAD = 5_000
"""Blocks before the head that count as near it, where none is final for longer."""
JUDGED_BY = 3
"""Blocks with logs none of which shows any, after which a chain's blooms are taken for unused."""
UNUSED = "blooms of this chain do not show its logs, so they prove nothing: --audit receipts does"
CAUGHT = "the node left out logs: every header of that run was looked at"
CAUGHT_NOW = "the node left out logs in a run that did not end: the next looks at every header"
UNSERVED = "the node serves headers without blooms, or with all bits set, so they prove nothing"
ALL_BITS = b"\xff" * BLOOM_BYTES
"""Instead of a bloom, as Filecoin's nodes serve it."""


class Blooms:
    """Compares headers with logs, and learns whether a chain fills its blooms at all."""

    def __init__(self, settings: AuditSettings, finalized: int | None, figures: Figures) -> None:
        self._settings = settings
        self._near_head = None if finalized is None else finalized + 1
        self._figures = figures
        self._showing = 0
        self._silent = 0

    @property
    def unused(self) -> bool:
        """Whether this chain leaves its blooms empty, although its blocks have logs."""
        return not self._showing and self._silent >= JUDGED_BY

    def chosen(
        self,
        first: int,
        last: int,
        ranges: int,
        with_logs: Collection[int],
        doubted: Iterable[tuple[int, int]],
        *,
        every: bool,
    ) -> tuple[set[int], int]:
        """The blocks without logs of [first, last] whose headers are looked at, or `every` one;
        and how many of [first, last] are looked at whatever is drawn.

        `ranges` were asked for. The sample fills up the last request for headers.
        """
        if self._settings.mode == "none" or self.unused:
            return set(), 0
        if self._settings.every_block or every:
            return set(range(first, last + 1)) - set(with_logs), last - first + 1
        near = last + 1 if self._near_head is None else max(first, self._near_head)
        surely = {n for start, end in doubted for n in _common(start, end, first, last)}
        surely = (surely | set(range(near, last + 1))) - set(with_logs)
        rest = range(first, min(near, last + 1))
        asked = len(with_logs) + len(surely)
        least = asked + ranges * self._settings.sampled_per_range
        count = min(-(-least // PER_REQUEST) * PER_REQUEST - asked, len(rest))
        draw = random.Random(f"{self._settings.seed}:{first}:{last}")
        return (surely | set(draw.sample(rest, count))) - set(with_logs), asked

    def doubts(
        self,
        headers: Iterable[Block],
        logs: Mapping[int, Sequence[RawLog]],
        topics: Mapping[Address, Collection[bytes]],
    ) -> list[Doubt]:
        """The blocks among these whose bloom does not fit the logs that we have of them."""
        watched = Watched(topics)
        found = []
        for header in headers:
            if len(header.logs_bloom) != BLOOM_BYTES or header.logs_bloom == ALL_BITS:
                self._figures.note = UNSERVED
                continue
            self._figures.checked += 1
            known = logs.get(header.number, ())
            have = {(log.address, log.topics[0]) for log in known if log.topics}
            unshown = {log.log_index for log in known if not shows(header.logs_bloom, log)}
            self._judge(known, unshown)
            lacking = set(watched.maybe(header.logs_bloom)) - have
            if lacking or (unshown and self._showing):
                found.append(Doubt(header, list(known), lacking, unshown))
        if self.unused:
            self._figures.note = UNUSED
            return []
        return found

    def _judge(self, known: Sequence[RawLog], unshown: Collection[int]) -> None:
        if len(unshown) < len(known):
            self._showing += 1
        elif known:
            self._silent += 1


def _common(start: int, end: int, first: int, last: int) -> range:
    return range(max(start, first), min(end, last) + 1)


def by_block(logs: Iterable[RawLog]) -> dict[int, list[RawLog]]:
    """Logs under their blocks."""
    found: dict[int, list[RawLog]] = defaultdict(list)
    for log in logs:
        found[log.block_number].append(log)
    return found
