"""Lending positions and markets from files: what each row must satisfy, and what it becomes.

The columns are those of the command line contract; which file is which is decided by the headers,
so files may come in any order, and several of a kind are read as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from defirisk.core.errors import UsageError
from defirisk.core.importing import ImportedProtocol, Refusal
from defirisk.imports.decimal_text import exact
from defirisk.imports.judging import (
    MAX_DECIMALS,
    MAX_NAME,
    ImportKind,
    Line,
    Refused,
    Rows,
    amount,
    first,
    identity,
    number,
    price_usd,
    shown,
)
from defirisk.imports.reading import Cells, Layout, Sheet
from defirisk.protocols.lending.imported_lending.holdings import SIDES
from defirisk.protocols.lending.imported_lending.rows import ImportedMarket, ImportedPosition

POSITIONS = Layout(
    name="positions",
    columns=("protocol", "market", "account", "asset", "side", "amount"),
    exact=frozenset({"amount"}),
)
_FRACTIONS = ("ltv", "liquidation_threshold", "liquidation_bonus", "close_factor")
MARKETS = Layout(
    name="markets",
    columns=("protocol", "market", "asset", "decimals", "price_usd", *_FRACTIONS),
    optional=frozenset({"decimals"}),
)
LAYOUTS = (POSITIONS, MARKETS)

DECIMALS = 18
Place = tuple[str, str, str]  # protocol, market, asset


@dataclass(kw_only=True)
class Lending:
    """What passed, by protocol, and what did not."""

    markets: dict[str, list[ImportedMarket]] = field(default_factory=dict)
    positions: dict[str, list[ImportedPosition]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    rows_read: int = 0
    cut_amounts: int = 0

    def rows(self) -> Mapping[str, Rows]:
        """What passed, by protocol."""
        return {
            name: {ImportedMarket: rows, ImportedPosition: self.positions.get(name, ())}
            for name, rows in self.markets.items()
        }

    def protocols(self) -> tuple[ImportedProtocol, ...]:
        """How much of each protocol passed."""
        return tuple(
            ImportedProtocol(
                protocol=name,
                counts={
                    "markets": len(rows),
                    "accounts": len({row.account for row in self.positions.get(name, ())}),
                    "positions": len(self.positions.get(name, ())),
                },
            )
            for name, rows in self.markets.items()
        )


def read_lending(sheets: Sequence[Sheet]) -> Lending:
    """Every row of the files, judged. Errors: `UsageError` where no file names the markets."""
    if not any(sheet.layout is MARKETS for sheet in sheets):
        raise UsageError(
            f"no file names the markets: give one with the columns {','.join(MARKETS.columns)}"
        )
    found = Lending(rows_read=sum(sheet.read for sheet in sheets))
    found.refused += [refusal for sheet in sheets for refusal in sheet.refused]
    decimals = _read_markets(found, (sheet for sheet in sheets if sheet.layout is MARKETS))
    _read_positions(found, (s for s in sheets if s.layout is POSITIONS), decimals)
    order = {sheet.file: at for at, sheet in enumerate(sheets)}
    found.refused.sort(key=lambda refusal: (order[refusal.file], refusal.line))
    return found


def _read_markets(found: Lending, sheets: Iterable[Sheet]) -> dict[Place, int]:
    """Takes the markets; returns the decimals of each."""
    seen: dict[Place, Line] = {}
    decimals: dict[Place, int] = {}
    for where, cells in _rows(sheets):
        try:
            protocol, market, asset = place = _place(*cells[:3])
            first(seen, place, where)
            row = _market(market, asset, cells)
        except Refused as reason:
            found.refused.append(Refusal(file=where.file, line=where.line, reason=str(reason)))
            continue
        decimals[place] = row.decimals
        found.markets.setdefault(protocol, []).append(row)
    return decimals


def _market(market: str, asset: str, cells: Cells) -> ImportedMarket:
    stated = dict(zip(MARKETS.columns, cells, strict=True))
    price_usd("price_usd", stated["price_usd"])
    fractions = {name: number(name, stated[name]) for name in _FRACTIONS}
    for name, value in fractions.items():
        if value > 1:
            raise Refused(f"{name} {stated[name]} is above 1: write 80 % as 0.8")
    if fractions["ltv"] > fractions["liquidation_threshold"]:
        raise Refused(
            f"ltv {stated['ltv']} is above the liquidation_threshold "
            f"{stated['liquidation_threshold']}"
        )
    return ImportedMarket(
        market=market,
        asset=asset,
        decimals=_decimals(stated["decimals"]),
        price_usd=stated["price_usd"],
        **{name: stated[name] for name in _FRACTIONS},
    )


def _decimals(text: str) -> int:
    if not text:
        return DECIMALS
    value = exact(text)
    if value is None or value.denominator != 1 or not 0 <= value <= MAX_DECIMALS:
        raise Refused(f"decimals {text!r} is no whole number from 0 to {MAX_DECIMALS}")
    return int(value)


def _read_positions(found: Lending, sheets: Iterable[Sheet], decimals: dict[Place, int]) -> None:
    seen: dict[tuple[str, ...], Line] = {}
    for where, cells in _rows(sheets):
        try:
            protocol, row, cut = _position(cells, decimals)
            first(seen, (protocol, row.market, row.account, row.asset, row.side), where)
        except Refused as reason:
            found.refused.append(Refusal(file=where.file, line=where.line, reason=str(reason)))
            continue
        found.cut_amounts += cut
        found.positions.setdefault(protocol, []).append(row)


def _position(cells: Cells, decimals: dict[Place, int]) -> tuple[str, ImportedPosition, bool]:
    protocol, market, account, asset, side, stated = cells
    protocol, market, asset = place = _place(protocol, market, asset)
    if not account:
        raise Refused("account is empty")
    if side not in SIDES:
        raise Refused(f"side {shown(side)} is unknown: write {', '.join(SIDES)}")
    if place not in decimals:
        raise Refused(
            f"no markets file has asset {shown(asset)} in market {shown(market)} "
            f"of {shown(protocol)}"
        )
    raw, cut = amount("amount", stated, decimals[place])
    row = ImportedPosition(
        market=market, account=identity(account), asset=asset, side=side, amount_raw=raw
    )
    return protocol, row, cut


def _place(protocol: str, market: str, asset: str) -> Place:
    for name, text in (("protocol", protocol), ("market", market), ("asset", asset)):
        if not text:
            raise Refused(f"{name} is empty")
    if len(protocol) > MAX_NAME:
        raise Refused(f"protocol has more than {MAX_NAME} characters")
    return protocol, identity(market), identity(asset)


def _rows(sheets: Iterable[Sheet]) -> Iterator[tuple[Line, Cells]]:
    for sheet in sheets:
        for line, cells in sheet.rows:
            yield Line(sheet.file, line), cells


KIND = ImportKind(
    adapter="imported-lending",
    layouts=LAYOUTS,
    row_types=(ImportedMarket, ImportedPosition),
    read=read_lending,
)
