"""A price that somebody wrote into a contract: nothing moves it but another contract.

Source: tests/devnet/contracts/HardCodedFeed.sol, our own. Nothing on a chain proves that an answer
never changes; a feed that shows the number it answers, by a getter of that name, says so itself.
Others stay what they are to whoever reads them: an answer of unknown making.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from defirisk.core.adapter import Answer, Interface, Snapshot, View
from defirisk.core.evm import Address, Block
from defirisk.core.quote import Constant
from defirisk.core.row import Row, State, Wide
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters


@dataclass(frozen=True, slots=True, kw_only=True)
class HardCodedFeed(Row, table="hard_coded_feeds", key=("feed",)):
    """`constant`: whenever it was asked, it answered what it shows. `updated_at_ts` is the time it
    states; 0 where that is always this very second, as such feeds like to claim.
    """

    feed: str
    price_raw: Wide = 0
    decimals: int = 0
    asked: bool = False
    constant: bool = False
    updated_at_ts: Wide = 0


class HardCoded(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "hard-coded"
    source = "tests/devnet/contracts/HardCodedFeed.sol of this project"
    rows: tuple[type[Row], ...] = (HardCodedFeed,)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="HardCoded.Feed"),
        FEED: Interface(abi="HardCoded.Feed"),
    }
    row = HardCodedFeed
    known_by = "PRICE"
    constants: Mapping[str, str] = {"PRICE": "price_raw", "decimals": "decimals"}
    moving: Mapping[str, str] = {"latestRoundData": ""}

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Besides its getters: whether it answers what they show, and what time it states."""
        if view.contract.role != FEED or view.function not in self.moving:
            super().observe(view, answer, block, state)
            return
        row = state.get(HardCodedFeed, view.contract.address)
        constant = answer is not None and answer[1] == row.price_raw
        stated = 0 if answer is None or answer[3] == block.timestamp else answer[3]
        if row.constant and not constant:
            state.put(replace(row, constant=False))
        else:
            constant = constant and (row.constant or not row.asked)
            state.amend(replace(row, asked=True, constant=constant, updated_at_ts=stated))

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """What each feed shows; those that answer something else are left out."""
        rows = snapshot.rows.all(HardCodedFeed)
        return {row.feed: self._answer(row, snapshot.block) for row in rows if row.constant}

    def _answer(self, row: HardCodedFeed, block: Block) -> Answer:
        said = Answer(
            price=row.price_raw,
            decimals=row.decimals,
            updated_at=row.updated_at_ts or block.timestamp,
            grade="logs",
            kind=self.name,
        )
        return replace(said, program=Constant(said.value))


ADAPTER = HardCoded()
