"""Lending positions that the user imported: no contracts, no logs, nothing to compare with.

Each protocol that a file names is a deployment of this adapter on chain 0, which no network has;
each import is a block of it (`defirisk.imports`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Finding,
    Interface,
    Kind,
    Log,
    Proof,
    Question,
    Snapshot,
    View,
)
from defirisk.core.evm import Block
from defirisk.core.row import Key, Row, State
from defirisk.protocols.lending.imported_lending.holdings import Liquidatable, holdings
from defirisk.protocols.lending.imported_lending.rows import ROWS


class ImportedLending:
    """The adapter. Its rows are written by an import, not by a fold."""

    name = "imported-lending"
    kind: Kind = "lending"
    version = 1
    proof: Proof = "imported"
    source = "files of the user (defirisk import lending)"
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {}

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """No contract is watched."""
        return ()

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """There are no logs."""
        return ()

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """There are no logs."""
        return ()

    def fold(self, log: Log, state: State) -> None:
        """There are no logs."""

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """There is nobody to ask."""
        return ()

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """There are no views."""
        return ()

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """There are no views."""

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """None: there is no contract to answer."""
        return ()

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """What a file does not state."""
        yield Finding(
            code="imported",
            text="imported from a file: caps, rates and what the contracts hold are not in it "
            "(what they hold is taken to be deposits less loans)",
        )


ADAPTER = ImportedLending()
