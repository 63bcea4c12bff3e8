"""How imported positions are liquidated: as their files say, which say nothing of interest."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings, Side
from defirisk.core.liquidation import NO_RULE, BadDebt, Liquidation, Mechanism, Rule
from defirisk.core.quote import exact as exact_value
from defirisk.protocols.lending.imported_lending.holdings import number
from defirisk.protocols.lending.imported_lending.rows import ImportedMarket


def liquidation(snapshot: Snapshot, exact: Holdings) -> Liquidation:
    """A close factor is that of the debt of most value, by the prices of the file. Where it is 0,
    nobody liquidates. No pockets: nothing accrues, and what a protocol holds is not in the files.
    """
    factors = [number(row.close_factor) for row in snapshot.rows.all(ImportedMarket)]
    distinct = sorted({factor for factor in factors if factor})
    largest: dict[int, tuple[Fraction, Fraction]] = {}
    for held in exact.holdings:
        if held.side is Side.DEBT:
            quote = exact.quotes[held.quote]
            worth = held.amount_raw * (exact_value(quote.program) or Fraction(0))
            worth /= 10**quote.decimals
            if held.unit not in largest or worth > largest[held.unit][0]:
                largest[held.unit] = worth, factors[held.quote]
    place = {factor: at for at, factor in enumerate(distinct)}
    factor_of = {unit: factor for unit, (_, factor) in largest.items()}
    return Liquidation(
        rules=tuple(_rule(factor) for factor in distinct),
        unit_rule=tuple(
            place.get(factor_of.get(unit, Fraction(0)), NO_RULE) for unit in range(len(exact.units))
        ),
    )


def _rule(close_factor: Fraction) -> Rule:
    return Rule(mechanism=Mechanism.CLOSE_FACTOR, close_factor=close_factor, bad_debt=BadDebt.STAYS)
