"""Pools from files: they quote as their kind does, and what is no pool is named by its line."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import Generation, StableSwap
from tests.command import CommandLine, Ran
from tests.unit.imports import files
from tests.unit.imports.files import LEVELS, PAIR, RANGES, STABLES

HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>\x1b[31m\u202e[x](y)'
Json = dict[str, Any]


def said(ran: Ran) -> Json:
    assert ran.code == 0, ran
    found: Json = json.loads(ran.out)
    return found


def imported(cli: CommandLine, *paths: str) -> Json:
    return said(cli("import", "pools", *paths, "--format", "json"))


def venue(cli: CommandLine, name: str, *words: str) -> Json:
    return said(cli("report", "venue", name, *words, "--format", "json"))


def step(found: Json, move: float) -> Json:
    (one,) = (one for one in found["depth"] if one["move"] == move)
    return dict(one)


def test_a_pair(cli: CommandLine) -> None:
    done = imported(cli, files.pools(cli.folder, PAIR))
    assert (done["pools"], done["assets"], done["ticks"], done["rows_refused"]) == (1, 2, 0, 0)
    assert done["protocols"] == [{"protocol": "uni", "pools": 1, "assets": 2, "ticks": 0}]

    found = venue(cli, "uni")
    assert (found["venue"], found["kind"], found["grade"]) == (
        "uni",
        "constant-product",
        "imported",
    )
    assert (found["assets"], found["fee"], found["chain_id"]) == (["WETH", "USDC"], 0.003, 0)
    assert found["spot_price"] == pytest.approx(2000 * 0.997)
    exact = ConstantProduct((1000 * 10**18, 2_000_000 * 10**6))
    sale = exact.sell_until(0, 1, exact.price(0, 1) * 98 / 100)
    assert step(found, 0.02)["sell"] == sale.sold / 10**18
    assert step(found, 0.02)["receive"] == sale.received / 10**6


def test_a_pool_of_three_tokens(cli: CommandLine) -> None:
    rows = ({**row, "admin_fee": "0.5", "generation": "first"} for row in STABLES)
    imported(cli, files.pools(cli.folder, *rows))

    found = venue(cli, "3pool")
    assert (found["kind"], found["assets"]) == ("stableswap", ["USDC", "USDT", "GUSD"])
    assert len(found["directions"]) == 6
    exact = StableSwap(
        balances=(900_000 * 10**6, 10**12, 800_000 * 10**6),
        rates=(10**30,) * 3,
        amplification=2000,
        fee_e10=4_000_000,
        admin_fee_e10=5 * 10**9,
        generation=Generation.FIRST,
    )
    sale = exact.sell_until(0, 1, exact.price(0, 1) * 99 / 100)
    assert step(found, 0.01)["sell"] == sale.sold / 10**6
    assert step(found, 0.01)["receive"] == sale.received / 10**6


def test_ranges_with_a_price_and_what_the_ticks_add_up_to(cli: CommandLine) -> None:
    done = imported(cli, files.ticks(cli.folder), files.pools(cli.folder, RANGES))
    assert (done["pools"], done["ticks"]) == (1, 2)

    found = venue(cli, "WETH/USDC")
    assert found["spot_price"] == pytest.approx(2000 * 0.997)
    # L · (√p - √(p · 0.98)), in base units, of a liquidity that is the same all the way.
    expected = 10**18 * (2000e-12**0.5) * (1 - 0.98**0.5) / 10**6
    assert step(found, 0.02)["receive"] == pytest.approx(expected, rel=1e-9)
    assert [one["reached"] for one in found["depth"]] == [True] * 7 + [False] * 3


def test_depth_tables(cli: CommandLine) -> None:
    imported(cli, files.pools(cli.folder, *LEVELS[::-1]))

    found = venue(cli, "book")
    assert (found["kind"], found["spot_price"], len(found["directions"])) == ("depth", 2000, 1)
    assert step(found, 0.02) == {"move": 0.02, "sell": 10, "receive": 20_000, "reached": True}
    whole = {"sell": 100, "receive": 20_000 + 90 * 1900, "reached": False}
    assert step(found, 0.05) == {"move": 0.05, **whole}
    assert step(found, 0.8) == {"move": 0.8, **whole}


def test_an_empty_pool_is_a_pool(cli: CommandLine) -> None:
    imported(cli, files.pools(cli.folder, {**PAIR, "reserve_in": "0", "reserve_out": "0"}))
    found = venue(cli, "uni")
    assert (found["spot_price"], found["depth"]) == (None, [])
    assert "The pool is empty" in cli("report", "venue", "uni").out


def test_a_fee_may_leave_the_pair(cli: CommandLine) -> None:
    """As in the volatile pools of Aerodrome: what is sold next meets a smaller reserve."""
    imported(cli, files.pools(cli.folder, {**PAIR, "admin_fee": "1"}))
    exact = ConstantProduct((1000 * 10**18, 2_000_000 * 10**6), fee_leaves=True)
    sale = exact.sell_until(0, 1, exact.price(0, 1) / 2)
    assert step(venue(cli, "uni"), 0.5)["sell"] == sale.sold / 10**18


def test_digits_beyond_the_decimals_are_cut_and_counted(cli: CommandLine) -> None:
    done = imported(cli, files.pools(cli.folder, {**PAIR, "reserve_out": "2000000.1234567"}))
    assert done["cut_amounts"] == 1


def test_an_address_is_the_same_in_capitals(cli: CommandLine) -> None:
    """A market's asset and a pool's are one."""
    asset = "0x" + "AB" * 20
    held = files.positions(cli.folder, f"x,m,a,{asset.lower()},debt,1")
    cli("import", "lending", held, files.markets(cli.folder, f"x,m,{asset},18,3,0,0,0,0"))
    imported(cli, files.pools(cli.folder, {**PAIR, "asset_in": asset, "venue": "0x" + "CD" * 20}))
    found = venue(cli, "0xCDCD")
    assert found["address"] == "0x" + "cd" * 20
    assert found["assets"][0] == "0xabab…abab"


def test_importing_again_replaces_a_pool_and_keeps_what_it_was(cli: CommandLine) -> None:
    imported(cli, files.pools(cli.folder, PAIR))
    first = venue(cli, "uni")["depth"]
    done = imported(cli, files.pools(cli.folder, {**PAIR, "reserve_in": "500"}))
    assert (done["block"], done["rows_written"]) == (2, 1)
    assert venue(cli, "uni")["spot_price"] == pytest.approx(4000 * 0.997)
    assert venue(cli, "uni", "--block", "1")["depth"] == first
    again = imported(cli, files.pools(cli.folder, {**PAIR, "reserve_in": "500"}))
    assert again["rows_written"] == 0
    # A pool may change its kind: nothing of the old one is left.
    imported(cli, files.pools(cli.folder, *({**row, "venue": "uni"} for row in LEVELS)))
    assert venue(cli, "uni")["kind"] == "depth"


def test_pools_that_a_file_does_not_name_stay(cli: CommandLine) -> None:
    imported(cli, files.pools(cli.folder, PAIR))
    imported(cli, files.pools(cli.folder, *LEVELS))
    assert venue(cli, "uni")["block"] == 2
    assert "'weth/usdc' is 2 pools: name one of uni and book" in cli.refused(
        "report", "venue", "weth/usdc"
    )


def test_ticks_between_bounds_are_enough_with_the_liquidity(cli: CommandLine) -> None:
    """A sale ends at the last tick that is known."""
    known = {"ticks_from": "-203400", "ticks_to": "-198001", "liquidity": str(10**18)}
    paths = [
        files.pools(cli.folder, {**RANGES, **known}),
        files.ticks(cli.folder, *files.TICKS[:1]),
    ]
    imported(cli, *paths)
    assert step(venue(cli, "v3"), 0.02)["reached"]
    assert not step(venue(cli, "v3"), 0.8)["reached"]


def test_parquet_says_the_same(cli: CommandLine) -> None:
    """Whole numbers, decimals and text; not floating point numbers, which have lost digits."""
    columns = {column: pa.array([value]) for column, value in PAIR.items()}
    columns |= {"reserve_in": pa.array([1000]), "decimals_out": pa.array([6], pa.int8())}
    path = cli.folder / "pools.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    imported(cli, str(path))
    found = venue(cli, "uni")
    cli("import", "pools", files.pools(cli.folder, PAIR), "--db", "sqlite:///other.db")
    assert found["depth"] == venue(cli, "uni", "--db", "sqlite:///other.db")["depth"]
    pyarrow.parquet.write_table(pa.table(columns | {"reserve_in": pa.array([1000.0])}), path)
    assert "reserve_in" in cli.refused("import", "pools", str(path))


def test_a_name_that_is_taken_by_something_else(cli: CommandLine) -> None:
    held = files.positions(cli.folder, *files.HELD)
    assert cli("import", "lending", held, files.markets(cli.folder)).code == 0
    paths = files.pools(cli.folder, {**PAIR, "venue": "mylend"})
    assert "mylend is already a deployment of imported-lending" in cli.refused(
        "import", "pools", paths
    )
    imported(cli, files.pools(cli.folder, PAIR))
    for words in (("positions", "uni"), ("positions", "imported-pools")):
        assert "nobody's positions in" in cli.refused(*words)


@pytest.mark.parametrize("format_", ["table", "md", "csv", "html", "json"])
def test_hostile_text_is_kept_and_inert(format_: str, cli: CommandLine) -> None:
    row = {**PAIR, "venue": HOSTILE, "asset_in": HOSTILE + "2"}
    path = files.pools(cli.folder, row)
    outputs = [cli("import", "pools", path, "--format", format_)]
    outputs.append(cli("report", "venue", HOSTILE, "--format", format_))
    outputs.append(cli("status", "--format", format_))
    bad = files.pools(cli.folder, {**row, "kind": HOSTILE}, name="bad.csv")
    outputs.append(cli("import", "pools", bad, "--format", format_))
    outputs.append(cli("report", "venue", HOSTILE + "3"))
    assert [ran.code for ran in outputs] == [0, 0, 0, 2, 2]
    for ran in outputs:
        for text in (ran.out, ran.err):
            assert "\x1b" not in text
            assert "\u202e" not in text
        shown = ran.out.partition("```")[0]
        if format_ in ("html", "md"):
            assert "<script>alert" not in shown
        if format_ == "csv":
            cells = [cell for line in csv.reader(io.StringIO(ran.out)) for cell in line]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
