"""Pools from files: reserves, ticks and depth tables, and what each row must satisfy.

A pool of more than two tokens is several rows of one venue, one for each pair of neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import gcd, isqrt

from defirisk.core.errors import UsageError
from defirisk.core.row import Row
from defirisk.imports.decimal_text import to_raw
from defirisk.imports.judging import (
    MAX_DECIMALS,
    MAX_RAW,
    ImportKind,
    Line,
    Refused,
    Statements,
    first,
    name,
    number,
    shown,
    stated,
    whole,
)
from defirisk.imports.reading import Layout, Sheet
from defirisk.protocols.amm.imported_pools import KINDS, pool_of
from defirisk.protocols.amm.imported_pools.rows import (
    ROWS,
    ImportedDepth,
    ImportedPool,
    ImportedReserve,
    ImportedTick,
)
from defirisk.swaps.tick_math import tick_at_sqrt_ratio

POOLS = Layout(
    name="pools",
    columns=(
        *("venue", "kind", "asset_in", "asset_out", "reserve_in", "reserve_out"),
        *("fee", "amplification", "decimals_in", "decimals_out"),
        *("sqrt_price_x96", "tick_spacing", "liquidity", "price", "cumulative_amount"),
    ),
    optional=frozenset(
        {
            *("reserve_in", "reserve_out", "fee", "amplification", "decimals_in", "decimals_out"),
            *("sqrt_price_x96", "tick_spacing", "liquidity", "price", "cumulative_amount"),
        }
    ),
    exact=frozenset({"reserve_in", "reserve_out", "sqrt_price_x96", "liquidity"}),
)
TICKS = Layout(
    name="ticks", columns=("venue", "tick", "liquidity_net"), exact=frozenset({"liquidity_net"})
)
DECIMALS = "18"
MAX_AMPLIFICATION = 10**6
Cells = dict[str, str]


@dataclass(kw_only=True)
class _Venue:
    """All rows of one pool, and what is wrong with any of them."""

    rows: list[tuple[Line, Cells]] = field(default_factory=list)
    ticks: dict[int, int] = field(default_factory=dict)
    bad: bool = False


def read_pools(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged. Errors: `UsageError` where no file names the pools."""
    if not any(sheet.layout is POOLS for sheet in sheets):
        raise UsageError("no file names the pools: give one that begins with venue,kind,asset_in")
    found = Statements.of(
        sheets,
        {ImportedPool: "pools", ImportedReserve: "assets", ImportedTick: "ticks"},
    )
    venues: dict[str, _Venue] = {}
    for where, cells in stated(sheets, POOLS):
        venues.setdefault(cells["venue"], _Venue()).rows.append((where, cells))
    _read_ticks(found, sheets, venues)
    for venue, pool in venues.items():
        _take(found, venue, pool)
    return found.sorted(sheets)


def _read_ticks(found: Statements, sheets: Sequence[Sheet], venues: dict[str, _Venue]) -> None:
    seen: dict[tuple[str, int], Line] = {}
    for where, cells in stated(sheets, TICKS):
        try:
            if cells["venue"] not in venues:
                raise Refused(f"no pools file has venue {shown(cells['venue'])}")
            tick = whole("tick", cells["tick"], least=None)
            first(seen, (cells["venue"], tick), where)
            net = whole("liquidity_net", cells["liquidity_net"], least=None)
            venues[cells["venue"]].ticks[tick] = net
        except Refused as reason:
            found.refuse(where, reason)
            if cells["venue"] in venues:
                venues[cells["venue"]].bad = True


def _take(found: Statements, venue: str, pool: _Venue) -> None:
    """The pool, if every row of it can be taken: half a pool is none."""
    for where, cells in pool.rows:
        try:
            _judge(cells)
        except Refused as reason:
            found.refuse(where, reason)
            pool.bad = True
    if pool.bad:
        return
    try:
        made = _rows(venue, pool)
    except (Refused, UsageError) as reason:
        found.refuse(pool.rows[0][0], reason)
        return
    for row in made:
        found.add(venue, row)


def _judge(cells: Cells) -> None:
    """What each row must satisfy by itself."""
    for column in ("venue", "asset_in", "asset_out"):
        name(column, cells[column])
    if cells["kind"] not in KINDS:
        raise Refused(f"kind {shown(cells['kind'])} is not known: write {', '.join(KINDS)}")
    if cells["asset_in"] == cells["asset_out"]:
        raise Refused(f"asset_in and asset_out are both {shown(cells['asset_in'])}")
    if number("fee", cells["fee"] or "0") >= 1:
        raise Refused(f"fee {cells['fee']} is not below 1: write 0.3 % as 0.003")
    for column in ("decimals_in", "decimals_out"):
        if whole(column, cells[column] or DECIMALS) > MAX_DECIMALS:
            raise Refused(f"{column} {cells[column]} is above {MAX_DECIMALS}")


def _rows(venue: str, pool: _Venue) -> list[Row]:
    kinds = {cells["kind"] for _, cells in pool.rows}
    if len(kinds) > 1:
        raise Refused(f"venue {shown(venue)} is of several kinds: {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    if kind not in ("stableswap", "depth") and len(pool.rows) > 1:
        raise Refused(f"a {kind} pool has two assets, and one row: duplicate")
    if pool.ticks and kind != "uniswap-v3":
        raise Refused(f"a {kind} pool has no ticks")
    reserves = _reserves(venue, kind, pool)
    levels = _levels(venue, pool, reserves[0].decimals) if kind == "depth" else []
    ticks = [ImportedTick(venue=venue, tick=t, liquidity_net=n) for t, n in pool.ticks.items()]
    row = _pool(venue, kind, pool, reserves)
    pool_of(row, reserves, ticks, levels)  # refuses what cannot be one pool at one time
    return [row, *reserves, *ticks, *levels]


def _reserves(venue: str, kind: str, pool: _Venue) -> list[ImportedReserve]:
    """The tokens in the order in which they are first named; what is said twice must agree."""
    found: dict[str, tuple[int, int]] = {}
    holds = kind in ("constant-product", "stableswap")
    for _, cells in pool.rows:
        for side in ("in", "out"):
            asset = cells[f"asset_{side}"]
            decimals = whole(f"decimals_{side}", cells[f"decimals_{side}"] or DECIMALS)
            raw = _amount(f"reserve_{side}", cells[f"reserve_{side}"], decimals) if holds else 0
            if found.setdefault(asset, (decimals, raw)) != (decimals, raw):
                raise Refused(f"{shown(asset)} has two different reserves in {shown(venue)}")
    return [
        ImportedReserve(venue=venue, place=at, asset=asset, decimals=decimals, reserve_raw=raw)
        for at, (asset, (decimals, raw)) in enumerate(found.items())
    ]


def _amount(column: str, text: str, decimals: int) -> int:
    in_units = to_raw(text, decimals)
    if in_units is None or text.startswith("-"):
        number(column, text)
    raw = in_units[0] if in_units else 0
    if raw >= MAX_RAW:
        raise Refused(f"{column} {shown(text)} does not fit into 256 bits")
    return raw


def _pool(venue: str, kind: str, pool: _Venue, reserves: Sequence[ImportedReserve]) -> ImportedPool:
    cells = pool.rows[0][1]
    if len({(c["fee"], c["amplification"]) for _, c in pool.rows}) > 1:
        raise Refused(f"{shown(venue)} has several fees or amplifications")
    amplification = number("amplification", cells["amplification"] or "0")
    if kind == "stableswap" and not 1 <= amplification <= MAX_AMPLIFICATION:
        raise Refused(f"a stableswap needs an amplification from 1 to {MAX_AMPLIFICATION}")
    root = spacing = liquidity = 0
    if kind == "uniswap-v3":
        if not pool.ticks:
            raise Refused(f"no ticks file has venue {shown(venue)}: give one with {_TICK_COLUMNS}")
        root = _root(cells, reserves)
        spacing = whole("tick_spacing", cells["tick_spacing"] or str(gcd(*pool.ticks) or 1))
        liquidity = _liquidity(cells, root, pool.ticks)
    return ImportedPool(
        venue=venue,
        kind=kind,
        fee=cells["fee"] or "0",
        amplification=cells["amplification"] or "0",
        sqrt_price_x96=root,
        tick_spacing=spacing or 1,
        liquidity=liquidity,
    )


_TICK_COLUMNS = ",".join(TICKS.columns)


def _root(cells: Cells, reserves: Sequence[ImportedReserve]) -> int:
    """sqrt_price_x96 as stated, or of a price in whole tokens."""
    if cells["sqrt_price_x96"]:
        return whole("sqrt_price_x96", cells["sqrt_price_x96"])
    if not cells["price"]:
        raise Refused("a uniswap-v3 pool needs sqrt_price_x96, or price (asset_out per asset_in)")
    scale = Fraction(10 ** reserves[1].decimals, 10 ** reserves[0].decimals)
    raw = number("price", cells["price"]) * scale
    return isqrt((raw.numerator << 192) // raw.denominator)


def _liquidity(cells: Cells, root: int, ticks: dict[int, int]) -> int:
    """As stated, or what the ticks up to the price add up to."""
    if cells["liquidity"]:
        return whole("liquidity", cells["liquidity"])
    now = tick_at_sqrt_ratio(root)
    return sum(net for tick, net in ticks.items() if tick <= now)


def _levels(venue: str, pool: _Venue, decimals: int) -> list[ImportedDepth]:
    """The best price first; each must take more than the better ones together."""
    levels = []
    pair = {(cells["asset_in"], cells["asset_out"]) for _, cells in pool.rows}
    if len(pair) > 1:
        raise Refused(f"the depth of {shown(venue)} is of several pairs: make them venues")
    for _, cells in pool.rows:
        amount = _amount("cumulative_amount", cells["cumulative_amount"], decimals)
        levels.append((number("price", cells["price"]), cells["price"], amount))
    levels.sort(key=lambda level: (-level[0], level[2]))
    for (better, _, before), (price, _, amount) in pairwise(levels):
        if price == better or amount <= before:
            raise Refused(f"cumulative_amount must rise as price falls: {before} and {amount}")
    return [
        ImportedDepth(venue=venue, level=at, price=text, cumulative_raw=amount)
        for at, (_, text, amount) in enumerate(levels)
    ]


KIND = ImportKind(adapter="imported-pools", layouts=(POOLS, TICKS), row_types=ROWS, read=read_pools)
