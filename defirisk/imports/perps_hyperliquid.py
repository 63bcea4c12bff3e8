"""Hyperliquid's accounts: what `clearinghouseState` says of each user, as rows.

What a position was paid with is kept as raw dollars (`rawUsd`, `totalRawUsd`): value is raw dollars
plus size times mark. With the size at its entry price added, they are the margin, whatever the mark
is. What must be kept is half of what opening at the highest leverage needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.imports.perps_dump_rows import Dumped, Malformed, Record
from defirisk.imports.perps_layouts import COLLATERAL, PERPS, TIERS

CASH = "USDC"
MAINTENANCE = Fraction(1, 2)
Tiers = list[tuple[Fraction, Fraction]]
"""Floors and the highest leverage from there on."""


def hyperliquid(dump: Record, rows: Dumped) -> None:
    """Keys: "clearinghouseStates" by user; "metaAndAssetCtxs" for tiers and marks, if known."""
    tiers = _meta(dump, rows)
    held: dict[str, Fraction] = {}
    for user, state in dump.named("clearinghouseStates"):
        for coin, leverage in _account(user, state, rows):
            held.setdefault(coin, leverage)
    for coin, leverage in held.items():
        for floor, highest in tiers.get(coin, [(Fraction(0), leverage)]):
            rows.add(
                TIERS,
                asset=coin,
                notional_floor_usd=floor,
                initial_margin=1 / highest,
                maintenance_margin=MAINTENANCE / highest,
                max_leverage=highest,
            )


def _account(user: str, state: Record, rows: Dumped) -> Iterator[tuple[str, Fraction]]:
    """Adds the positions of one user; yields the coins and their highest leverage."""
    every = (one.at("position") for one in state.every("assetPositions"))
    positions = [p for p in every if p.number("szi")]
    cross = state.at("crossMarginSummary").number("totalRawUsd")
    shared = [p for p in positions if p.at("leverage").text("type") == "cross"]
    cross += sum((_paid(p) for p in shared), Fraction(0))
    if cross < 0 and not shared:
        raise Malformed(f"{state.where}: it owes money and has no cross position")
    for p in positions:
        margin = Fraction(0)
        if p not in shared:
            margin = p.at("leverage").number("rawUsd") + _paid(p)
        elif cross < 0:
            # What an account owes stands with its first position: collateral is never negative.
            margin, cross = cross, Fraction(0)
        _position(user, p, margin, rows)
        yield p.text("coin"), _leverage(p)
    if cross > 0:
        price = rows.price(CASH, Fraction(1))
        rows.add(
            COLLATERAL,
            account=user,
            asset=CASH,
            amount=cross,
            haircut="0",
            price_usd=price,
        )


def _position(user: str, p: Record, margin: Fraction, rows: Dumped) -> None:
    coin, size = p.text("coin"), p.number("szi")
    mark = rows.price(coin, p.number("positionValue") / abs(size))
    rows.add(
        PERPS,
        market=coin,
        account=user,
        asset=coin,
        size=size,
        entry_price_usd=p.text("entryPx"),
        margin_usd=margin,
        maintenance_margin="",
        mode=p.at("leverage").text("type"),
        price_usd=mark,
    )


def _paid(p: Record) -> Fraction:
    """For the position, less than 0 for a short."""
    return p.number("szi") * p.number("entryPx")


def _leverage(p: Record) -> Fraction:
    value = p.number("maxLeverage")
    if value < 1:
        raise Malformed(f"{p.where}: maxLeverage is below 1")
    return value


def _meta(dump: Record, rows: Dumped) -> Mapping[str, Tiers]:
    """Tiers by coin; takes the marks."""
    answer = dump.items("metaAndAssetCtxs")
    if not answer:
        return {}
    if len(answer) != 2 or not isinstance(answer[1], list):
        raise Malformed("metaAndAssetCtxs is no list of meta and contexts")
    meta = Record(answer[0], "meta")
    tables = {
        str(pair[0]): _table(Record(pair[1], f"margin table {pair[0]}"))
        for pair in meta.items("marginTables")
        if isinstance(pair, list) and len(pair) == 2
    }
    found: dict[str, Tiers] = {}
    for place, one in enumerate(meta.every("universe")):
        coin = one.text("name")
        if place < len(answer[1]):
            context = Record(answer[1][place], f"context of {coin[:60]!r}")
            if context.number("markPx", "0"):
                rows.price(coin, context.number("markPx"))
        table = tables.get(one.text("marginTableId", ""))
        found[coin] = table or [(Fraction(0), _leverage(one))]
    return found


def _table(table: Record) -> Tiers:
    return [(tier.number("lowerBound"), _leverage(tier)) for tier in table.every("marginTiers")]
