"""The report on holders: one account over all deployments."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.plugins import reports
from defirisk.reports.protocol import REPORT as PROTOCOL
from defirisk.reports.render import FORMATS, render
from tests.books import Entry, Token, book
from tests.command import CommandLine
from tests.unit.imports import files
from tests.unit.reports.margin_systems import PERPS
from tests.unit.reports.sample import RUN

TOKENS = [Token("WETH", 2000, threshold=0.8), Token("USDC", 1), Token("ODD", float("nan"))]
ANNA, BERT = "0x" + "0a" * 20, "0x" + "0b" * 20
NASTY = "</script><img src=//evil.example/x onerror=alert(1)>"


@pytest.fixture
def made() -> Book:
    units: list[list[Entry]] = [
        [("collateral", "WETH", 2.0), ("debt", "USDC", 1000.0)],
        [("debt", "WETH", 3.0), ("collateral", "USDC", 7000.0)],
        [("supply", "USDC", 5.0), ("collateral", "ODD", 1.0)],
    ]
    found = book(
        TOKENS, units, deployments=("loans", "perps"), placed=(0, 1, 0), owners=(ANNA, ANNA, BERT)
    )
    loans, perps = found.deployments
    return replace(found, deployments=(loans, replace(perps, perps_of=lambda: PERPS)))


def tables(made: Book, subject: str) -> dict[str, list[dict[str, object]]]:
    found = reports()["holder"].build(made, run=RUN, subject=subject)
    return {
        table.name: [
            dict(zip((column.key for column in table.columns), row, strict=True))
            for row in table.rows
        ]
        for table in found.tables()
    }


def test_all_that_one_account_has_and_owes(made: Book) -> None:
    found = tables(made, ANNA.upper().replace("X", "x"))

    parts = found["holder-parts"]
    assert [(row["deployment"], row["equity_usd"], row["debt_usd"]) for row in parts] == [
        ("loans", 3000, 1000),
        ("perps", 1000, 0),  # what was paid for a position is no loan
    ]
    weth = next(row for row in found["holder-exposures"] if row["asset"] == "WETH")
    assert (weth["tokens"], weth["usd"], weth["percent_usd"]) == (-1, -2000, -20)
    units = found["holder-units"]
    assert [(row["deployment"], row["holds"], row["owes"]) for row in units] == [
        ("perps", "USDC", "WETH"),
        ("loans", "WETH", "USDC"),
    ]
    text = render(reports()["holder"].build(made, run=RUN, subject=ANNA), "md")
    assert "owes $1.00K and has $4.00K beyond that, in 2 deployments" in text
    assert "that of USDC is the largest" in text


def test_everybody_who_is_in_several_places(made: Book) -> None:
    (only,) = tables(made, "")["holders"]

    assert (only["account"], only["deployments"]) == (ANNA, "loans and perps")
    assert only["shared"] == "USDC and WETH"
    assert (only["equity_usd"], only["debt_usd"], only["net_usd"]) == (4000, 1000, 6000)
    assert tables(made, "all") == tables(made, "")
    assert reports()["holder"].subjects(made) == ("all",)


def test_what_has_no_price_is_said(made: Book) -> None:
    found = reports()["holder"].build(made, run=RUN, subject=BERT)
    assert "no-price" in {note.code for note in found.warnings()}


def test_an_account_that_is_not_there_is_an_error(made: Book) -> None:
    with pytest.raises(UsageError, match="defirisk positions"):
        reports()["holder"].build(made, run=RUN, subject="0x00")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("subject", ["", ANNA])
def test_every_format_says_it(made: Book, subject: str, format_: str) -> None:
    nasty = replace(
        made, assets=tuple(replace(one, symbol=NASTY + one.symbol) for one in made.assets)
    )
    text = render(reports()["holder"].build(nasty, run=RUN, subject=subject), format_)
    if format_ == "json":
        json.loads(text, parse_constant=pytest.fail)
    if format_ in ("html", "md"):
        assert NASTY not in text


def test_a_protocol_names_its_owners_elsewhere(made: Book) -> None:
    units: list[list[Entry]] = [[("debt", "WETH", 3.0), ("collateral", "USDC", 7000.0)]]
    part = book(TOKENS, units, deployments=("perps",), placed=(0,), owners=(ANNA,))
    part = replace(part, deployments=(made.deployments[1],))

    found = PROTOCOL.build(part, run=RUN, whole=made)
    (table,) = (one for one in found.tables() if one.name == "owners-elsewhere")
    (row,) = table.rows
    assert row == (ANNA, 1000, 0, "loans", 3000, 1000, "USDC and WETH")
    alone = PROTOCOL.build(part, run=RUN, whole=part)
    assert "owners-elsewhere" not in {one.name for one in alone.tables()}
    plain = replace(made, deployments=(made.deployments[0], made.deployments[0]))
    assert "owners-elsewhere" not in {
        one.name for one in PROTOCOL.build(plain, run=RUN, whole=plain).tables()
    }


def test_a_loan_and_a_perpetual_of_one_store(cli: CommandLine) -> None:
    lent = files.positions(
        cli.folder, f"lend,main,{ANNA},WETH,collateral,10", f"lend,main,{ANNA},USDC,debt,9000"
    )
    listed = files.markets(cli.folder, *(f"lend{line[6:]}" for line in files.LISTED))
    assert cli("import", "lending", lent, listed).code == 0
    held = files.write(
        cli.folder / "perps.csv",
        (
            "protocol,market,account,asset,size,entry_price_usd,margin_usd,maintenance_margin,"
            "mode,price_usd",
            f"perp,WETH-PERP,{ANNA},WETH,-4,2100,800,0.05,isolated,2000",
        ),
    )
    assert cli("import", "perps", held).code == 0

    ran = cli("report", "protocol", "perp", "--format", "json")
    assert ran.code == 0, ran
    assert "owners-elsewhere" in ran.out
    one = cli("report", "holder", ANNA, "--format", "json")
    assert one.code == 0, one
    assert "in 2 deployments: lend and perp" in one.out
    assert cli("report", "holder").code == 0
    # Dollars cannot move, and are not asked about.
    reverse = cli("stress", "--reverse", "bad_debt_usd>1e9", "--format", "json")
    assert reverse.code == 0, reverse
    assert {row["asset"] for row in json.loads(reverse.out)["assets"]} == {"WETH", "USDC"}
