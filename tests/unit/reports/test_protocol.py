"""The report on a lending protocol says what its numbers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from defirisk.contagion.chords import BAD_DEBT, DEBT
from defirisk.contagion.curve import curve
from defirisk.core.book import Book
from defirisk.reports.model import Chart, Numbers, Paragraph, Report, Table
from defirisk.reports.protocol import REPORT
from defirisk.reports.protocol.falls import points
from defirisk.reports.render import FORMATS, render
from tests import books
from tests.unit.reports import sample

USDC = books.Token("USDC", 1.0)
WETH = books.Token("WETH", 100.0, threshold=0.8)
LINK = books.Token("LINK", 10.0, threshold=0.8)


def market(*units: Sequence[books.Entry]) -> Book:
    return books.book([WETH, LINK, USDC], units)


def answer(book: Book) -> str:
    first = REPORT.build(book, run=sample.RUN).lead[0]
    assert isinstance(first, Paragraph)
    return first.text


def tiles(book: Book) -> dict[str, object]:
    for block in REPORT.build(book, run=sample.RUN).lead:
        if isinstance(block, Numbers):
            return {item.key: item.value for item in block.items}
    raise AssertionError


def charts(report: Report) -> dict[str, Chart]:
    return {block.name: block for block in report.blocks() if isinstance(block, Chart)}


def tables(report: Report) -> dict[str, Table]:
    return {table.name: table for table in report.tables()}


def test_one_account_reads_in_the_singular() -> None:
    # 0.8 x 200 / 120: liquidatable beyond a fall of 25 %, short of its debt beyond 40 %.
    text = answer(market([("collateral", "WETH", 2.0), ("debt", "USDC", 120.0)]))
    assert "Nobody can be liquidated at this block." in text
    assert "A fall of WETH by 40 % would hurt most: 1 account owing $120 (all of it already" in text
    assert "New bad debt would first come from WETH, 40.5 % down" in text
    assert "up to 40 % no single fall makes any." in text
    assert "Block 7 is final." in text


def test_the_worst_asset_depends_on_how_far_it_falls() -> None:
    text = answer(
        market(
            [("collateral", "WETH", 20.0), ("debt", "USDC", 1100.0)],
            [("collateral", "LINK", 20.0), ("debt", "USDC", 140.0)],
        )
    )
    assert "A fall of WETH by 40 % would hurt most" in text
    assert "At 20 %, a fall of LINK would ($140)." in text


def test_bad_debt_of_today_is_said() -> None:
    book = market([("collateral", "WETH", 1.0), ("debt", "USDC", 120.0)])
    assert "1 account owing $120 can be liquidated at this block." in answer(book)
    assert "Bad debt is $20.00 today." in answer(book)
    assert tiles(book)["liquidatable_usd"] == pytest.approx(120)


def test_no_debt_means_nothing_can_be_liquidated() -> None:
    for book in (market(), market([("supply", "WETH", 1.0)]), sample.empty_book()):
        report = REPORT.build(book, run=sample.RUN)
        assert answer(book).startswith("There is no debt: nothing can be liquidated.")
        assert charts(report) == {}
        for format in FORMATS:
            assert "Traceback" not in render(report, format)


def test_five_tiles_from_the_book() -> None:
    values = tiles(sample.book())
    assert len(values) == 5
    assert all(isinstance(value, float) and value > 0 for value in values.values())


def test_every_part_is_there() -> None:
    report = REPORT.build(sample.book(), run=sample.RUN)
    assert set(charts(report)) == {
        "health-factors",
        "liquidatable-debt",
        "bad-debt",
        "liquidation-wall",
    }
    expected = {"size", "cliffs", "closest-accounts", "concentration", "solvency", "oracles"}
    assert expected | {"feeds", "parameters", "caps-and-rates", "deficits"} <= set(tables(report))
    assert len(tables(report)["closest-accounts"].rows) == 20
    assert len(tables(report)["deficits"].rows) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_findings_are_in_every_format(format: str) -> None:
    report = REPORT.build(sample.book(finding="Revision 7 is unproven"), run=sample.RUN)
    text = render(report, format)
    assert "Revision 7 is unproven" in text
    assert text.index("Revision 7") < len(text) if format == "csv" else True


def test_unpriced_accounts_are_said_not_counted_as_zero() -> None:
    book = books.book(
        [books.Token("NEW", float("nan")), WETH, USDC],
        [
            [("collateral", "NEW", 1.0), ("debt", "USDC", 1.0)],
            [("collateral", "WETH", 1.0), ("debt", "USDC", 50.0)],
        ],
    )
    assert "1 account without a known price" in answer(book)
    assert "a fall of NEW" in answer(book)
    report = REPORT.build(book, run=sample.RUN)
    assert any("unpriced" in note.code for note in report.warnings())
    assert "unknown" in render(report, "md")


def test_not_final_is_said() -> None:
    book = market([("collateral", "WETH", 1.0), ("debt", "USDC", 1.0)])
    for final, words in ((False, "is not final"), (None, "is final is not known")):
        run = replace(sample.RUN, final=final)
        first = REPORT.build(book, run=run).lead[0]
        assert isinstance(first, Paragraph)
        assert words in first.text


def test_same_symbols_are_told_apart() -> None:
    fake = books.Token("usdc", 2.0, address="0x" + "12" * 20, feed="feed-fake")
    book = books.book([WETH, USDC, fake], [[("collateral", "WETH", 1.0), ("debt", "usdc", 9.0)]])
    rows = tables(REPORT.build(book, run=sample.RUN))["closest-accounts"].rows
    assert rows[0][-1] == "usdc (0x1212…1212)"


@pytest.mark.parametrize("column", [DEBT, BAD_DEBT])
def test_drawn_points_lie_on_the_exact_curve(column: int) -> None:
    exact = curve(sample.book(), 0)
    x, y = points(exact, column, 0.6, 10_000)
    assert np.all(np.diff(x) >= 0)
    middle = (x[:-1] + x[1:]) / 2
    wide = np.diff(x) > 1e-9
    totals = exact.at(middle[wide])
    expected = totals.debt_usd if column == DEBT else totals.bad_debt_usd
    assert ((y[:-1] + y[1:]) / 2)[wide] == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_many_breaks_are_thinned_but_the_largest_cliffs_stay() -> None:
    exact = curve(sample.book(2000), 0)
    x, y = points(exact, DEBT, 0.6, 50)
    assert len(x) <= 2 * 50 + 2
    for cliff in exact.cliffs(5):
        if cliff.drop < 0.6:
            assert np.abs(x - cliff.drop).min() < 1e-9
    assert y[0] == pytest.approx(exact.at([0.0]).debt_usd[0])
    assert y[-1] == pytest.approx(exact.at([0.6]).debt_usd[0])


def test_several_deployments_are_named_in_every_row() -> None:
    book = books.book(
        [WETH, USDC],
        [[("collateral", "WETH", 1.0), ("debt", "USDC", 50.0)]] * 2,
        deployments=("aave-v3-a", "aave-v3-b"),
        protocols=("aave-v3", "aave-v3"),
        placed=[0, 1],
    )
    report = REPORT.build(book, run=sample.RUN)
    assert "aave-v3-a and aave-v3-b" in report.title
    found = tables(report)["closest-accounts"]
    assert [row[0] for row in found.rows] == ["aave-v3-a", "aave-v3-b"]
    assert tables(report)["shared-borrowers"].rows == ()
    one = replace(book, owners=("0xann",), unit_owner=np.zeros(2, dtype=np.int64))
    rows = tables(REPORT.build(one, run=sample.RUN))["shared-borrowers"].rows
    assert rows == (
        ("aave-v3-a", "aave-v3-b", 1, 1, 50.0, 1.0),
        ("aave-v3-b", "aave-v3-a", 1, 1, 50.0, 1.0),
    )
