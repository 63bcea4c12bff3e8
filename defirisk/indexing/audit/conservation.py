"""Folded balances must sum to what the contracts say that there is, at the same block.

A sum that differs is bisected by what the contract said earlier, to the blocks after which it
differs. These are fetched again with all their headers, folded again and compared again; where the
node has no state of earlier blocks, all is fetched again. What still differs is marked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from defirisk.core.adapter import Contract
from defirisk.core.conservation import Conserves, Total
from defirisk.core.errors import NodeError
from defirisk.core.evm import Address, Block
from defirisk.indexing.audit.auditor import Auditor
from defirisk.indexing.audit.figures import Unproven
from defirisk.indexing.audit.settings import Auditable
from defirisk.indexing.source import Source
from defirisk.store.database import Store
from defirisk.store.derived import StoredRows
from defirisk.store.raw import count_all_logs
from defirisk.store.registry import watched
from defirisk.store.unverified import clear_unverified, take_back

AUDIT = "conservation"
TRIES = 4
"""Times that what differs is fetched again; the last time, all of it."""
STRANGERS = "{} vaults and pools of strangers state another supply than their logs do"


@dataclass(frozen=True, slots=True)
class Difference:
    """A total that is not what its contract says. `theirs` is None where the view reverted."""

    source: Source
    total: Total
    theirs: int | None

    @property
    def reason(self) -> str:
        """In words."""
        said = "nothing" if self.theirs is None else f"{self.theirs}"
        return f"{self.total.subject}: the logs make {self.total.ours}, the contract says {said}"


class Conservation:
    """Compares the totals of one run."""

    def __init__(
        self, reader: Auditable, store: Store, chain_id: int, target: Block, auditor: Auditor
    ) -> None:
        self._reader = reader
        self._store = store
        self._chain_id = chain_id
        self._target = target
        self._auditor = auditor
        self._figures = auditor.figures[AUDIT]

    async def hold(
        self,
        sources: Sequence[Source],
        gather: Callable[[], Awaitable[int]],
        fold: Callable[[], Awaitable[int]],
        give_up: Callable[[Iterable[Unproven]], None],
    ) -> int:
        """Fetches and folds again until every total agrees, and gives up what still differs;
        returns the rows written for it.
        """
        mine = [source for source in sources if isinstance(source.adapter, Conserves)]
        rows = 0
        differing = await self._differing(mine)
        for try_ in range(TRIES):
            if not differing:
                break
            self._figures.suspicious += len(differing)
            ranges = [await self._where(one, everything=try_ + 1 == TRIES) for one in differing]
            self._take_back(differing, ranges)
            self._auditor.doubted_now = ranges
            before = self._logs()
            await gather()
            if self._logs() > before:
                self._auditor.catch()
                await gather()
            self._figures.gained += self._logs() - before
            rows += await fold()
            differing = await self._differing(mine)
        marks = [
            Unproven(
                *await self._where(one, everything=False), one.total.made_of, AUDIT, one.reason
            )
            for one in differing
        ]
        self._clear(mine)
        give_up(marks)
        return rows

    async def _differing(self, sources: Sequence[Source]) -> list[Difference]:
        """The totals at the run's block that are certain and differ; others are only noted."""
        asked = [(source, total) for source in sources for total in self._totals(source)]
        found = await self._compare(asked, self._target)
        strangers = sum(not one.total.certain for one in found)
        self._figures.note = STRANGERS.format(strangers) if strangers else ""
        self._figures.population += len(asked)
        self._figures.checked += len(asked)
        return [one for one in found if one.total.certain]

    def _totals(self, source: Source, block: int | None = None) -> list[Total]:
        at = self._target.number if block is None else block
        assert isinstance(source.adapter, Conserves)
        with self._store.transaction() as connection:
            rows = StoredRows(connection, source.stored.id, at)
            return list(source.adapter.totals(source.stored.deployment, rows))

    async def _compare(
        self, asked: Sequence[tuple[Source, Total]], block: Block
    ) -> list[Difference]:
        if not asked:
            return []
        calls = [source.codecs.call(total.view) for source, total in asked]
        results = await self._reader.calls(calls, block)
        self._figures.calls += len(set(calls))
        found = []
        for (source, total), result in zip(asked, results, strict=True):
            answer = source.codecs.answer(total.view, result)
            theirs = None if answer is None else int(answer[total.output])
            if theirs != total.ours:
                found.append(Difference(source, total, theirs))
        return found

    async def _where(self, one: Difference, *, everything: bool) -> tuple[int, int]:
        """The blocks (good, bad] between which the total begins to differ."""
        low, high = self._begin(one) - 1, self._target.number
        if everything:
            return low + 1, high
        try:
            while high - low > 1:
                middle = (low + high) // 2
                if await self._differs(one, middle):
                    high = middle
                else:
                    low = middle
        except NodeError:
            return self._begin(one), self._target.number
        return low + 1, high

    async def _differs(self, one: Difference, block: int) -> bool:
        then = [t for t in self._totals(one.source, block) if t.subject == one.total.subject]
        if not then:
            return False  # before its contract was known, there was nothing to sum
        header = await self._reader.block(block)
        return bool(await self._compare([(one.source, then[0])], header))

    def _logs(self) -> int:
        with self._store.transaction() as connection:
            return count_all_logs(connection, self._chain_id)

    def _begin(self, one: Difference) -> int:
        return min(
            (c.first_block for c in self._contracts(one.source, one.total.made_of)),
            default=one.source.stored.deployment.first_block,
        )

    def _contracts(self, source: Source, made_of: Iterable[Address]) -> list[Contract]:
        wanted = set(made_of)
        with self._store.transaction() as connection:
            known = watched(connection, source.stored.id)
        return [c for c in known if c.address in wanted and source.codecs.emits(c)]

    def _take_back(
        self, differing: Sequence[Difference], ranges: Sequence[tuple[int, int]]
    ) -> None:
        with self._store.transaction() as connection:
            for one, (first, last) in zip(differing, ranges, strict=True):
                take_back(connection, self._chain_id, one.total.made_of, first, last)

    def _clear(self, sources: Sequence[Source]) -> None:
        """Marks of earlier runs: those that still hold are made again."""
        made_of = {a for s in sources for total in self._totals(s) for a in total.made_of}
        with self._store.transaction() as connection:
            clear_unverified(connection, self._chain_id, made_of, 0, self._target.number, (AUDIT,))
