"""What the report on a protocol says of collateralised debt and of perpetuals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.core.book import Book
from defirisk.core.debt_position import (
    DebtAuction,
    DebtMarket,
    DebtPosition,
    DebtReserves,
    DebtSystem,
)
from defirisk.core.margin import MarginAccount, Mode, PerpMarket, PerpPosition, Perps
from defirisk.reports.model import Note, Numbers, Report, Value
from defirisk.reports.protocol import REPORT
from defirisk.reports.render import FORMATS, render
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


def test_ceilings_deposits_and_ratios_of_collateralised_debt() -> None:
    (market,) = rows(report(stated(debt=DEBT)), "debt-markets")
    (terms,) = rows(report(stated(debt=DEBT)), "debt-terms")

    assert market["collateral"] == "WETH"
    assert (market["collateral_amount"], market["debt_amount"]) == (10, 700)
    assert (terms["debt_ceiling"], terms["ceiling_usage"]) == (2800, 0.25)
    assert (terms["stability_deposits"], terms["deposits_share"]) == (175, 0.25)
    assert market["total_ratio"] == pytest.approx(10 / 7)
    assert market["recovery_mode"] == "yes"


def test_positions_by_ratio_count_everybody_once() -> None:
    found = rows(report(stated(debt=DEBT)), "collateral-ratios")

    assert [(row["ratio"], row["positions"], row["debt_amount"]) for row in found] == [
        ("below 110.0 %", 1, 100),
        ("110.0 % to 121.0 %", 2, 500),
        ("220.0 % and more", 1, 60),
        ("unknown", 1, 40),
    ]
    assert [row["liquidatable"] for row in found] == [1, 0, 0, 0]


def test_recovery_mode_and_uncovered_debt_are_said() -> None:
    notes = [block for block in report(stated(debt=DEBT)).blocks() if isinstance(block, Note)]
    texts = {note.code: note.text for note in notes}

    assert "142.9 % of everything owed, below 150.0 %" in texts["recovery-mode"]
    assert "owe 7" in texts["uncovered-debt"]
    calm = replace(MARKET, recovery_mode=False)
    quiet = report(stated(debt=replace(DEBT, markets=(calm,), bad_debt_raw=0)))
    codes = {block.code for block in quiet.blocks() if isinstance(block, Note)}
    assert not codes & {"recovery-mode", "uncovered-debt"}


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


def test_open_interest_skew_and_funding() -> None:
    found = report(stated(perps=PERPS))
    (market,) = rows(found, "perp-markets")

    assert (market["long_interest"], market["short_interest"], market["skew"]) == (30, 10, 20)
    assert (market["skew_share"], market["skew_usd"]) == (0.5, 2000)
    assert market["funding_rate"] == 0.001
    tiles = {
        item.key: item.value
        for block in found.blocks()
        if isinstance(block, Numbers)
        for item in block.items
    }
    assert (tiles["long_usd"], tiles["short_usd"]) == (3000, 1000)
    assert (tiles["insurance_fund_usd"], tiles["perps_bad_debt_usd"]) == (500, 1)


def test_every_account_has_one_class_of_leverage() -> None:
    found = rows(report(stated(perps=PERPS)), "leverage")

    classes = {row["leverage"]: (row["accounts"], row["notional_usd"]) for row in found}
    assert {label: own for label, own in classes.items() if own[0]} == {
        "no position": (1, 0),
        "up to 1": (1, 100),
        "2 to 5": (1, 1000),
        "20 to 50": (1, 1000),
        "owes more than it has": (1, 500),
        "unknown": (1, 300),
    }


def test_those_nearest_to_their_maintenance_margin_come_first() -> None:
    found = rows(report(stated(perps=PERPS)), "margin-buffers")

    assert [row["account"] for row in found] == ["c", "b", "a", "d"]
    assert [row["buffer_usd"] for row in found] == [-51, -10, 150, 95]
    assert [row["liquidatable"] for row in found] == ["yes", "yes", "no", "no"]
    assert found[0]["liquidation_price"] == 80


def test_a_price_that_is_unknown_leaves_sums_unknown() -> None:
    blind = replace(PERPS, markets=(replace(PERP, mark_price=None),), insurance_fund=None)
    found = report(stated(perps=blind))

    (tiles,) = (
        block
        for block in found.blocks()
        if isinstance(block, Numbers) and block.items[0].key == "long_usd"
    )
    assert [item.value for item in tiles.items] == [None, None, 1.0]
    assert rows(found, "perp-markets")[0]["skew_usd"] is None


def test_protocols_that_state_neither_have_no_such_sections() -> None:
    plain, debt, perps = report(stated()), report(stated(debt=DEBT)), report(stated(perps=PERPS))

    assert ids(debt) - ids(plain) == {"collateralised-debt"}
    assert ids(perps) - ids(plain) == {
        "perpetuals",
        "population",
        "margins",
        "sensitivity",
        "cross-and-isolated",
        "gaps",
    }
    # Nothing is lent where there are only perpetuals.
    assert ids(plain) - ids(perps) == {"size", "closest", "solvency", "parameters", "deficits"}
    assert (plain.csv, perps.csv) == ("closest-accounts", "margin-buffers")
    assert {"closest", "gaps"} <= ids(report(stated(debt=DEBT, perps=PERPS)))


def test_makers_are_a_population_of_their_own() -> None:
    assert "perp-makers" not in {table.name for table in report(stated(perps=PERPS)).tables()}
    maker = replace(PERPS.positions[0], maker=True, orders=2, provided=Fraction(70), grade="read")
    found = report(stated(perps=replace(PERPS, positions=(maker, *PERPS.positions[1:]))))

    groups = {row["role"]: row for row in rows(found, "perp-population")}
    assert list(groups) == ["makers", "longs", "shorts", "margin without a position"]
    assert (groups["makers"]["accounts"], groups["makers"]["provided_usd"]) == (1, 70)
    assert groups["longs"]["equity_usd"] is None  # that of e is not known
    (row,) = rows(found, "perp-makers")
    assert (row["account"], row["market"], row["orders"], row["grade"]) == (
        "a",
        "ETH",
        2,
        "logs and views",
    )


def test_margin_ratios_and_what_is_between_initial_and_maintenance() -> None:
    found = report(stated(perps=PERPS))

    ratios = {row["margin_ratio"]: row["accounts"] for row in rows(found, "margin-ratios")}
    assert {label: count for label, count in ratios.items() if count} == {
        "up to 1": 2,
        "3 to 5": 1,
        "above 10": 1,
        "unknown": 1,
    }
    buffers = {row["equity_is"]: row for row in rows(found, "initial-and-maintenance")}
    assert [(label, row["accounts"]) for label, row in buffers.items()] == [
        ("below maintenance", 2),
        ("above initial", 2),
        ("unknown", 1),
    ]
    assert buffers["below maintenance"]["spare_usd"] == -61


def test_a_market_says_what_one_percent_does() -> None:
    (market,) = rows(report(stated(perps=PERPS)), "market-sensitivity")

    # Longs are 10 + 5 + 1 + 3 tokens of 100 dollars, shorts 10.
    assert (market["equity_per_price"], market["equity_usd"]) == (9, 9)
    assert (market["longs_usd"], market["shorts_usd"]) == (19, -10)
    # What each must keep over its price: 50 / 100 four times, 5 / 100 of d.
    assert market["maintenance_per_price"] == pytest.approx(4 * 0.5 + 0.05)
    moved = {row["market"]: row for row in rows(report(stated(perps=PERPS)), "reached")}
    assert moved["ETH"]["today"] == 1000 + 500
    # By a fall of 30 %, a's 200 is gone, and the short b has won 300.
    assert moved["ETH"]["down_30"] == 1000 + 500
    assert moved["ETH"]["down_10"] == 500


def test_the_insurance_fund_stands_against_what_may_be_owed() -> None:
    covered = rows(report(stated(perps=PERPS)), "insurance-and-shortfall")

    assert [row["volatility"] for row in covered] == [0.02, 0.05, 0.1, 0.2]
    shortfalls = [float(row["shortfall_usd"] or 0) for row in covered]
    assert shortfalls == sorted(shortfalls)
    assert covered[0]["fund_usd"] == 500
    assert covered[-1]["covered"] == pytest.approx(500 / shortfalls[-1])
    none = rows(
        report(stated(perps=replace(PERPS, insurance_fund=None))), "insurance-and-shortfall"
    )
    assert {row["covered"] for row in none} == {None}


RESERVES = DebtReserves(
    ceiling_raw=2800 * E18,
    debt_raw=700 * E18,
    written_off_raw=30 * E18,
    surplus_raw=None,
    unbacked_raw=None,
)
LOT = DebtAuction(
    market="ETH-A",
    auction="7",
    lot_raw=3 * E18,
    asked_raw=200 * E18,
    bid_raw=50 * E18,
    end_ts=0,
)


def test_what_a_system_has_and_owes_itself() -> None:
    of = replace(DEBT, reserves=RESERVES, auctions=(LOT,), limits=(("target", HOSTILE),))
    found = report(stated(debt=of))

    tiles = {
        item.key: item.value
        for block in found.blocks()
        if isinstance(block, Numbers)
        for item in block.items
    }
    assert (tiles["debt_of_all"], tiles["surplus"], tiles["written_off"]) == (700, None, 30)
    assert tiles["auctions"] == 150
    (lot,) = rows(found, "debt-auctions")
    assert (lot["asked"], lot["covered"], lot["worth"]) == (200, 0.25, 300)
    assert lot["seconds_left"] is None  # it ended long ago
    assert rows(found, "debt-limits")[0]["market"] == "all"
    assert "debt-auctions" not in {table.name for table in report(stated(debt=DEBT)).tables()}


def test_falls_of_collateral_and_the_way_to_recovery_mode() -> None:
    found = report(stated(debt=replace(DEBT, markets=(replace(MARKET, redeemable=True),))))

    falls = rows(found, "debt-after-falls")
    assert [(row["fall"], row["positions"]) for row in falls][:2] == [(0, 1), (0.1, 3)]
    notes = {b.code: b.text for b in found.blocks() if isinstance(b, Note)}
    # 10 of 7 is 143 %: at 105 dollars it is 150 %.
    assert "rises by 5.0 %, at $105.00" in notes["distance-to-recovery"]
    reached = rows(found, "redemptions")
    assert [(row["debt_amount"], row["before"]) for row in reached] == [
        (200, 0),
        (300, 200),
        (60, 500),
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_takes_them(format_: str) -> None:
    hostile = replace(PERP, name=HOSTILE)
    maker = replace(PERPS.positions[0], maker=True, orders=1, provided=Fraction(1), grade=HOSTILE)
    text = render(
        report(
            stated(
                debt=DEBT,
                perps=replace(PERPS, markets=(hostile,), positions=(maker, *PERPS.positions[1:])),
            )
        ),
        format_,
    )

    assert "debt-markets" in text or "Kinds of collateral" in text or format_ == "csv"
    if format_ in ("html", "md"):
        assert HOSTILE not in text
