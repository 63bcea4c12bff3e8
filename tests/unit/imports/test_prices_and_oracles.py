"""Prices and oracles from files: what moves together, what never moves, and in which order."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from tests.command import CommandLine, Ran
from tests.unit.imports import files

PRICES = ("ts", "asset", "price_usd", "source")
ORACLES = ("protocol", "market", "asset", "kind", "source")
# Protocol, market and its only account: 10 WETH of $2000 against 12,000 USDC.
PLACES = (("one", "m", "al"), ("one", "n", "be"), ("two", "m", "cy"))


def said(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def oracles(cli: CommandLine, *rows: tuple[str, ...]) -> str:
    return files.table(cli.folder / "o.csv", ORACLES, rows)


def prices(cli: CommandLine, *rows: tuple[str, ...]) -> str:
    return files.table(cli.folder / "prices.csv", PRICES, rows)


def lend(cli: CommandLine) -> None:
    """Imports the markets of all places, and one of another asset."""
    held, listed = [], []
    for protocol, market, who in PLACES:
        at = f"{protocol},{market}"
        held += [f"{at},{who},WETH,collateral,10", f"{at},{who},USDC,debt,12000"]
        listed += [f"{at},WETH,18,2000,0.8,0.8,0,0", f"{at},USDC,6,1,0.8,0.8,0,0"]
    held += ["two,s,dora,stETH,collateral,10", "two,s,dora,USDC,debt,12000"]
    listed += ["two,s,stETH,18,2000,0.8,0.8,0,0", "two,s,USDC,6,1,0.8,0.8,0,0"]
    paths = files.positions(cli.folder, *held), files.markets(cli.folder, *listed)
    said(cli("import", "lending", *paths, "--format", "json"))


def liquidatable(cli: CommandLine, *shocks: str) -> set[str]:
    """Everybody who can be liquidated then, without the market behind the name."""
    words = [word for shock in shocks for word in ("--shock", shock)]
    found = said(cli("stress", *words, "--accounts", "--format", "json"))
    return {one["account"].partition(":")[0] for one in found.get("accounts", [])}


WETH_HOLDERS = {"al", "be", "cy"}
SHARED = (("one", "m", "WETH", "chainlink", "0xfeed"), ("two", "m", "WETH", "chainlink", "0xfeed"))
FIXED = ("one", "n", "WETH", "hard-coded", "")


def test_without_a_file_of_oracles_every_market_has_a_feed_of_its_own(cli: CommandLine) -> None:
    lend(cli)
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS
    assert liquidatable(cli, "oracle:WETH@two=-40%") == {"cy"}


def test_a_hard_coded_price_never_moves(cli: CommandLine) -> None:
    lend(cli)
    done = said(cli("import", "oracles", oracles(cli, *SHARED, FIXED), "--format", "json"))
    assert (done["oracles"], done["rows_written"]) == (3, 3)
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS - {"be"}
    assert liquidatable(cli, "market:WETH=-40%") == set()


def test_markets_of_one_source_are_one_feed(cli: CommandLine) -> None:
    lend(cli)
    cli("import", "oracles", oracles(cli, *SHARED, FIXED))
    found = said(cli("report", "protocol", "imported-lending", "--format", "json"))
    text = json.dumps(found)
    assert "0xfeed" in text
    # What only one market believes is said of that market, not of the feed.
    assert liquidatable(cli, "oracle:WETH@two=-40%") == {"cy"}
    assert liquidatable(cli, "oracle:WETH=-40%") == WETH_HOLDERS


def test_assets_of_one_source_move_together(cli: CommandLine) -> None:
    lend(cli)
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS
    cli("import", "oracles", oracles(cli, *SHARED, ("two", "s", "stETH", "other", "0xfeed")))
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS | {"dora"}
    # What one market believes is no move of the feed.
    assert liquidatable(cli, "oracle:stETH=-40%") == {"dora"}


def test_a_source_is_the_same_in_capitals(cli: CommandLine) -> None:
    lend(cli)
    feed = "0x" + "AB" * 20
    rows = [("one", "m", "WETH", "pyth", feed), ("two", "m", "WETH", "pyth", feed.lower())]
    cli("import", "oracles", oracles(cli, *rows))
    with sqlite3.connect(cli.folder / "defirisk.db") as connection:
        found = connection.execute("SELECT DISTINCT source FROM imported_lending_oracles")
        assert found.fetchall() == [(feed.lower(),)]


def test_oracles_may_come_before_the_markets(cli: CommandLine) -> None:
    cli("import", "oracles", oracles(cli, *SHARED, FIXED))
    lend(cli)
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS - {"be"}
    # Positions that are imported again leave the oracles where they are.
    lend(cli)
    assert liquidatable(cli, "price:WETH=-40%") == WETH_HOLDERS - {"be"}


def test_oracles_that_are_imported_again_replace_those_of_their_protocol(cli: CommandLine) -> None:
    lend(cli)
    cli("import", "oracles", oracles(cli, FIXED, ("two", "m", "WETH", "hard-coded", "")))
    assert liquidatable(cli, "price:WETH=-40%") == {"al"}
    cli("import", "oracles", oracles(cli, ("one", "m", "WETH", "hard-coded", "")))
    assert liquidatable(cli, "price:WETH=-40%") == {"be"}
    words = ("--shock", "price:WETH=-40%", "--block", "2", "--format", "json")
    found = said(cli("stress", *words))
    assert found["scenarios"][0]["totals"]["liquidatable_accounts"] == 1


def test_prices_of_several_sources_and_times(cli: CommandLine) -> None:
    done = said(
        cli(
            "import",
            "prices",
            prices(
                cli,
                ("2024-03-01T12:00:00Z", "WETH", "3400.5", "chainlink"),
                ("2024-03-01T13:00:00+01:00", "WETH", "3401", "coingecko"),
                ("1709294400", "0x" + "AB" * 20, "1", ""),
                ("2024-03-01", "WETH", "3300", "chainlink"),
            ),
            "--format",
            "json",
        )
    )
    assert [(one["protocol"], one["prices"]) for one in done["protocols"]] == [
        ("chainlink", 2),
        ("coingecko", 1),
        ("imported", 1),
    ]
    with sqlite3.connect(cli.folder / "defirisk.db") as connection:
        found = connection.execute(
            "SELECT source, asset, ts, price_usd FROM imported_prices_series ORDER BY source, ts"
        ).fetchall()
    noon = 1_709_294_400
    assert found == [
        ("chainlink", "WETH", noon - 12 * 3600, "3300"),
        ("chainlink", "WETH", noon, "3400.5"),
        ("coingecko", "WETH", noon, "3401"),
        ("imported", "0x" + "ab" * 20, noon, "1"),
    ]


BAD_PRICES = [
    (("", "WETH", "1", ""), "ts '' is no time"),
    (("yesterday", "WETH", "1", ""), "ts 'yesterday' is no time: write 2024-03-01T12:00:00Z"),
    (("2024-02-30", "WETH", "1", ""), "is no time"),
    (("1709294400000", "WETH", "1", ""), "is beyond any chain: are these milliseconds?"),
    (("0001-01-01", "WETH", "1", ""), "is beyond any chain"),
    (("0001-01-01T00:00:00+14:00", "WETH", "1", ""), "is beyond any chain"),
    (("1", "", "1", ""), "asset is empty"),
    (("1", "x" * 10_000, "1", ""), "asset has more than 200 characters"),
    (("1", "WETH", "1", "x" * 10_000), "source has more than 200 characters"),
    (("1", "WETH", "-1", ""), "price_usd -1 is negative"),
    (("1", "WETH", "1e31", ""), "price_usd is above 1e+30: mistyped?"),
    (("1", "WETH", "", ""), "price_usd is missing"),
    (("1", "WETH", "NaN", ""), "price_usd 'NaN' is no decimal number"),
    (("1709294400", "WETH", "2", "imported"), "says again what line 2 says: duplicate"),
]
BAD_ORACLES = [
    (("", "m", "WETH", "pyth", "x"), "protocol is empty"),
    (("one", "", "WETH", "pyth", "x"), "market is empty"),
    (("one", "m", "", "pyth", "x"), "asset is empty"),
    (("one", "m", "DAI", "magic", "x"), "kind 'magic' is not known: write hard-coded, chainlink"),
    (("one", "m", "DAI", "<script>", "x"), "kind '<script>' is not known"),
    (("one", "m", "DAI", "pyth", ""), "source is empty: only a hard-coded price has none"),
    (("one", "m", "DAI", "pyth", "x" * 10_000), "source has more than 200 characters"),
    (("one", "m", "WETH", "pyth", "y"), "says again what line 2 says: duplicate"),
]


def assert_refused(cli: CommandLine, kind: str, path: str, says: str) -> None:
    ran = cli("import", kind, path, "--format", "json")
    assert ran.code == 2, ran
    (row,) = json.loads(ran.out)["refused"]
    assert row["line"] == 3
    assert says in row["reason"]
    assert len(row["reason"]) < 400
    assert not (cli.folder / "defirisk.db").exists()
    assert said(cli("import", kind, path, "--skip-bad", "--format", "json"))["rows_written"] == 1


@pytest.mark.parametrize(("row", "says"), BAD_PRICES, ids=[str(row)[:40] for row, _ in BAD_PRICES])
def test_a_bad_price_is_named_by_its_line(
    row: tuple[str, ...], says: str, cli: CommandLine
) -> None:
    good = ("2024-03-01T12:00:00Z", "WETH", "1", "")
    assert_refused(cli, "prices", prices(cli, good, row), says)


@pytest.mark.parametrize(
    ("row", "says"), BAD_ORACLES, ids=[str(row)[:40] for row, _ in BAD_ORACLES]
)
def test_a_bad_oracle_is_named_by_its_line(
    row: tuple[str, ...], says: str, cli: CommandLine
) -> None:
    good = ("one", "m", "WETH", "chainlink", "0xfeed")
    assert_refused(cli, "oracles", oracles(cli, good, row), says)


HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202e"


@pytest.mark.parametrize("format_", ["table", "md", "csv", "html", "json"])
def test_hostile_sources_are_inert(format_: str, cli: CommandLine) -> None:
    lend(cli)
    ran = [
        cli(
            "import",
            "oracles",
            oracles(cli, ("two", "m", "WETH", "other", HOSTILE)),
            *("--format", format_),
        ),
        cli("import", "prices", prices(cli, ("1", HOSTILE, "1", HOSTILE)), "--format", format_),
        cli("report", "protocol", "two", "--format", format_),
        cli("status", "--format", format_),
    ]
    assert [one.code for one in ran] == [0] * 4
    for one in ran:
        for text in (one.out, one.err):
            assert "\x1b" not in text
            assert "\u202e" not in text
        shown = one.out.partition("```")[0]
        assert format_ not in ("html", "md") or "<script>alert" not in shown
