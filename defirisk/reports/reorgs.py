"""Reorgs that were noticed, in every format."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.reports.model import Column, Header, Report, Run, Table
from defirisk.store.reorgs import Reorg

_COLUMNS = (
    Column("chain_id", "Chain", "text"),
    Column("detected_ts", "Noticed", "time"),
    Column("ancestor", "Last common block", "int"),
    Column("depth", "Depth", "int"),
    Column("block", "First replaced", "int"),
    Column("old_hash", "Its hash was", "text"),
    Column("new_hash", "and is", "text"),
)


def table(reorgs: Sequence[Reorg]) -> Table:
    """One row for each, in the given order."""
    rows = tuple(
        (
            str(one.chain_id),
            one.detected_ts,
            one.ancestor,
            one.depth,
            one.block_number,
            one.old_hash,
            one.new_hash,
        )
        for one in reorgs
    )
    empty = "no reorg was noticed"
    return Table(name="reorgs", title="Reorgs", columns=_COLUMNS, rows=rows, empty=empty)


def build(reorgs: Sequence[Reorg], *, run: Run) -> Report:
    """The log of reorgs, the latest first."""
    return Report(
        title="Reorgs",
        header=Header(run=run),
        lead=(table(reorgs),),
        data={"reorgs": [one._asdict() for one in reorgs]},
        csv="reorgs",
    )
