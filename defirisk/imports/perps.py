"""Perpetuals from files: positions, tiers of margin requirements, further collateral."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from defirisk.core.errors import UsageError
from defirisk.core.margin import Mode
from defirisk.imports.judging import (
    ImportKind,
    Line,
    Refused,
    Statements,
    amount,
    first,
    identity,
    name,
    number,
    price_usd,
    shown,
    stated,
)
from defirisk.imports.perps_dumps import dumped
from defirisk.imports.perps_layouts import COLLATERAL, LAYOUTS, PERPS
from defirisk.imports.perps_tiers import Tiers, fraction, read_tiers
from defirisk.imports.reading import Sheet
from defirisk.protocols.perps.imported_perps.accounts import unit_name
from defirisk.protocols.perps.imported_perps.holdings import USD
from defirisk.protocols.perps.imported_perps.rows import (
    PLACES,
    ImportedCollateral,
    ImportedPerp,
    ImportedTier,
)

MODES = tuple(mode.value for mode in Mode)
COUNTED = {ImportedPerp: "positions", ImportedTier: "tiers", ImportedCollateral: "collateral"}


@dataclass(kw_only=True)
class _Known:
    """What earlier rows said, and later ones must agree with."""

    price: dict[tuple[str, str], tuple[Fraction, Line]] = field(default_factory=dict)
    asset: dict[tuple[str, str], tuple[str, Line]] = field(default_factory=dict)
    unit: dict[tuple[str, str], tuple[tuple[str, ...], Line]] = field(default_factory=dict)
    seen: dict[tuple[str, ...], Line] = field(default_factory=dict)


def read_perps(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged. Errors: `UsageError` where no file has positions."""
    if not any(sheet.layout is PERPS for sheet in sheets):
        columns = ",".join(PERPS.columns)
        raise UsageError(f"no file has the positions: give one with the columns {columns}")
    found, known = Statements.of(sheets, COUNTED), _Known()
    protocols = {cells["protocol"] for _, cells in stated(sheets, PERPS)}
    tiers = read_tiers(found, sheets, protocols)
    for where, cells in stated(sheets, PERPS):
        try:
            row, cut = _position(cells, tiers)
            _agrees(known, cells["protocol"], row, where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        found.cut_amounts += cut
        found.add(cells["protocol"], row)
    _read_collateral(found, known, sheets, protocols)
    tiers.put(found)
    return found.sorted(sheets)


def _position(cells: dict[str, str], tiers: Tiers) -> tuple[ImportedPerp, int]:
    """The row, and how many of its amounts were cut."""
    protocol = name("protocol", cells["protocol"])
    market, account, asset = (
        identity(name(column, cells[column])) for column in ("market", "account", "asset")
    )
    if cells["mode"] not in MODES:
        raise Refused(f"mode {shown(cells['mode'])} is unknown: write {' or '.join(MODES)}")
    size, cut_size = _signed("size", cells["size"])
    price_usd("entry_price_usd", cells["entry_price_usd"])
    _price(asset, cells["price_usd"])
    margin, cut_margin = _signed("margin_usd", cells["margin_usd"])
    if margin < 0 and cells["mode"] == Mode.ISOLATED:
        raise Refused(
            f"margin_usd {cells['margin_usd']} is negative: only accounts in cross mode can owe"
        )
    ratio = cells["maintenance_margin"]
    if ratio:
        fraction("maintenance_margin", ratio)
    tiers.must_know(protocol, asset, ratio)
    row = ImportedPerp(
        market=market,
        account=account,
        asset=asset,
        size_raw=size,
        entry_price_usd=cells["entry_price_usd"],
        margin_raw=margin,
        maintenance_margin=ratio,
        mode=cells["mode"],
        price_usd=cells["price_usd"],
    )
    return row, cut_size + cut_margin


def _agrees(known: _Known, protocol: str, row: ImportedPerp, where: Line) -> None:
    """One asset has one price, a market one asset, and a unit's name means one unit."""
    _same_price(known, protocol, row.asset, row.price_usd, where)
    asset, before = known.asset.setdefault((protocol, row.market), (row.asset, where))
    if asset != row.asset:
        raise Refused(
            f"market {shown(row.market)} has asset {shown(asset)} in line {before.line} already"
        )
    isolated = row.mode == Mode.ISOLATED
    _one_unit(known, protocol, row.account, row.market if isolated else None, where)
    first(known.seen, ("position", protocol, row.market, row.account), where)


def _one_unit(known: _Known, protocol: str, account: str, market: str | None, where: Line) -> None:
    """A colon in a name could make two units of one name."""
    mode = Mode.CROSS if market is None else Mode.ISOLATED
    unit = unit_name(account, market or "", mode)
    parts = (account,) if market is None else (account, market)
    said, before = known.unit.setdefault((protocol, unit), (parts, where))
    if said != parts:
        raise Refused(
            f"account {shown(account)} cannot be told from {shown(said[0])} of line "
            f"{before.line}: both make {shown(unit)}, write one without the colon"
        )


def _same_price(known: _Known, protocol: str, asset: str, text: str, where: Line) -> None:
    value = number("price_usd", text)
    price, before = known.price.setdefault((protocol, asset), (value, where))
    if price != value:
        raise Refused(
            f"price_usd {shown(text)} of {shown(asset)} is not the one of line {before.line} of "
            f"{before.file}: an asset has one price in a protocol"
        )


def _read_collateral(
    found: Statements, known: _Known, sheets: Sequence[Sheet], protocols: set[str]
) -> None:
    for where, cells in stated(sheets, COLLATERAL):
        try:
            row, cut = _collateral(cells, protocols)
            protocol = cells["protocol"]
            _same_price(known, protocol, row.asset, row.price_usd, where)
            _one_unit(known, protocol, row.account, None, where)
            first(known.seen, ("collateral", protocol, row.account, row.asset), where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        found.cut_amounts += cut
        found.add(protocol, row)


def _collateral(cells: dict[str, str], protocols: set[str]) -> tuple[ImportedCollateral, int]:
    if name("protocol", cells["protocol"]) not in protocols:
        raise Refused(f"no file of positions has protocol {shown(cells['protocol'])}")
    account, asset = (identity(name(column, cells[column])) for column in ("account", "asset"))
    if cells["amount"].startswith("-"):
        raise Refused(
            f"amount {shown(cells['amount'])} is negative: what is owed is a negative margin_usd "
            "of a cross position"
        )
    raw, cut = amount("amount", cells["amount"], PLACES)
    _price(asset, cells["price_usd"])
    fraction("haircut", cells["haircut"])
    row = ImportedCollateral(
        account=account,
        asset=asset,
        amount_raw=raw,
        haircut=cells["haircut"],
        price_usd=cells["price_usd"],
    )
    return row, cut


def _price(asset: str, text: str) -> None:
    price_usd("price_usd", text)
    if not number("price_usd", text):
        raise Refused("price_usd is 0: at no price nothing can be said of a margin")
    if asset == USD and number("price_usd", text) != 1:
        raise Refused(f"price_usd {shown(text)} of {USD}: all prices are in it, so it is 1")


def _signed(column: str, text: str) -> tuple[int, bool]:
    """Base units of an amount that may be negative, and whether digits were cut for it."""
    number(column, text, least=None)
    raw, cut = amount(column, text.lstrip("+-"), PLACES)
    return -raw if text.startswith("-") else raw, cut


KIND = ImportKind(
    adapter="imported-perps",
    layouts=LAYOUTS,
    row_types=(ImportedPerp, ImportedTier, ImportedCollateral),
    read=read_perps,
    dump=dumped,
)
