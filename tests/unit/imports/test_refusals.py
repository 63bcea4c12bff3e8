"""Every row that cannot be is named by its line, and nothing is stored because of it."""

from __future__ import annotations

import json

import pytest

from tests.command import CommandLine
from tests.unit.imports import files

BAD_POSITIONS = [
    ("mylend,main,al,WETH,debt", "has 5 values"),
    ("mylend,main,al,WETH,debt,-1", "amount -1 is negative"),
    ("mylend,main,al,USDC,debt,-0.0000001", "amount -0.0000001 is negative"),
    ("mylend,main,al,WETH,Debt,1", "side 'Debt' is unknown"),
    ("mylend,main,al,WETH,borrow,1", "side 'borrow' is unknown"),
    ("mylend,main,al,WETH,debt,", "amount is missing"),
    ("mylend,main,al,WETH,debt,ten", "amount 'ten' is no decimal number"),
    ("mylend,main,al,WETH,debt,NaN", "amount 'NaN' is no decimal number"),
    ("mylend,main,al,WETH,debt,1e999", "does not fit into 256 bits"),
    (f"mylend,main,al,USDC,debt,{2**256}e-6", "does not fit into 256 bits"),
    ("mylend,main,,WETH,debt,1", "account is empty"),
    ("mylend,main, ,WETH,debt,1", "account is empty"),
    (",main,al,WETH,debt,1", "protocol is empty"),
    ("mylend,,al,WETH,debt,1", "market is empty"),
    ("mylend,main,al,,debt,1", "asset is empty"),
    ("mylend,main,al,weth,debt,1", "no markets file has asset 'weth' in market 'main'"),
    ("mylend,other,al,WETH,debt,1", "no markets file has asset 'WETH' in market 'other'"),
    ("yourlend,main,al,WETH,debt,1", "no markets file has asset 'WETH'"),
    (f"{'x' * 201},main,al,WETH,debt,1", "protocol has more than 200 characters"),
    ("mylend,main,alice,USDC,debt,1", "says again what line 3 says: duplicate"),
]
BAD_MARKETS = [
    ("mylend,main,DAI,18,,0.8,0.8,0.05,0.5", "price_usd is missing"),
    ("mylend,main,DAI,18,-1,0.8,0.8,0.05,0.5", "price_usd -1 is negative"),
    ("mylend,main,DAI,18,1e31,0.8,0.8,0.05,0.5", "price_usd is above"),
    ("mylend,main,DAI,18,cheap,0.8,0.8,0.05,0.5", "price_usd 'cheap' is no decimal number"),
    ("mylend,main,DAI,18,1,0.8,1.01,0.05,0.5", "liquidation_threshold 1.01 is above 1"),
    ("mylend,main,DAI,18,1,80,80,0.05,0.5", "ltv 80 is above 1: write 80 % as 0.8"),
    ("mylend,main,DAI,18,1,0.81,0.8,0.05,0.5", "ltv 0.81 is above the liquidation_threshold 0.8"),
    ("mylend,main,DAI,18,1,0.8,0.8,1.05,0.5", "liquidation_bonus 1.05 is above 1"),
    ("mylend,main,DAI,18,1,0.8,0.8,0.05,50", "close_factor 50 is above 1"),
    ("mylend,main,DAI,18,1,0.8,0.8,,0.5", "liquidation_bonus is missing"),
    ("mylend,main,DAI,78,1,0.8,0.8,0.05,0.5", "decimals '78' is no whole number from 0 to 77"),
    ("mylend,main,DAI,-1,1,0.8,0.8,0.05,0.5", "decimals '-1' is no whole number"),
    ("mylend,main,DAI,1.5,1,0.8,0.8,0.05,0.5", "decimals '1.5' is no whole number"),
    ("mylend,main,WETH,18,1,0.8,0.8,0.05,0.5", "says again what line 2 says: duplicate"),
    ("mylend,main,,18,1,0.8,0.8,0.05,0.5", "asset is empty"),
]


def assert_refused(cli: CommandLine, paths: list[str], where: tuple[str, int], says: str) -> None:
    ran = cli("import", "lending", *paths, "--format", "json")
    assert ran.code == 2
    said = json.loads(ran.out)
    (row,) = said["refused"]
    assert (row["file"], row["line"]) == where
    assert says in row["reason"]
    assert (said["stored"], said["rows_refused"]) == (False, 1)
    assert f"nothing was stored: {where[0]}, line {where[1]}: " in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (cli.folder / "defirisk.db").exists()


@pytest.mark.parametrize(("line", "says"), BAD_POSITIONS)
def test_a_bad_position_is_named_by_its_line(line: str, says: str, cli: CommandLine) -> None:
    paths = [files.positions(cli.folder, *files.HELD, line), files.markets(cli.folder)]
    assert_refused(cli, paths, ("p.csv", len(files.HELD) + 2), says)
    assert_refused(cli, paths[::-1], ("p.csv", len(files.HELD) + 2), says)


@pytest.mark.parametrize(("line", "says"), BAD_MARKETS)
def test_a_bad_market_is_named_by_its_line(line: str, says: str, cli: CommandLine) -> None:
    paths = [
        files.positions(cli.folder, *files.HELD),
        files.markets(cli.folder, *files.LISTED, line),
    ]
    assert_refused(cli, paths, ("m.csv", len(files.LISTED) + 2), says)


def test_a_position_in_a_refused_market_is_refused_with_it(cli: CommandLine) -> None:
    market = files.markets(cli.folder, "mylend,main,WETH,18,,0.8,0.8,0,0", files.LISTED[1])
    ran = cli(
        "import", "lending", files.positions(cli.folder, *files.HELD), market, "--format=json"
    )
    lines = [(row["file"], row["line"]) for row in json.loads(ran.out)["refused"]]
    assert lines == [("p.csv", 2), ("p.csv", 4), ("m.csv", 2)]


def test_a_duplicate_in_another_file_names_both(cli: CommandLine) -> None:
    (cli.folder / "b").mkdir()
    first, second = (
        files.positions(folder, *files.HELD) for folder in (cli.folder, cli.folder / "b")
    )
    ran = cli("import", "lending", first, second, files.markets(cli.folder), "--format", "json")
    refused = json.loads(ran.out)["refused"]
    assert [(row["file"], row["line"]) for row in refused] == [
        (second, 2),
        (second, 3),
        (second, 4),
    ]
    assert refused[0]["reason"] == f"says again what line 2 of {first} says: duplicate"


def test_capitals_do_not_make_another_address(cli: CommandLine) -> None:
    low = "0x" + "ab" * 20
    lines = [f"mylend,main,{who},WETH,debt,1" for who in (low, "0x" + "AB" * 20)]
    paths = [files.positions(cli.folder, *lines), files.markets(cli.folder)]
    assert_refused(cli, paths, ("p.csv", 3), "duplicate")


def test_bad_rows_are_left_out_where_that_is_asked_for(cli: CommandLine) -> None:
    bad = [line for line, _ in BAD_POSITIONS]
    paths = [files.positions(cli.folder, *bad, *files.HELD), files.markets(cli.folder)]
    ran = cli("import", "lending", *paths, "--skip-bad", "--format", "json")
    assert ran.code == 0, ran
    said = json.loads(ran.out)
    # The duplicate comes first here, so it is the later one that is refused.
    assert [row["line"] for row in said["refused"]] == [*range(2, len(bad) + 1), len(bad) + 3]
    assert said["stored"]
    (mylend,) = said["protocols"]
    assert (mylend["accounts"], mylend["positions"]) == (2, 3)


def test_files_that_are_not_what_they_should_be(cli: CommandLine) -> None:
    held, listed = files.positions(cli.folder, *files.HELD), files.markets(cli.folder)
    bad = files.markets(cli.folder, "mylend,main,WETH,18,,0,0,0,0", name="bad.csv")
    assert "no file names the markets" in cli.refused("import", "lending", held)
    assert "'none.csv' does not exist" in cli.refused("import", "lending", "none.csv")
    assert "Missing argument 'FILE...'" in cli.refused("import", "lending")
    assert "'lendig' is not" in cli.refused("import", "lendig", held, listed)
    assert "no row passed" in cli.refused("import", "lending", bad, "--skip-bad")


def test_a_long_list_of_refusals_is_cut_for_people_only(cli: CommandLine) -> None:
    lines = [f"mylend,main,a{at},WETH,debt,-1" for at in range(50)]
    paths = [files.positions(cli.folder, *lines), files.markets(cli.folder)]
    ran = cli("import", "lending", *paths)
    assert "30 more: see --format json" in ran.out
    assert "line 2: amount -1 is negative (and 49 more rows)" in ran.err
    assert len(json.loads(cli("import", "lending", *paths, "--format=json").out)["refused"]) == 50
