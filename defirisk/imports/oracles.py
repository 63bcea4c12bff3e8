"""Which oracle prices what in an imported protocol: what moves together, and what never moves."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.imports.judging import (
    ImportKind,
    Line,
    Refused,
    Statements,
    first,
    identity,
    name,
    shown,
    stated,
)
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.lending.imported_lending.holdings import HARD_CODED, ORACLES
from defirisk.protocols.lending.imported_lending.rows import ImportedOracle

LAYOUT = Layout(name="oracles", columns=("protocol", "market", "asset", "kind", "source"))


def read_oracles(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged."""
    found = Statements.of(sheets, {ImportedOracle: "oracles"})
    seen: dict[tuple[str, ...], Line] = {}
    for where, cells in stated(sheets, LAYOUT):
        try:
            protocol = name("protocol", cells["protocol"])
            market, asset = (identity(name(c, cells[c])) for c in ("market", "asset"))
            if cells["kind"] not in ORACLES:
                known = ", ".join(ORACLES)
                raise Refused(f"kind {shown(cells['kind'])} is not known: write {known}")
            source = _source(cells)
            first(seen, (protocol, market, asset), where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        row = ImportedOracle(market=market, asset=asset, oracle_kind=cells["kind"], source=source)
        found.add(protocol, row)
    return found.sorted(sheets)


def _source(cells: dict[str, str]) -> str:
    """What is read; nothing where the price is hard-coded."""
    if cells["kind"] == HARD_CODED:
        return ""
    if not cells["source"]:
        raise Refused(f"source is empty: only a {HARD_CODED} price has none")
    return identity(name("source", cells["source"]))


KIND = ImportKind(
    adapter="imported-lending",
    layouts=(LAYOUT,),
    row_types=(ImportedOracle,),
    read=read_oracles,
)
