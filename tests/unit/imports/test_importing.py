"""What is imported goes through the same book and reports as what is indexed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.command import CommandLine, Ran
from tests.unit.imports import files

HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>\x1b[31m\u202e[x](y)'


def imported(cli: CommandLine, *lines: str, markets: tuple[str, ...] = ()) -> dict[str, Any]:
    """Imports these positions; what the command says as JSON."""
    paths = [files.positions(cli.folder, *lines), files.markets(cli.folder, *markets)]
    return said(cli("import", "lending", *paths, "--format", "json"))


def said(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def listed(cli: CommandLine, *words: str) -> dict[tuple[str, str, str], str]:
    """Base units by account, asset and side."""
    found = said(cli("positions", *words, "--format", "json"))["positions"]
    return {(p["account"], p["symbol"], p["side"]): p["balance_raw"] for p in found}


def test_an_import_says_what_it_read_and_where_it_stands(cli: CommandLine) -> None:
    before = int(time.time())
    found = imported(cli, *files.HELD, "mylend,main,carl,USDC,collateral,1.1234567")
    assert (found["rows_read"], found["accounts"], found["rows_refused"]) == (6, 3, 0)
    assert (found["cut_amounts"], found["rows_written"], found["stored"]) == (1, 6, True)
    assert found["protocols"] == [
        {"protocol": "mylend", "markets": 2, "accounts": 3, "positions": 4}
    ]
    assert (found["chain_id"], found["block"]) == (0, 1)
    digests = sorted(
        hashlib.sha256((cli.folder / name).read_bytes()).digest() for name in ("p.csv", "m.csv")
    )
    assert found["block_hash"] == "0x" + hashlib.sha256(b"".join(digests)).hexdigest()
    turned = said(
        cli("import", "lending", "m.csv", "p.csv", "--db=sqlite:///b.db", "--format=json")
    )
    assert turned["block_hash"] == found["block_hash"]
    status = said(cli("status", "--format", "json"))
    (chain,) = status["chains"]
    assert before <= chain["verified_ts"] <= time.time()
    assert (chain["verified_to"], chain["lag_seconds"], chain["unverified_ranges"]) == (1, 0, [])
    (deployment,) = status["deployments"]
    assert deployment["deployment"] == "mylend"
    assert (deployment["accounts"], deployment["positions"], deployment["raw_logs"]) == (3, 4, 0)


def test_amounts_are_exact_and_cut_not_rounded(cli: CommandLine) -> None:
    big, small = 2**256 - 1, "0.0000009999"
    lines = [f"x,m,a,ONE,debt,{big}", f"x,m,b,USDC,collateral,{small}", "x,m,c,USDC,supply,0"]
    imported(cli, *lines, markets=("x,m,ONE,0,0,0,0,0,0", "x,m,USDC,6,1,0,0,0,0"))
    # What is 0 is no position.
    assert listed(cli, "x") == {("a", "ONE", "debt"): str(big)}
    lines[1] = "x,m,b,USDC,collateral,1234567.8901239"
    imported(cli, *lines, markets=("x,m,ONE,0,0,0,0,0,0", "x,m,USDC,6,1,0,0,0,0"))
    assert listed(cli, "x")["b", "USDC", "collateral"] == "1234567890123"


def test_health_is_collateral_times_threshold_over_debt(cli: CommandLine) -> None:
    imported(cli, *files.HELD)
    rows = said(cli("positions", "mylend", "--account", "alice", "--format", "json"))["positions"]
    assert [row["health_factor"] for row in rows] == [pytest.approx(10 * 2000 * 0.825 / 15000)] * 2
    totals = stressed(cli, "price:WETH=-50%")
    assert totals["liquidatable_accounts"] == 1
    assert totals["debt_at_risk_usd"] == pytest.approx(15000)
    assert totals["bad_debt_usd"] == pytest.approx(15000 - 10000)
    # What only earns backs nothing, and what the market does the file's price need not follow.
    assert stressed(cli, "market:WETH=-50%")["liquidatable_accounts"] == 0
    assert stressed(cli, "oracle:WETH@mylend=-50%")["bad_debt_usd"] == 0


def stressed(cli: CommandLine, shock: str) -> dict[str, Any]:
    found: dict[str, Any] = said(cli("stress", "--shock", shock, "--format", "json"))
    totals: dict[str, Any] = found["scenarios"][0]["totals"]
    return totals


def test_at_the_edge_fractions_decide(cli: CommandLine) -> None:
    """0.1 * 3 * 0.7 is a binary fraction above 0.21, and one base unit of debt decides."""
    market = ("x,m,W,18,0.1,0.7,0.7,0,0", "x,m,D,18,1,0,0,0,0")
    lines = ["x,m,even,W,collateral,3", "x,m,even,D,debt,0.21"]
    lines += ["x,m,over,W,collateral,3", "x,m,over,D,debt,0.210000000000000001"]
    imported(cli, *lines, markets=market)
    words = ("--shock", "market:W=+0%", "--accounts", "--format", "json")
    found = said(cli("stress", *words))
    assert found["scenarios"][0]["edge_accounts"] == 2
    assert [one["account"] for one in found["accounts"]] == ["over"]


def test_markets_of_one_protocol_are_liquidated_apart(cli: CommandLine) -> None:
    lines = ["x,one,al,W,collateral,1", "x,two,al,W,collateral,1", "x,two,al,D,debt,100"]
    markets = [f"x,{m},{a},18,{p},0.5,0.5,0,0" for m in ("one", "two") for a, p in WORTH]
    lines.append("x,two,ben,W,collateral,1")
    imported(cli, *lines, markets=tuple(markets))
    totals = stressed(cli, "price:W=-10%")
    assert (totals["liquidatable_accounts"], totals["bad_debt_usd"]) == (1, pytest.approx(10))
    assert set(listed(cli, "x", "--account", "al")) == {
        ("al:one", "W", "collateral"),
        ("al:two", "W", "collateral"),
        ("al:two", "D", "debt"),
    }


WORTH = (("W", 100), ("D", 1))


def test_a_second_import_replaces_a_protocol_and_keeps_what_it_was(cli: CommandLine) -> None:
    imported(cli, *files.HELD)
    first = listed(cli, "mylend")
    again = imported(cli, files.HELD[0], "mylend,main,alice,USDC,debt,16000")
    assert (again["block"], again["rows_written"]) == (2, 1)
    assert listed(cli, "mylend") == {
        ("alice", "WETH", "collateral"): str(10 * 10**18),
        ("alice", "USDC", "debt"): str(16000 * 10**6),
    }
    assert listed(cli, "mylend", "--block", "1") == first
    same = imported(cli, files.HELD[0], "mylend,main,alice,USDC,debt,16000")
    assert (same["block"], same["rows_written"], same["block_hash"]) == (3, 0, again["block_hash"])


def test_protocols_that_a_file_does_not_name_go_on_as_they_are(cli: CommandLine) -> None:
    imported(cli, *files.HELD)
    before = listed(cli, "mylend")
    market = ("yours,main,WETH,18,1900,0.8,0.8,0,0",)
    imported(cli, "yours,main,dora,WETH,collateral,1", markets=market)
    assert listed(cli, "mylend") == before
    both = said(cli("stress", "--shock", "price:WETH=-50%", "--format", "json"))
    assert [one["protocol"] for one in both["scenarios"][0]["by_protocol"]] == ["mylend", "yours"]
    assert len(listed(cli, "imported-lending")) == len(before) + 1
    assert "block 3 is not indexed yet" in cli.refused("positions", "yours", "--block", "3")


def test_there_is_nothing_to_verify(cli: CommandLine) -> None:
    imported(cli, *files.HELD)
    for words in (("verify",), ("verify", "mylend"), ("verify", "--chain", "0")):
        assert "there is nothing to verify: mylend was imported" in cli.refused(*words)


def test_an_import_stands_beside_a_chain(cli: CommandLine, demo_database: Path) -> None:
    shutil.copy(demo_database, cli.folder / "defirisk.db")
    imported(cli, *files.HELD)
    assert "give --chain" in cli.refused("stress", "--shock", "price:WETH=-50%")
    words = ("stress", "--chain", "0", "--shock", "price:WETH=-50%", "--format", "json")
    assert said(cli(*words))["chain_id"] == 0
    assert len(said(cli("status", "--format", "json"))["chains"]) == 2
    assert "no node to ask" in cli.refused("verify")


def test_a_name_that_a_chain_has_taken_is_refused(cli: CommandLine, demo_database: Path) -> None:
    path = Path(shutil.copy(demo_database, cli.folder / "defirisk.db"))
    name, *_ = (
        one["deployment"]
        for one in said(cli("status", "--format", "json"))["deployments"]
        if one["protocol"] == "aave-v3"
    )
    held = files.positions(cli.folder, f"{name},main,alice,WETH,debt,1")
    market = files.markets(cli.folder, f"{name},main,WETH,18,1,0,0,0,0")
    error = cli.refused("import", "lending", held, market)
    assert f"{name} is already a deployment of aave-v3 on chain 31337" in error
    assert [c["chain_id"] for c in said(cli("status", "--format", "json"))["chains"]] == [31337]
    assert path.exists()


@pytest.mark.parametrize("format_", ["table", "md", "csv", "html", "json"])
def test_hostile_text_is_kept_and_inert(format_: str, cli: CommandLine) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    held = [f"{quoted},{quoted},{quoted},{quoted},collateral,1", f"{quoted},{quoted},b,D,debt,0.1"]
    market = [f"{quoted},{quoted},{a},18,1,0.5,0.5,0,0" for a in (quoted, "D")]
    paths = [files.positions(cli.folder, *held), files.markets(cli.folder, *market)]
    outputs = [cli("import", "lending", *paths, "--format", format_)]
    outputs += [
        cli(*words, "--format", format_)
        for words in (
            ("status",),
            ("positions", HOSTILE),
            ("report", "protocol", HOSTILE),
            ("stress", "--accounts", "--shock", "price:D=+900%"),
        )
    ]
    refused = files.positions(cli.folder, f"{quoted},x,a,{quoted},debt,1")
    outputs.append(cli("import", "lending", refused, paths[1], "--format", format_))
    assert [ran.code for ran in outputs] == [0, 0, 0, 0, 0, 2]
    for ran in outputs:
        for text in (ran.out, ran.err):
            assert "\x1b" not in text
            assert "\u202e" not in text
        if format_ in ("html", "md"):
            # The command is in a fence, where only a backtick would mean something.
            shown = ran.out.partition("```")[0]
            assert "<script>alert" not in shown
            assert "[x](y)" not in shown or format_ == "html"
        if format_ == "csv":
            cells = [cell for row in csv.reader(io.StringIO(ran.out)) for cell in row]
            assert cells
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    with sqlite3.connect(cli.folder / "defirisk.db") as connection:
        stored = connection.execute("SELECT account, asset FROM imported_lending_positions")
        assert sorted(stored) == [(HOSTILE, HOSTILE), ("b", "D")]
