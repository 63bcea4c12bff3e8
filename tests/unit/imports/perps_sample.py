"""Perpetuals as a user would state them, through the import's own judgement, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.imports.perps import read_perps
from defirisk.imports.perps_layouts import COLLATERAL, PERPS, TIERS
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.perps.imported_perps import ADAPTER
from tests.unit.protocols.rows_in_memory import RowsInMemory

PROTOCOL = "venue"


def sheet(layout: Layout, rows: Iterable[Sequence[object]]) -> Sheet:
    """A file of one layout; the protocol is put before each row."""
    cells = [(PROTOCOL, *map(str, row)) for row in rows]
    return Sheet(
        file=f"{layout.name}.csv", layout=layout, rows=list(enumerate(cells, start=2)), refused=[]
    )


def snapshot(
    held: Iterable[Sequence[object]],
    tiers: Iterable[Sequence[object]] = (),
    collateral: Iterable[Sequence[object]] = (),
) -> Snapshot:
    """What an import makes of these rows: none of them may be refused."""
    sheets = [sheet(PERPS, held), sheet(TIERS, tiers), sheet(COLLATERAL, collateral)]
    found = read_perps(sheets)
    assert not found.refused, found.refused
    rows = [row for of in found.rows().get(PROTOCOL, {}).values() for row in of]
    return Snapshot(
        deployment=Deployment(name=PROTOCOL, protocol=ADAPTER.name, chain_id=0),
        block=Block(number=1, hash="", parent_hash="", timestamp=0),
        rows=RowsInMemory(*rows),
        tokens={},
        answers={},
    )


def stated(*values: object) -> tuple[object, ...]:
    """Fractions compared with whole numbers, which a type checker takes for a mistake."""
    return values
