"""Pools from files: what each row must satisfy by itself, and which rows are one pool.

A pool of more than two tokens is several rows of one venue, one for each pair of neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from defirisk.core.errors import UsageError
from defirisk.imports.judging import (
    MAX_DECIMALS,
    ImportKind,
    Line,
    Refused,
    Statements,
    first,
    identity,
    name,
    number,
    shown,
    stated,
    whole,
)
from defirisk.imports.pool_rows import DECIMALS, GENERATIONS, StatedPool, check_amounts, pool_rows
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.amm.imported_pools import KINDS
from defirisk.protocols.amm.imported_pools.rows import (
    ROWS,
    ImportedPool,
    ImportedReserve,
    ImportedTick,
)
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK

_NEEDED = ("venue", "kind", "asset_in", "asset_out")
_OPTIONAL = (
    *("reserve_in", "reserve_out", "fee", "amplification", "decimals_in", "decimals_out"),
    *("admin_fee", "generation", "sqrt_price_x96", "tick_spacing", "liquidity"),
    *("ticks_from", "ticks_to", "price", "cumulative_amount"),
)
POOLS = Layout(
    name="pools",
    columns=(*_NEEDED, *_OPTIONAL),
    optional=frozenset(_OPTIONAL),
    exact=frozenset(
        {"reserve_in", "reserve_out", "sqrt_price_x96", "liquidity", "cumulative_amount"}
    ),
)
TICKS = Layout(
    name="ticks", columns=("venue", "tick", "liquidity_net"), exact=frozenset({"liquidity_net"})
)


def read_pools(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged. Errors: `UsageError` where no file names the pools."""
    if not any(sheet.layout is POOLS for sheet in sheets):
        raise UsageError("no file names the pools: give one that begins with venue,kind,asset_in")
    found = Statements.of(
        sheets,
        {ImportedPool: "pools", ImportedReserve: "assets", ImportedTick: "ticks"},
    )
    pools: dict[str, StatedPool] = {}
    for where, cells in stated(sheets, POOLS):
        for column in ("venue", "asset_in", "asset_out"):
            cells[column] = identity(cells[column])
        pool = pools.setdefault(cells["venue"], StatedPool(venue=cells["venue"]))
        pool.rows.append((where, cells))
        try:
            _judge(cells)
        except Refused as reason:
            found.refuse(where, reason)
            pool.bad = True
    _read_ticks(found, sheets, pools)
    for pool in pools.values():
        _take(found, pool)
    return found.sorted(sheets)


def _judge(cells: Mapping[str, str]) -> None:
    """What each row must satisfy by itself."""
    for column in ("venue", "asset_in", "asset_out"):
        name(column, cells[column])
    if cells["kind"] not in KINDS:
        raise Refused(f"kind {shown(cells['kind'])} is not known: write {', '.join(KINDS)}")
    if cells["asset_in"] == cells["asset_out"]:
        raise Refused(f"asset_in and asset_out are both {shown(cells['asset_in'])}")
    if number("fee", cells["fee"] or "0") >= 1:
        raise Refused(f"fee {cells['fee']} is not below 1: write 0.3 % as 0.003")
    if cells["generation"] not in ("", *GENERATIONS):
        known = ", ".join(GENERATIONS)
        raise Refused(f"generation {shown(cells['generation'])} is not known: write {known}")
    for column in ("decimals_in", "decimals_out"):
        if whole(column, cells[column] or DECIMALS) > MAX_DECIMALS:
            raise Refused(f"{column} {cells[column]} is above {MAX_DECIMALS}")
    check_amounts(cells)


def _read_ticks(
    found: Statements, sheets: Sequence[Sheet], pools: Mapping[str, StatedPool]
) -> None:
    seen: dict[tuple[str, int], Line] = {}
    for where, cells in stated(sheets, TICKS):
        pool = pools.get(identity(cells["venue"]))
        try:
            if pool is None:
                raise Refused(f"no pools file has venue {shown(cells['venue'])}")
            tick = whole("tick", cells["tick"], least=None)
            if not MIN_TICK <= tick <= MAX_TICK:
                raise Refused(f"tick {tick} is not between {MIN_TICK} and {MAX_TICK}")
            first(seen, (pool.venue, tick), where)
            pool.ticks[tick] = whole("liquidity_net", cells["liquidity_net"], least=None)
        except Refused as reason:
            found.refuse(where, reason)
            if pool is not None:
                pool.bad = True


def _take(found: Statements, pool: StatedPool) -> None:
    """The pool, if every row of it can be taken: half a pool is none."""
    if pool.bad:
        return
    try:
        made, cut = pool_rows(pool)
    except (Refused, UsageError) as reason:
        found.refuse(pool.rows[0][0], reason)
        return
    found.cut_amounts += cut
    for row in made:
        found.add(pool.venue, row)


KIND = ImportKind(adapter="imported-pools", layouts=(POOLS, TICKS), row_types=ROWS, read=read_pools)
