"""Binance's USDⓈ-M futures: one account's positions, balances and brackets as rows.

In multi-assets mode everything in cross mode is one account; else each margin asset is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from defirisk.imports.perps_dump_rows import Dumped, Malformed, Record
from defirisk.imports.perps_layouts import COLLATERAL, PERPS, TIERS

Owed = dict[str, Fraction]
"""What accounts owe in cross mode, USD below 0."""


def binance(dump: Record, rows: Dumped) -> None:
    """Keys: "name" of the account, "multiAssetsMargin", "positionRisk", "account",
    "leverageBracket", "assetIndex".
    """
    positions = [one for one in dump.every("positionRisk") if _is_open(one)]
    for one in positions:
        rows.price(_asset(one), one.number("markPrice"))
    tiers = {one.text("symbol"): one for one in dump.every("leverageBracket")}
    _tiers(positions, tiers, rows)
    owed = _collateral(dump, positions, rows)
    for one in positions:
        account = _account(dump, one.text("marginAsset"))
        isolated = _is_isolated(one)
        margin = one.number("isolatedWallet") if isolated else owed.pop(account, Fraction(0))
        rows.add(
            PERPS,
            market=_market(one),
            account=account,
            asset=_asset(one),
            size=one.number("positionAmt"),
            entry_price_usd=one.text("entryPrice"),
            margin_usd=margin,
            maintenance_margin="" if one.text("symbol") in tiers else _ratio(one),
            mode="isolated" if isolated else "cross",
            price_usd=rows.prices[_asset(one)],
        )
    if owed:
        raise Malformed("assets: a balance is negative, and no cross position stands against it")


def _is_open(one: Record) -> bool:
    return one.number("positionAmt") != 0


def _is_isolated(one: Record) -> bool:
    """Version 2 of the answer says so; version 3 only says what an isolated position has."""
    if "marginType" in one:
        return one.text("marginType").lower() == "isolated"
    return one.number("isolatedWallet") != 0


def _account(dump: Record, asset: str) -> str:
    name = dump.text("name")
    return name if dump.flag("multiAssetsMargin") else f"{name}/{asset}"


def _market(one: Record) -> str:
    """In hedge mode an account may have two positions of a symbol."""
    side = one.text("positionSide", "BOTH")
    return one.text("symbol") if side == "BOTH" else f"{one.text('symbol')} {side}"


def _asset(one: Record) -> str:
    """The symbol without the asset that it is traded against, and without its delivery day."""
    symbol = one.text("symbol").partition("_")[0]
    return symbol.removesuffix(one.text("marginAsset")) or symbol


def _ratio(one: Record) -> Fraction:
    """What must be kept now, as a part of the notional: right until the bracket changes."""
    notional = abs(one.number("notional"))
    if not notional:
        raise Malformed(f"{one.where} has no notional, and leverageBracket not its symbol")
    return one.number("maintMargin") / notional


def _tiers(positions: Iterable[Record], tiers: dict[str, Record], rows: Dumped) -> None:
    done: dict[str, tuple[str, list[tuple[Fraction, Fraction, Fraction]]]] = {}
    for one in positions:
        symbol, asset = one.text("symbol"), _asset(one)
        if symbol not in tiers:
            continue
        own = _brackets(symbol, tiers[symbol])
        other, before = done.setdefault(asset, (symbol, own))
        if before != own:
            raise Malformed(
                f"{symbol} and {other} have different brackets, but are one asset in an import: "
                "dump them apart"
            )
        if other != symbol or before is not own:
            continue
        for floor, leverage, ratio in own:
            rows.add(
                TIERS,
                asset=asset,
                notional_floor_usd=floor,
                initial_margin=1 / leverage,
                maintenance_margin=ratio,
                max_leverage=leverage,
            )


def _brackets(symbol: str, of: Record) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Floor, leverage and maintenance ratio of each; `cum` must be what follows from them."""
    found: list[tuple[Fraction, Fraction, Fraction]] = []
    amount, before = Fraction(0), Fraction(0)
    for one in of.every("brackets"):
        floor, ratio = one.number("notionalFloor"), one.number("maintMarginRatio")
        leverage = one.number("initialLeverage")
        if leverage < 1:
            raise Malformed(f"{one.where}: initialLeverage is below 1")
        amount += floor * (ratio - before)
        if abs(one.number("cum") - amount) > 1:
            raise Malformed(
                f"brackets of {symbol}: cum {one.text('cum')} is not {float(amount):g}, which "
                "follows from floors and ratios"
            )
        before = ratio
        found.append((floor, leverage, ratio))
    return found


def _collateral(dump: Record, positions: Iterable[Record], rows: Dumped) -> Owed:
    """Adds what backs cross positions; returns what is owed instead."""
    index = {one.text("symbol"): one for one in dump.every("assetIndex")}
    several = dump.flag("multiAssetsMargin")
    margins = {one.text("marginAsset") for one in positions}
    owed: Owed = {}
    for one in dump.at("account").every("assets"):
        asset, balance = one.text("asset"), one.number("crossWalletBalance")
        if not balance or not (several or asset in margins):
            continue
        known = index.get(f"{asset}USD") if several else None
        price = rows.price(asset, Fraction(1) if known is None else known.number("index"))
        account = _account(dump, asset)
        if balance < 0:
            owed[account] = owed.get(account, Fraction(0)) + balance * price
            continue
        rows.add(
            COLLATERAL,
            account=account,
            asset=asset,
            amount=balance,
            haircut=Fraction(0) if known is None else known.number("bidBuffer"),
            price_usd=price,
        )
    return owed
