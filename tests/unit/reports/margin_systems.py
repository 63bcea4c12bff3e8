"""A book whose deployment states collateralised debt or perpetuals, and its report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.debt_position import (
    DebtMarket,
    DebtPosition,
    DebtSystem,
)
from defirisk.core.margin import MarginAccount, Mode, PerpMarket, PerpPosition, Perps
from defirisk.reports.model import Report, Value
from defirisk.reports.protocol import REPORT
from tests import books
from tests.unit.reports import sample

HOSTILE = "<script>alert(1)</script>"
TOKENS = [books.Token("WETH", 100.0, threshold=0.8), books.Token("USD", 1.0)]
E18 = 10**18


def stated(*, debt: DebtSystem | None = None, perps: Perps | None = None) -> Book:
    made = books.book(TOKENS, [[("collateral", "WETH", 2.0), ("debt", "USD", 100.0)]])
    states = replace(
        made.deployments[0],
        debt_of=None if debt is None else lambda: debt,
        perps_of=None if perps is None else lambda: perps,
    )
    return replace(made, deployments=(states,))


def report(book: Book) -> Report:
    return REPORT.build(book, run=sample.RUN)


def rows(found: Report, name: str) -> list[dict[str, Value]]:
    (table,) = (table for table in found.tables() if table.name == name)
    return [
        dict(zip((column.key for column in table.columns), row, strict=True)) for row in table.rows
    ]


def ids(found: Report) -> set[str]:
    return {section.id for section in found.sections}


def trove(ratio: Fraction | None, debt: int, *, due: bool = False) -> DebtPosition:
    return DebtPosition(
        unit="0x01",
        owner="0x01",
        market="ETH-A",
        collateral_raw=E18,
        debt_raw=debt * E18,
        ratio=ratio,
        liquidatable=due,
    )


MARKET = DebtMarket(
    market="ETH-A",
    collateral=books.address("WETH"),
    collateral_decimals=18,
    debt=books.address("USD"),
    debt_decimals=18,
    collateral_raw=10 * E18,
    debt_raw=700 * E18,
    price=Fraction(100),
    minimum_ratio=Fraction(11, 10),
    minimum_debt_raw=20 * E18,
    debt_ceiling_raw=2800 * E18,
    stability_fee_apr=Fraction(1, 50),
    stability_deposits_raw=175 * E18,
    liquidation_penalty=Fraction(1, 10),
    total_ratio=Fraction(10, 7),
    critical_ratio=Fraction(3, 2),
    recovery_mode=True,
    limits=(("hole", HOSTILE),),
)
DEBT = DebtSystem(
    positions=(
        trove(Fraction(1), 100, due=True),
        trove(Fraction(11, 10), 200),
        trove(Fraction(12, 10), 300),
        trove(Fraction(5), 60),
        trove(None, 40),
    ),
    markets=(MARKET,),
    bad_debt_raw=7 * E18,
)


PERP = PerpMarket(
    market="0x" + "ab" * 20,
    name="ETH",
    base_asset="ETH",
    mark_price=Fraction(100),
    index_price=Fraction(99),
    long_interest=Fraction(30),
    short_interest=Fraction(10),
    funding_rate=Fraction(1, 1000),
    initial_ratio=Fraction(1, 10),
    maintenance_ratio=Fraction(1, 20),
)


def position(unit: str, size: int) -> PerpPosition:
    return PerpPosition(
        unit=unit,
        market=PERP.market,
        size=Fraction(size),
        entry_price=Fraction(100),
        mark_price=Fraction(100),
        unrealised_pnl=Fraction(0),
        accrued_funding=Fraction(0),
        liquidation_price=Fraction(80),
    )


def account(unit: str, equity: int | None, maintenance: int = 50) -> MarginAccount:
    return MarginAccount(
        unit=unit,
        owner=unit,
        mode=Mode.CROSS,
        margin=Fraction(0),
        equity=None if equity is None else Fraction(equity),
        initial=Fraction(2 * maintenance),
        maintenance=Fraction(maintenance),
        liquidatable=None if equity is None else equity < maintenance,
    )


PERPS = Perps(
    positions=tuple(
        position(unit, size) for unit, size in zip("abcde", (10, -10, 5, 1, 3), strict=True)
    ),
    accounts=(
        account("a", 200),
        account("b", 40),
        account("c", -1),
        account("d", 100, 5),
        account("e", None),
        account("f", 7, 0),
    ),
    markets=(PERP,),
    insurance_fund=Fraction(500),
    bad_debt=Fraction(1),
)
