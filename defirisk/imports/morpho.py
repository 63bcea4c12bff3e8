"""Markets, positions, vaults and oracles as Morpho's API tells them, in one import.

Every chain's markets are a protocol of their own (morpho-1, morpho-42161). Every vault has its
name, or, where two have one name, that and its address. Tokens are known by their symbols on all
chains, so that what fails, fails everywhere. Amounts in dollars become tokens at the loan asset's
price. A collateral costs what its oracle says; where that says nothing, what the file has as its
price; where that is nothing, too, what another market says of the same symbol. What positions leave
open of a market's totals belongs to one account called `others`. Of a vault, a file of all
allocations stands before one of single markets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction

from defirisk.core.errors import UsageError
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.imports.judging import (
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
from defirisk.imports.morpho_layouts import FEEDS, LAYOUTS, MARKETS, ORACLES, POSITIONS
from defirisk.imports.morpho_vaults import read_vaults
from defirisk.imports.reading import Sheet
from defirisk.protocols.lending.imported_lending.holdings import HARD_CODED
from defirisk.protocols.lending.imported_lending.rows import (
    ImportedMarket,
    ImportedOracle,
    ImportedPosition,
)
from defirisk.protocols.wrappers.imported_vaults import ImportedAllocation, ImportedVault

ORACLE_DECIMALS = 36
"""Morpho.sol: a price has 36 decimals, and those of the loan token less the collateral's."""
OTHERS = "others"
PRICE_PLACES = 24
MAX_PLACES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLine:
    """One market of the files, as stated. `priced` are what oracle and file say, 0 for nothing."""

    id: str
    protocol: str
    collateral: str
    collateral_decimals: int
    loan: str
    loan_decimals: int
    lltv: str
    oracle: str
    said: Fraction
    collateral_usd: Fraction
    loan_usd: Fraction
    totals: tuple[int, int, int]  # supplied, borrowed, pledged

    @property
    def label(self) -> str:
        """As markets on a chain are called: such as "WETH/USDC 86% 0x1a2b3c4d"."""
        percent = f"{float(Fraction(self.lltv)) * 100:g}%"
        return f"{self.collateral}/{self.loan} {percent} {self.id[:10]}"


@dataclass(slots=True)
class Prices:
    """By symbol, in USD: what some market says of it."""

    known: dict[str, Fraction] = field(default_factory=dict)

    def add(self, symbol: str, usd: Fraction) -> None:
        """Takes a price; the first one that is above 0 counts."""
        if usd > 0:
            self.known.setdefault(symbol, usd)

    def of(self, symbol: str, *stated: Fraction) -> Fraction:
        """The first that says something. Refused where nobody does."""
        for usd in (*stated, self.known.get(symbol, Fraction(0))):
            if usd > 0:
                return usd
        raise Refused(f"no market of these files says what {shown(symbol)} costs")


def read_morpho(sheets: Sequence[Sheet]) -> Statements:
    """Every row of the files, judged. Errors: `UsageError` where no file names the markets."""
    if not any(sheet.layout is MARKETS for sheet in sheets):
        columns = ",".join(MARKETS.columns)
        raise UsageError(f"no file names the markets: give one with the columns {columns}")
    found = Statements.of(
        sheets,
        {
            ImportedMarket: "markets",
            ImportedPosition: "positions",
            ImportedOracle: "oracles",
            ImportedVault: "vaults",
            ImportedAllocation: "allocations",
        },
    )
    prices = Prices()
    markets = _markets(found, sheets, prices)
    taken = _add_markets(found, markets, prices, _oracles(found, sheets, markets))
    vaults = read_vaults(found, sheets, prices.known)
    _add_positions(found, sheets, taken, vaults)
    return found.sorted(sheets)


def _markets(
    found: Statements, sheets: Sequence[Sheet], prices: Prices
) -> list[tuple[Line, MarketLine]]:
    seen: dict[str, Line] = {}
    markets = []
    for where, cells in stated(sheets, MARKETS):
        try:
            one = _market(cells)
            first(seen, one.id, where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        prices.add(one.loan, one.loan_usd)
        markets.append((where, one))
    for _, one in markets:
        said = _said(one, prices)
        prices.add(one.collateral, said if said > 0 else one.collateral_usd)
    return markets


def _market(cells: Mapping[str, str]) -> MarketLine:
    lltv = number("lltv", cells["lltv"])
    if lltv > 1:
        raise Refused(f"lltv {cells['lltv']} is above 1: write 80 % as 0.8")
    totals = tuple(whole(c, cells[c]) for c in MARKETS.columns[-3:])
    return MarketLine(
        id=name("market_id", cells["market_id"]),
        protocol=f"morpho-{whole('chain_id', cells['chain_id'])}",
        collateral=identity(name("collateral_symbol", cells["collateral_symbol"])),
        collateral_decimals=_places(cells, "collateral_decimals"),
        loan=identity(name("loan_symbol", cells["loan_symbol"])),
        loan_decimals=_places(cells, "loan_decimals"),
        lltv=cells["lltv"],
        oracle=identity(cells["oracle_address"]),
        said=number("oracle_price_raw", cells["oracle_price_raw"] or "0"),
        collateral_usd=number("collateral_price_usd", cells["collateral_price_usd"] or "0"),
        loan_usd=number("loan_price_usd", cells["loan_price_usd"] or "0"),
        totals=(totals[0], totals[1], totals[2]),
    )


def _places(cells: Mapping[str, str], column: str) -> int:
    value = whole(column, cells[column])
    if value > MAX_PLACES:
        raise Refused(f"{column} {value} is above {MAX_PLACES}")
    return value


def _said(one: MarketLine, prices: Prices) -> Fraction:
    """What the oracle says that the collateral costs, in USD; 0 where it says nothing."""
    shift = ORACLE_DECIMALS + one.loan_decimals - one.collateral_decimals
    loan = one.loan_usd or prices.known.get(one.loan, Fraction(0))
    return one.said / Fraction(10) ** shift * loan


def _oracles(
    found: Statements, sheets: Sequence[Sheet], markets: list[tuple[Line, MarketLine]]
) -> dict[str, str]:
    """What each market's price stands on: a feed, a vault, or nothing that could move it."""
    known = {one.id for _, one in markets}
    seen: dict[str, Line] = {}
    sources: dict[str, str] = {}
    for where, cells in stated(sheets, ORACLES):
        try:
            market = name("market_unique_key", cells["market_unique_key"])
            first(seen, market, where)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        if market in known:
            parts = [cells[c] for c in (*FEEDS, "base_oracle_vault", "quote_oracle_vault")]
            asked = [identity(one) for one in parts if one and one != ZERO_ADDRESS]
            sources[market] = asked[0] if asked else HARD_CODED
    return sources


def _add_markets(
    found: Statements,
    markets: list[tuple[Line, MarketLine]],
    prices: Prices,
    sources: Mapping[str, str],
) -> dict[str, MarketLine]:
    """Those that were taken, by their ids."""
    taken: dict[str, MarketLine] = {}
    for where, one in markets:
        try:
            pledged = prices.of(one.collateral, _said(one, prices), one.collateral_usd)
            lent = prices.of(one.loan, one.loan_usd)
        except Refused as reason:
            found.refuse(where, reason)
            continue
        taken[one.id] = one
        sides = (
            (one.collateral, one.collateral_decimals, pledged, one.lltv),
            (one.loan, one.loan_decimals, lent, "0"),
        )
        for asset, decimals, usd, lltv in sides[: 1 if one.collateral == one.loan else 2]:
            row = ImportedMarket(
                market=one.label,
                asset=asset,
                decimals=decimals,
                price_usd=text(usd),
                ltv=lltv,
                liquidation_threshold=lltv,
                close_factor="1",
            )
            found.add(one.protocol, row)
        source = sources.get(one.id, one.oracle)
        if source:
            hard = source == HARD_CODED
            oracle = ImportedOracle(
                market=one.label,
                asset=one.collateral,
                oracle_kind=HARD_CODED if hard else "other",
                source="" if hard else source,
            )
            found.add(one.protocol, oracle)
    return taken


def text(value: Fraction) -> str:
    """Decimal text of a price, cut to `PRICE_PLACES` significant digits."""
    with localcontext() as context:
        context.prec = PRICE_PLACES
        return format(Decimal(value.numerator) / Decimal(value.denominator), "f")


def _add_positions(
    found: Statements,
    sheets: Sequence[Sheet],
    markets: Mapping[str, MarketLine],
    vaults: Mapping[str, str],
) -> None:
    """Positions of known markets; vaults lend under their own names."""
    left = {one.id: list(one.totals) for one in markets.values()}
    seen: dict[tuple[str, str], Line] = {}
    for where, cells in stated(sheets, POSITIONS):
        market = cells["market_unique_key"]
        if market not in left:
            continue  # of a market that no file names, or that was refused
        try:
            account = identity(name("user_address", cells["user_address"]))
            first(seen, (market, account), where)
            raw = [
                whole(c, cells[c] or "0")
                for c in ("supply_assets_raw", "borrow_assets_raw", "collateral_raw")
            ]
        except Refused as reason:
            found.refuse(where, reason)
            continue
        _add_position(found, markets[market], vaults.get(account, account), raw)
        left[market] = [total - one for total, one in zip(left[market], raw, strict=True)]
    for market, rest in left.items():
        _add_position(found, markets[market], OTHERS, [max(one, 0) for one in rest])


def _add_position(found: Statements, one: MarketLine, account: str, raw: Sequence[int]) -> None:
    supplied, borrowed, pledged = raw
    for asset, side, amount in (
        (one.loan, "supply", supplied),
        (one.loan, "debt", borrowed),
        (one.collateral, "collateral", pledged),
    ):
        if amount:
            row = ImportedPosition(
                market=one.label, account=account, asset=asset, side=side, amount_raw=amount
            )
            found.add(one.protocol, row)


KIND = ImportKind(
    adapter="imported-lending",
    layouts=LAYOUTS,
    row_types=(ImportedMarket, ImportedPosition, ImportedOracle),
    read=read_morpho,
    also={"imported-vaults": (ImportedVault, ImportedAllocation)},
)
