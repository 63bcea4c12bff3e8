"""Imported positions as units, quotes, parameters and amounts.

The unit is an account within a market: what the columns of the files tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Feed
from defirisk.core.quote import exact as exact_value
from defirisk.protocols.lending.imported_lending.rows import (
    ImportedMarket,
    ImportedOracle,
    ImportedPosition,
)

SIDES = {side.name.lower(): side for side in Side}
HARD_CODED = "hard-coded"
ORACLES = (HARD_CODED, "chainlink", "pyth", "redstone", "twap", "spot", "lp", "vault", "other")
"""Kinds of oracles that a file may name. All but the first follow their source."""
_Place = tuple[str, str]  # market and asset
_Oracles = Mapping[_Place, ImportedOracle]


def holdings(snapshot: Snapshot) -> Holdings:
    """Every account that holds or owes something; one quote and one parameter set per asset of a
    market. Amounts of 0 stay in the rows and are left out here.
    """
    markets = list(snapshot.rows.all(ImportedMarket))
    index = {(row.market, row.asset): at for at, row in enumerate(markets)}
    oracles = {(row.market, row.asset): row for row in snapshot.rows.all(ImportedOracle)}
    several = len({row.market for row in markets}) > 1
    units: dict[tuple[str, str], int] = {}
    held: list[Holding] = []
    totals: dict[tuple[_Place, Side], int] = {}
    # Rows come in the order of their keys: the holdings of a unit stand together.
    for row in snapshot.rows.all(ImportedPosition):
        if row.amount_raw == 0:
            continue
        place, side = (row.market, row.asset), SIDES[row.side]
        at = index[place]
        unit = units.setdefault((row.market, row.account), len(units))
        held.append(Holding(unit, at, side, row.amount_raw, row.amount_raw, at))
        totals[place, side] = totals.get((place, side), 0) + row.amount_raw
    return Holdings(
        units=tuple(unit_name(*unit, several=several) for unit in units),
        quotes=tuple(_quote(row, oracles) for row in markets),
        parameters=tuple(_parameters(row) for row in markets),
        holdings=tuple(held),
        markets=tuple(_market(row, totals, oracles) for row in markets),
        owners=tuple(account for _, account in units),
        # No contract rounds here: the numbers of the files are the numbers.
        resolution=Fraction(0),
    )


def unit_name(market: str, account: str, *, several: bool) -> str:
    """An account's own name, with its market where the protocol has several of them."""
    return f"{account}:{market}" if several else account


def number(text: str) -> Fraction:
    """The exact value of the decimal text that an import has let pass."""
    return Fraction(Decimal(text))


class Liquidatable:
    """Whether a unit's collateral times liquidation threshold is worth less than its debt, in
    fractions, with some prices scaled. Quote number i is market row number i.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._exact: Holdings | None = None
        self._of_unit: dict[str, list[Holding]] = {}

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        exact = self._loaded()
        margin = Fraction(0)
        for held in self._of_unit.get(unit, ()):
            quote = exact.quotes[held.quote]
            price = (exact_value(quote.program) or 0) * prices.get(held.quote, Fraction(1))
            worth = held.amount_raw * price / 10**quote.decimals
            if held.side is Side.DEBT:
                margin -= worth
            elif held.side is Side.COLLATERAL:
                margin += worth * exact.parameters[held.parameters].liquidation_threshold
        return margin < 0

    def _loaded(self) -> Holdings:
        """Most books never ask: nothing is built until one does."""
        if self._exact is None:
            self._exact = holdings(self._snapshot)
            for held in self._exact.holdings:
                self._of_unit.setdefault(self._exact.units[held.unit], []).append(held)
        return self._exact


def _quote(row: ImportedMarket, oracles: _Oracles) -> Quote:
    price = number(row.price_usd)
    hard_coded = _is_hard_coded(row, oracles)
    return Quote(
        market=row.market,
        asset=row.asset,
        decimals=row.decimals,
        program=Constant(price) if hard_coded else Feed(_source(row, oracles), price),
    )


def _is_hard_coded(row: ImportedMarket, oracles: _Oracles) -> bool:
    oracle = oracles.get((row.market, row.asset))
    return oracle is not None and oracle.oracle_kind == HARD_CODED


def _source(row: ImportedMarket, oracles: _Oracles) -> str:
    """Each market of the file states its own price, so each of them is a feed of its own, unless a
    file of oracles says otherwise.
    """
    oracle = oracles.get((row.market, row.asset))
    return oracle.source if oracle and oracle.source else f"{row.market}/{row.asset}"


def _parameters(row: ImportedMarket) -> Parameters:
    return Parameters(
        label=f"{row.market}/{row.asset}",
        ltv=number(row.ltv),
        liquidation_threshold=number(row.liquidation_threshold),
        liquidation_bonus=number(row.liquidation_bonus),
    )


def _market(
    row: ImportedMarket, totals: Mapping[tuple[_Place, Side], int], oracles: _Oracles
) -> Market:
    def total(*sides: Side) -> int:
        return sum(totals.get(((row.market, row.asset), side), 0) for side in sides)

    supplied, borrowed = total(Side.COLLATERAL, Side.SUPPLY), total(Side.DEBT)
    return Market(
        market=row.market,
        asset=row.asset,
        decimals=row.decimals,
        supplied_raw=supplied,
        borrowed_raw=borrowed,
        cash_raw=max(supplied - borrowed, 0),
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=None,
        borrow_apr=None,
        parameters=_parameters(row),
        reserve_factor=None,
        price=number(row.price_usd),
        price_source=_source(row, oracles),
        price_updated_ts=None,
        price_grade="imported",
    )
