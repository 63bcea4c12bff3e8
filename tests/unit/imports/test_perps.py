"""Perpetuals from files: what passes, what does not and why, and what the commands say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.row import columns
from defirisk.imports.perps import read_perps
from defirisk.imports.perps_layouts import COLLATERAL, LAYOUTS, PERPS, TIERS
from defirisk.imports.reading import Sheet
from defirisk.protocols.perps.imported_perps.rows import ImportedPerp
from tests.command import CommandLine
from tests.unit.imports import files

HEADERS = {layout.name: ",".join(layout.columns) for layout in LAYOUTS}
HELD = (
    "hl,BTC-PERP,alice,BTC,2,60000,10000,,cross,65000",
    "hl,ETH-PERP,alice,ETH,-30,3000,-5,0.01,cross,3100",
    "hl,ETH-PERP,bob,ETH,10.5,3200,1500,0.01,isolated,3100.0",
)
LISTED = ("hl,BTC,0,0.02,0.01,50", "hl,BTC,100000,0.04,0.02,25", "hl,BTC,1e6,0.1333,0.05,7.5")
PLEDGED = ("hl,alice,BTC,0.1,0.1,65000", "hl,erin,USDC,10,0,1")


def perps(cli: CommandLine, *lines: str) -> str:
    return files.write(cli.folder / "p.csv", (HEADERS["perps"], *lines))


def tiers(cli: CommandLine, *lines: str) -> str:
    return files.write(cli.folder / "t.csv", (HEADERS["perp tiers"], *lines))


def collateral(cli: CommandLine, *lines: str) -> str:
    return files.write(cli.folder / "c.csv", (HEADERS["perp collateral"], *lines))


def usual(cli: CommandLine) -> list[str]:
    return [perps(cli, *HELD), tiers(cli, *LISTED), collateral(cli, *PLEDGED)]


def said(cli: CommandLine, *words: str) -> dict[str, Any]:
    ran = cli(*words, "--format", "json")
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_files_in_any_order_become_one_protocol(cli: CommandLine) -> None:
    done = said(cli, "import", "perps", *usual(cli)[::-1])
    (hl,) = done["protocols"]
    assert (hl["positions"], hl["tiers"], hl["collateral"]) == (3, 3, 2)
    assert (done["rows_written"], done["cut_amounts"], done["block"]) == (8, 0, 1)


def test_a_second_import_replaces_positions_and_keeps_what_was(cli: CommandLine) -> None:
    said(cli, "import", "perps", *usual(cli))
    said(cli, "import", "perps", perps(cli, HELD[2]))
    listed = {row["account"] for row in said(cli, "positions", "hl")["positions"]}
    before = {row["account"] for row in said(cli, "positions", "hl", "--block", "1")["positions"]}
    assert (listed, before) == ({"bob:ETH-PERP"}, {"alice", "bob:ETH-PERP", "erin"})


@pytest.mark.parametrize(
    "words",
    [
        ("positions", "hl"),
        ("stress", "--shock", "price:BTC=-40%"),
        ("stress", "--shock", "price:ETH=+40%", "--shock", "price:BTC=1000"),
        ("stress", "--shock", "oracle:BTC@hl=-40%"),
        ("stress", "--shock", "price:BTC=-40%", "--cascade"),
        ("stress", "--reverse", "bad_debt_usd>1e3"),
        ("report", "protocol", "hl"),
        ("graph",),
    ],
)
def test_every_command_reads_what_was_imported(words: tuple[str, ...], cli: CommandLine) -> None:
    said(cli, "import", "perps", *usual(cli))
    assert said(cli, *words)["chain_id"] == 0


def test_shocks_decide_by_the_margin_that_must_be_kept(cli: CommandLine) -> None:
    """bob: 10.5 ETH entered at 3200 with 1500 falls below 33600 - 1500 over 10.5 * 0.99."""
    said(cli, "import", "perps", *usual(cli))
    edge = (33_600 - 1_500) / (10.5 * 0.99)
    for price, count in ((edge + 0.001, 0), (edge - 0.001, 1)):
        done = said(cli, "stress", "--shock", f"price:ETH={price}")
        assert done["scenarios"][0]["totals"]["liquidatable_accounts"] == count


BAD_PERPS = [
    (",M,al,X,1,1,1,0.1,cross,1", "protocol is empty"),
    ("hl,,al,X,1,1,1,0.1,cross,1", "market is empty"),
    ("hl,M,,X,1,1,1,0.1,cross,1", "account is empty"),
    ("hl,M,al,,1,1,1,0.1,cross,1", "asset is empty"),
    (f"hl,M,{'a' * 201},X,1,1,1,0.1,cross,1", "account has more than 200 characters"),
    ("hl,M,al,X,1,1,1,0.1,Cross,1", "mode 'Cross' is unknown: write isolated or cross"),
    ("hl,M,al,X,1,1,1,0.1,,1", "mode '' is unknown"),
    ("hl,M,al,X,,1,1,0.1,cross,1", "size is missing"),
    ("hl,M,al,X,NaN,1,1,0.1,cross,1", "size 'NaN' is no decimal number"),
    ("hl,M,al,X,--1,1,1,0.1,cross,1", "size '--1' is no decimal number"),
    ("hl,M,al,X,1e99,1,1,0.1,cross,1", "does not fit into 256 bits"),
    ("hl,M,al,X,1,-1,1,0.1,cross,1", "entry_price_usd -1 is negative"),
    ("hl,M,al,X,1,inf,1,0.1,cross,1", "entry_price_usd 'inf' is no decimal number"),
    ("hl,M,al,X,1,1e31,1,0.1,cross,1", "entry_price_usd is above 1e+30"),
    ("hl,M,al,X,1,1,-1,0.1,isolated,1", "margin_usd -1 is negative: only accounts in cross mode"),
    ("hl,M,al,X,1,1,,0.1,isolated,1", "margin_usd is missing"),
    ("hl,M,al,X,1,1,1,5,cross,1", "maintenance_margin 5 is above 1: write 5 % as 0.05"),
    ("hl,M,al,X,1,1,1,-0.1,cross,1", "maintenance_margin -0.1 is negative"),
    ("hl,M,al,X,1,1,1,,cross,1", "maintenance_margin is missing, and no file has tiers of 'X'"),
    ("hl,M,al,X,1,1,1,0.1,cross,0", "price_usd is 0"),
    ("hl,M,al,X,1,1,1,0.1,cross,", "price_usd is missing"),
    ("hl,M,al,USD,1,1,1,0.1,cross,2", "price_usd '2' of USD: all prices are in it, so it is 1"),
    ("hl,M,al,ETH,1,1,1,0.1,cross,3099", "price_usd '3099' of 'ETH' is not the one of line 3"),
    ("hl,ETH-PERP,al,BTC,1,1,1,0.1,cross,65000", "market 'ETH-PERP' has asset 'ETH' in line 3"),
    ("hl,BTC-PERP,alice,BTC,1,1,1,,isolated,65000", "says again what line 2 says: duplicate"),
    ("hl,M,bob:ETH-PERP,X,1,1,1,0.1,cross,1", "account 'bob:ETH-PERP' cannot be told from 'bob'"),
    ("hl,M,al,X,1,1,1,0.1,cross", "has 9 values, the header has 10"),
    ("hl,M,<script>,X,<b>,1,1,0.1,cross,1", "size '<b>' is no decimal number"),
]
BAD_TIERS = [
    ("hl,X,5,0.1,0.05,10", "the first tier of 'X' starts at 5"),
    ("hl,BTC,1e6,0.2,0.1,5", "notional_floor_usd 1e6 is not above the 1e6 of the tier before"),
    ("hl,BTC,2e6,0.1,0.05,10", "initial_margin 0.1 is below the 0.1333 of the tier before"),
    ("hl,BTC,2e6,0.2,0.04,5", "maintenance_margin 0.04 is below the 0.05 of the tier before"),
    ("hl,X,0,0.1,0.2,10", "maintenance_margin 0.2 is above the initial_margin 0.1"),
    ("hl,X,0,0.1,0.05,20", "max_leverage 20 goes with an initial_margin of 0.05"),
    ("hl,X,0,0.1,0.05,0", "max_leverage 0 goes with an initial_margin of none"),
    ("hl,X,0,10,0.05,0.1", "initial_margin 10 is above 1"),
    ("hl,X,-1,0.1,0.05,10", "notional_floor_usd -1 is negative"),
    ("hl,X,1e99,0.1,0.05,10", "notional_floor_usd is above 1e+30"),
    ("hl,,0,0.1,0.05,10", "asset is empty"),
    ("other,X,0,0.1,0.05,10", "no file of positions has protocol 'other'"),
]
BAD_COLLATERAL = [
    ("hl,alice,SOL,-1,0,1", "amount '-1' is negative: what is owed is a negative margin_usd"),
    ("hl,alice,SOL,1,1.1,1", "haircut 1.1 is above 1"),
    ("hl,alice,SOL,1,,1", "haircut is missing"),
    ("hl,alice,ETH,1,0,3000", "price_usd '3000' of 'ETH' is not the one of line 3 of p.csv"),
    ("hl,erin,USDC,2,0,1", "says again what line 3 says: duplicate"),
    ("hl,bob:ETH-PERP,SOL,1,0,1", "account 'bob:ETH-PERP' cannot be told from 'bob'"),
    ("hl,,SOL,1,0,1", "account is empty"),
    ("lost,alice,SOL,1,0,1", "no file of positions has protocol 'lost'"),
]


def assert_refused(cli: CommandLine, paths: list[str], file: str, line: int, says: str) -> None:
    ran = cli("import", "perps", *paths, "--format", "json")
    assert ran.code == 2, ran
    found = json.loads(ran.out)
    first = next(row for row in found["refused"] if row["file"] == file)
    assert (first["line"], found["stored"]) == (line, False)
    assert says in first["reason"]
    assert len(ran.err.splitlines()) == 1
    assert not (cli.folder / "defirisk.db").exists()


@pytest.mark.parametrize(("line", "says"), BAD_PERPS)
def test_a_bad_position_is_named_by_its_line(line: str, says: str, cli: CommandLine) -> None:
    paths = [perps(cli, *HELD, line), tiers(cli, *LISTED), collateral(cli, *PLEDGED)]
    assert_refused(cli, paths, "p.csv", len(HELD) + 2, says)


@pytest.mark.parametrize(("line", "says"), BAD_TIERS)
def test_a_bad_tier_is_named_by_its_line(line: str, says: str, cli: CommandLine) -> None:
    paths = [perps(cli, *HELD), tiers(cli, *LISTED, line)]
    assert_refused(cli, paths, "t.csv", len(LISTED) + 2, says)


@pytest.mark.parametrize(("line", "says"), BAD_COLLATERAL)
def test_bad_collateral_is_named_by_its_line(line: str, says: str, cli: CommandLine) -> None:
    paths = [perps(cli, *HELD), tiers(cli, *LISTED), collateral(cli, *PLEDGED, line)]
    assert_refused(cli, paths, "c.csv", len(PLEDGED) + 2, says)


def test_a_table_with_a_bad_tier_is_none(cli: CommandLine) -> None:
    """Without the tier the others would demand less: positions that need it are refused, too."""
    bad = tiers(cli, LISTED[0], "hl,BTC,100000,0.04,0.02,2", LISTED[2])
    ran = cli("import", "perps", perps(cli, *HELD), bad, "--skip-bad", "--format", "json")
    assert ran.code == 0, ran
    done = json.loads(ran.out)
    assert [(row["file"], row["line"]) for row in done["refused"]] == [("p.csv", 2), ("t.csv", 3)]
    assert "the tiers of 'BTC' have a bad row, line 3" in done["refused"][0]["reason"]
    (hl,) = done["protocols"]
    assert (hl["positions"], hl["tiers"]) == (2, 0)


def test_tiers_go_before_what_a_position_states(cli: CommandLine) -> None:
    """1 BTC at 65,000 with 700 left: enough for a hundredth by the tiers, not for a tenth."""
    held = "hl,BTC-PERP,al,BTC,1,65000,700,0.1,isolated,65000"
    for files_, count in (([tiers(cli, *LISTED)], 0), ([], 1)):
        said(cli, "import", "perps", perps(cli, held), *files_)
        done = said(cli, "stress", "--shock", "price:BTC=65000")
        assert done["scenarios"][0]["totals"]["liquidatable_accounts"] == count


def test_files_without_positions_are_no_perpetuals(cli: CommandLine) -> None:
    assert "no file has the positions" in cli.refused("import", "perps", tiers(cli, *LISTED))


def test_digits_beyond_eighteen_are_cut_and_counted(cli: CommandLine) -> None:
    held = "hl,M,al,X,-1.0000000000000000019,1,1,0.1,cross,1"
    assert said(cli, "import", "perps", perps(cli, held))["cut_amounts"] == 1


HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202e"


@pytest.mark.parametrize("format_", ["table", "md", "csv", "html", "json"])
def test_hostile_names_are_inert(format_: str, cli: CommandLine) -> None:
    row = (HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1, 1, "0.1", "isolated", 1)
    path = files.table(cli.folder / "p.csv", PERPS.columns, [row])
    said(cli, "import", "perps", path)
    for words in (("positions",), ("report", "protocol"), ("stress", "--shock")):
        last = "price:" + HOSTILE + "=-50%" if words[0] == "stress" else HOSTILE
        ran = cli(*words, last, "--format", format_)
        for text in (ran.out, ran.err):
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert format_ != "html" or "<script>alert" not in ran.out


TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["hl", "BTC", "al", "a:b", "a", "b", "cross", "isolated", "-1", "1e-30", "nan"]
    ),
    st.decimals(allow_nan=True).map(str),
    st.integers().map(str),
)


@given(
    st.lists(st.tuples(*(TEXTS for _ in PERPS.columns)), max_size=4),
    st.lists(st.tuples(*(TEXTS for _ in TIERS.columns)), max_size=4),
    st.lists(st.tuples(*(TEXTS for _ in COLLATERAL.columns)), max_size=4),
)
def test_every_row_is_taken_or_refused_whatever_it_says(
    held: list[tuple[str, ...]],
    listed: list[tuple[str, ...]],
    pledged: list[tuple[str, ...]],
) -> None:
    sheets = [
        Sheet(file=layout.name, layout=layout, rows=list(enumerate(rows, start=2)), refused=[])
        for layout, rows in ((PERPS, held), (TIERS, listed), (COLLATERAL, pledged))
    ]
    found = read_perps(sheets)
    taken = [row for rows in found.rows().values() for row in rows.get(ImportedPerp, ())]
    lines = [row.line for row in found.refused if row.file == PERPS.name]
    assert len(taken) + len(lines) == len(held)
    assert len(set(lines)) == len(lines)
    for row in taken:
        assert set(columns(type(row))) >= {"size_raw", "margin_raw"}
