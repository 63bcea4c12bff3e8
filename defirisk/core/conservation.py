"""Sums that contracts keep of what their logs say: where ours differ, a log is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from defirisk.core.adapter import Adapter, Deployment, View
from defirisk.core.evm import Address
from defirisk.core.row import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum of our rows that a contract keeps, too, in exact integers: logs alone make up both.

    `output` is the place of the number among the view's outputs, `made_of` are the contracts whose
    logs make it up: where the two differ, a log of one of these is missing (or was misread).
    `certain` is false of a stranger's contract, which may well keep another sum.
    """

    subject: str
    view: View
    ours: int
    made_of: tuple[Address, ...]
    output: int = 0
    certain: bool = True


@runtime_checkable
class Conserves(Adapter, Protocol):
    """An adapter whose folded balances sum to what the contracts say that there is.

    One view a market, asked where every run ends: so only sums that are exact at any block.
    """

    def totals(self, deployment: Deployment, rows: Rows) -> Iterable[Total]:
        """Every such sum of the rows of one block."""
