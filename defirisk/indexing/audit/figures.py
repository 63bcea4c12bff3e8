"""What audits did: kept while a run lasts, added to the store with what they found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from defirisk.core.evm import Address


@dataclass(slots=True)
class Figures:
    """Of one audit. `checked` of `population` blocks (answers for the second endpoint, totals for
    conservation) were looked at with `calls` JSON-RPC calls, `always` of them whatever was drawn;
    `suspicious` were asked again, and `gained` logs came of it. `note`: why it may say less.
    """

    population: int = 0
    checked: int = 0
    always: int = 0
    calls: int = 0
    suspicious: int = 0
    gained: int = 0
    note: str = ""

    def clear(self) -> None:
        """Counts from zero again; the note stays."""
        self.population = self.checked = self.always = 0
        self.calls = self.suspicious = self.gained = 0


@dataclass(frozen=True, slots=True)
class Unproven:
    """Blocks in which logs of these contracts may be missing, and why."""

    first_block: int
    last_block: int
    contracts: tuple[Address, ...]
    audit: str
    reason: str


def blocks_of(marks: Iterable[Unproven]) -> list[tuple[int, int]]:
    """The block ranges of marks."""
    return [(mark.first_block, mark.last_block) for mark in marks]
