"""Perpetuals that the user imported: no contracts, no logs, nothing to compare with.

Each protocol that a file names is a deployment of this adapter on chain 0, which no network has;
each import is a block of it (`defirisk.imports`).
"""

from __future__ import annotations

from collections.abc import Iterable

from defirisk.core.adapter import Finding, Kind, Question, Snapshot
from defirisk.core.imported import ImportedAdapter
from defirisk.core.row import Row
from defirisk.protocols.perps.imported_perps.holdings import holdings
from defirisk.protocols.perps.imported_perps.liquidation import Liquidatable
from defirisk.protocols.perps.imported_perps.perps import perps
from defirisk.protocols.perps.imported_perps.rows import ROWS


class ImportedPerps(ImportedAdapter):
    """The adapter. A unit is an isolated position, or all that an account has in cross mode."""

    name = "imported-perps"
    kind: Kind = "perps"
    source = "files of the user (defirisk import perps)"
    rows: tuple[type[Row], ...] = ROWS

    holdings = staticmethod(holdings)
    perps = staticmethod(perps)
    liquidation_check = staticmethod(Liquidatable)

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """None: there is no contract to answer."""
        return ()

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """What a file does not state."""
        yield Finding(
            code="imported",
            text="imported from a file: funding rates, insurance funds and positions of others are "
            "not in it; margins are taken to contain all funding that was paid",
        )


ADAPTER = ImportedPerps()
