"""Liquidations of several deployments on the axes of one book."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.holdings import Holdings, Quote
from defirisk.core.liquidation import (
    NO_RULE,
    BadDebt,
    Interest,
    Liquidation,
    Mechanism,
    Model,
    Pocket,
    Rule,
)
from defirisk.core.quote import Constant
from defirisk.store.liquidation_frames import side_by_side

STILL = Interest(
    model=Model.LINEAR, borrow_rate=Fraction(0), supply_rate=Fraction(0), base=Fraction(0)
)


def rule(close_factor: Fraction) -> Rule:
    return Rule(mechanism=Mechanism.CLOSE_FACTOR, close_factor=close_factor, bad_debt=BadDebt.STAYS)


def pocket(market: int, quote: int, cash: int) -> Pocket:
    return Pocket(
        market=market,
        supply_quote=quote,
        debt_quote=quote + 1,
        cash_raw=cash,
        supplied_raw=cash,
        borrowed_raw=0,
        interest=STILL,
    )


def holdings(units: int, quotes: int) -> Holdings:
    quote = Quote(market="", asset="0x", decimals=0, program=Constant(Fraction(1)))
    return Holdings(
        units=tuple(str(unit) for unit in range(units)),
        quotes=(quote,) * quotes,
        parameters=(),
        holdings=(),
        markets=(),
    )


def test_every_part_keeps_its_rules_and_its_quotes() -> None:
    half, all_of_it = rule(Fraction(1, 2)), rule(Fraction(1))
    first = Liquidation(rules=(half,), unit_rule=(0, NO_RULE), pockets=(pocket(0, 0, 1),))
    last = Liquidation(
        rules=(all_of_it, half), unit_rule=(1, 0), pockets=(pocket(0, 0, 2), pocket(0, 2, 3))
    )

    found = side_by_side([(holdings(2, 2), first), (holdings(1, 5), None), (holdings(2, 4), last)])

    assert found.rules == (half, all_of_it, half)
    assert found.unit_rule == (0, NO_RULE, NO_RULE, 2, 1)
    assert [(p.supply_quote, p.debt_quote, p.cash_raw) for p in found.pockets] == [
        (0, 1, 1),
        (7, 8, 2),
        (9, 10, 3),
    ]


def test_nothing_liquidates_in_an_empty_book() -> None:
    assert side_by_side([]) == Liquidation()
