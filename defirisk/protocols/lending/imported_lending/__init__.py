"""Lending positions that the user imported: no contracts, no logs, nothing to compare with.

Each protocol that a file names is a deployment of this adapter on chain 0, which no network has;
each import is a block of it (`defirisk.imports`).
"""

from __future__ import annotations

from collections.abc import Iterable

from defirisk.core.adapter import Finding, Kind, Question, Snapshot
from defirisk.core.imported import ImportedAdapter
from defirisk.core.row import Row
from defirisk.protocols.lending.imported_lending.holdings import Liquidatable, holdings
from defirisk.protocols.lending.imported_lending.liquidation import liquidation
from defirisk.protocols.lending.imported_lending.rows import ROWS


class ImportedLending(ImportedAdapter):
    """The adapter."""

    name = "imported-lending"
    kind: Kind = "lending"
    source = "files of the user (defirisk import lending)"
    rows: tuple[type[Row], ...] = ROWS

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    liquidation = staticmethod(liquidation)

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
