"""One pool from all that files state of it: its rows, or why there is no such pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import gcd, isqrt

from defirisk.core.position import decimal_text
from defirisk.core.row import Row
from defirisk.imports.judging import Line, Refused, amount, number, shown, whole
from defirisk.protocols.amm.imported_pools import pool_of
from defirisk.protocols.amm.imported_pools.rows import (
    ImportedDepth,
    ImportedPool,
    ImportedReserve,
    ImportedTick,
)
from defirisk.swaps.constant_product import MAX_RESERVE
from defirisk.swaps.stableswap import FEE_DENOMINATOR, Generation
from defirisk.swaps.swap_math import PIPS
from defirisk.swaps.tick_math import MAX_TICK, MIN_TICK, tick_at_sqrt_ratio

DECIMALS = "18"
GENERATIONS = tuple(one.name.lower() for one in Generation)
MAX_AMPLIFICATION = 10**6
MAX_COINS = 8
MAX_STABLE_DECIMALS = 36
"""The contract multiplies with 10 ** (36 - decimals)."""
MAX_PRICE = 10**30
MAX_SPACING = 16383
"""Of the factory's own: it takes spacings below 16384."""
HELD = ("constant-product", "stableswap")
"""Kinds whose state is what the pool holds."""
Cells = Mapping[str, str]


@dataclass(kw_only=True)
class StatedPool:
    """All rows of one venue, its ticks, and whether anything is wrong with any of them."""

    venue: str
    rows: list[tuple[Line, Cells]] = field(default_factory=list)
    ticks: dict[int, int] = field(default_factory=dict)
    bad: bool = False


def pool_rows(pool: StatedPool) -> tuple[list[Row], int]:
    """The rows of the pool, and how many amounts were cut to the decimals of their token.

    Errors: `Refused` and `UsageError` where what is stated is no pool.
    """
    kind = _kind(pool)
    reserves, cut = _reserves(pool)
    levels, cut_levels = _levels(pool, reserves[0].decimals) if kind == "depth" else ([], 0)
    ticks = [
        ImportedTick(venue=pool.venue, tick=tick, liquidity_net=net)
        for tick, net in sorted(pool.ticks.items())
    ]
    row = _pool(kind, pool, reserves)
    pool_of(row, reserves, ticks, levels)  # refuses what cannot be one pool at one time
    return [row, *reserves, *ticks, *levels], cut + cut_levels


def _kind(pool: StatedPool) -> str:
    kinds = {cells["kind"] for _, cells in pool.rows}
    if len(kinds) > 1:
        listed = ", ".join(sorted(kinds))
        raise Refused(f"venue {shown(pool.venue)} is of several kinds: {listed}")
    kind = kinds.pop()
    if kind not in ("stableswap", "depth") and len(pool.rows) > 1:
        raise Refused(f"a {kind} pool has two assets, and one row: duplicate")
    if pool.ticks and kind != "uniswap-v3":
        raise Refused(f"a {kind} pool has no ticks")
    return kind


def check_amounts(cells: Cells) -> None:
    """What a row states of amounts, by itself. Errors: `Refused`."""
    if cells["kind"] in HELD:
        for side in ("in", "out"):
            _reserve(cells, side)
    if cells["kind"] == "depth":
        _level(cells)


def _reserve(cells: Cells, side: str) -> tuple[int, int, bool]:
    """Decimals, base units, and whether digits had to be cut."""
    kind, column = cells["kind"], f"reserve_{side}"
    decimals = whole(f"decimals_{side}", cells[f"decimals_{side}"] or DECIMALS)
    if kind not in HELD:
        return decimals, 0, False
    if kind == "stableswap" and decimals > MAX_STABLE_DECIMALS:
        raise Refused(
            f"decimals_{side} {decimals} is above {MAX_STABLE_DECIMALS}, as no {kind} has"
        )
    raw, cut = amount(column, cells[column], decimals)
    if kind == "constant-product" and raw > MAX_RESERVE:
        raise Refused(f"{column} {shown(cells[column])} does not fit into 112 bits")
    return decimals, raw, cut


def _reserves(pool: StatedPool) -> tuple[list[ImportedReserve], int]:
    """The tokens in the order in which they are first named; what is said twice must agree."""
    found: dict[str, tuple[int, int, bool]] = {}
    for _, cells in pool.rows:
        for side in ("in", "out"):
            asset, stated = cells[f"asset_{side}"], _reserve(cells, side)
            if found.setdefault(asset, stated)[:2] != stated[:2]:
                raise Refused(f"{shown(asset)} has two different reserves in {shown(pool.venue)}")
    if len(found) > MAX_COINS:
        raise Refused(f"{shown(pool.venue)} has {len(found)} assets, more than {MAX_COINS}")
    rows = [
        ImportedReserve(venue=pool.venue, place=at, asset=asset, decimals=decimals, reserve_raw=raw)
        for at, (asset, (decimals, raw, _)) in enumerate(found.items())
    ]
    return rows, sum(cut for _, _, cut in found.values())


def _pool(kind: str, pool: StatedPool, reserves: Sequence[ImportedReserve]) -> ImportedPool:
    cells = pool.rows[0][1]
    said = ("fee", "admin_fee", "amplification", "generation")
    if len({tuple(row[column] for column in said) for _, row in pool.rows}) > 1:
        raise Refused(f"the rows of {shown(pool.venue)} differ in {', '.join(said)}")
    _check_fees(kind, cells)
    amplification = number("amplification", cells["amplification"] or "0")
    if kind == "stableswap" and not 1 <= amplification <= MAX_AMPLIFICATION:
        raise Refused(f"a stableswap needs an amplification from 1 to {MAX_AMPLIFICATION}")
    row = ImportedPool(
        venue=pool.venue,
        kind=kind,
        fee=cells["fee"] or "0",
        admin_fee=cells["admin_fee"] or "0",
        amplification=cells["amplification"] or "0",
        generation=cells["generation"] or GENERATIONS[0],
    )
    return _with_ranges(row, cells, pool, reserves) if kind == "uniswap-v3" else row


def _check_fees(kind: str, cells: Cells) -> None:
    """A fee that the pool could not keep would be computed with as another one."""
    parts = {"uniswap-v3": PIPS, "stableswap": FEE_DENOMINATOR}.get(kind)
    if parts and (number("fee", cells["fee"] or "0") * parts).denominator != 1:
        raise Refused(f"fee {cells['fee']} is no whole number of parts of {parts:,}")
    if kind == "depth" and number("fee", cells["fee"] or "0"):
        raise Refused(
            "the prices of a depth table are what is paid: take the fee off, leave it out"
        )
    taken = number("admin_fee", cells["admin_fee"] or "0")
    if taken > 1:
        raise Refused(f"admin_fee {cells['admin_fee']} is above 1: it is a part of the fee")
    if kind == "constant-product" and taken not in (0, 1):
        raise Refused("the fee of a constant-product pool stays (admin_fee 0) or leaves (1)")


def _with_ranges(
    row: ImportedPool, cells: Cells, pool: StatedPool, reserves: Sequence[ImportedReserve]
) -> ImportedPool:
    if not pool.ticks:
        columns = "venue,tick,liquidity_net"
        raise Refused(f"no ticks file has venue {shown(pool.venue)}: give one with {columns}")
    root = _root(cells, reserves)
    now = tick_at_sqrt_ratio(root)
    spacing = whole("tick_spacing", cells["tick_spacing"] or str(gcd(*pool.ticks) or 1))
    if not 1 <= spacing <= MAX_SPACING and cells["tick_spacing"]:
        raise Refused(f"tick_spacing {spacing} is not between 1 and {MAX_SPACING}")
    lowest, highest = (
        whole(column, cells[column] or str(default), least=None)
        for column, default in (("ticks_from", MIN_TICK), ("ticks_to", MAX_TICK))
    )
    if not MIN_TICK <= lowest <= now <= highest <= MAX_TICK:
        raise Refused(f"the price's tick, {now}, is not between ticks_from and ticks_to")
    known = (lowest, highest) == (MIN_TICK, MAX_TICK)
    if not known and not cells["liquidity"]:
        raise Refused("where not all ticks are given, liquidity must be")
    given = sum(net for tick, net in pool.ticks.items() if tick <= now)
    return ImportedPool(
        venue=row.venue,
        kind=row.kind,
        fee=row.fee,
        sqrt_price_x96=root,
        tick_spacing=spacing,
        liquidity=whole("liquidity", cells["liquidity"] or str(max(given, 0))),
        ticks_from=lowest,
        ticks_to=highest,
    )


def _root(cells: Cells, reserves: Sequence[ImportedReserve]) -> int:
    """sqrt_price_x96 as stated, or of a price in whole tokens."""
    if cells["sqrt_price_x96"]:
        return whole("sqrt_price_x96", cells["sqrt_price_x96"])
    if not cells["price"]:
        raise Refused("a uniswap-v3 pool needs sqrt_price_x96, or price (asset_out per asset_in)")
    scale = Fraction(10 ** reserves[1].decimals, 10 ** reserves[0].decimals)
    raw = number("price", cells["price"]) * scale
    return isqrt((raw.numerator << 192) // raw.denominator)


def _level(cells: Cells) -> tuple[Fraction, int, bool]:
    """Price, base units that are taken at it or better, and whether digits had to be cut."""
    decimals = whole("decimals_in", cells["decimals_in"] or DECIMALS)
    raw, cut = amount("cumulative_amount", cells["cumulative_amount"], decimals)
    price = number("price", cells["price"])
    if price > MAX_PRICE:
        raise Refused(f"price is above {MAX_PRICE:.0e}: mistyped?")
    if price == 0 or raw == 0:
        raise Refused("a level of depth needs a price and a cumulative_amount above 0")
    return price, raw, cut


def _levels(pool: StatedPool, decimals: int) -> tuple[list[ImportedDepth], int]:
    """The best price first; each must take more than the better ones together."""
    if len({(cells["asset_in"], cells["asset_out"]) for _, cells in pool.rows}) > 1:
        raise Refused(f"the depth of {shown(pool.venue)} is of several pairs: make them venues")
    levels = [(*_level(cells), cells["price"]) for _, cells in pool.rows]
    levels.sort(key=lambda level: (-level[0], level[1]))
    for (better, before, *_), (price, raw, *_) in pairwise(levels):
        if price == better or raw <= before:
            raise Refused(
                "cumulative_amount must rise from each price to the next lower one: "
                f"{decimal_text(before, decimals)} and {decimal_text(raw, decimals)}"
            )
    rows = [
        ImportedDepth(venue=pool.venue, level=at, price=text, cumulative_raw=raw)
        for at, (_, raw, _, text) in enumerate(levels)
    ]
    return rows, sum(cut for _, _, cut, _ in levels)
