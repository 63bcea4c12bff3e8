"""What the report on a protocol says of perpetuals, and that each says only what it has."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from defirisk.reports.model import Numbers
from defirisk.reports.render import FORMATS, render
from tests.unit.reports.margin_systems import (
    DEBT,
    HOSTILE,
    PERP,
    PERPS,
    ids,
    report,
    rows,
    stated,
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
