"""What is no pool is named by its line, and nothing is stored because of it."""

from __future__ import annotations

import json

import pytest

from tests.command import CommandLine
from tests.unit.imports import files
from tests.unit.imports.files import LEVEL, LEVELS, PAIR, RANGES, STABLES
from tests.unit.imports.test_pools import imported, said, venue

BAD_ROWS = [
    ({**PAIR, "kind": "balancer-weighted"}, "kind 'balancer-weighted' is not known: write const"),
    ({**PAIR, "kind": "tricrypto"}, "kind 'tricrypto' is not known"),
    ({**PAIR, "kind": "uniswap-v4"}, "kind 'uniswap-v4' is not known"),
    ({**PAIR, "kind": "curve-metapool"}, "kind 'curve-metapool' is not known"),
    ({**PAIR, "kind": "aerodrome-stable"}, "kind 'aerodrome-stable' is not known"),
    ({**PAIR, "kind": "<b>\x1b[31m"}, "is not known"),
    ({**PAIR, "kind": "x" * 10_000}, "xxx…' is not known"),
    ({**PAIR, "kind": ""}, "kind '' is not known"),
    ({**PAIR, "venue": ""}, "venue is empty"),
    ({**PAIR, "venue": "x" * 10_000}, "venue has more than 200 characters"),
    ({**PAIR, "asset_in": "x" * 10_000}, "asset_in has more than 200 characters"),
    ({**PAIR, "asset_out": ""}, "asset_out is empty"),
    ({**PAIR, "asset_out": "WETH"}, "asset_in and asset_out are both 'WETH'"),
    ({**PAIR, "reserve_in": "-1"}, "reserve_in -1 is negative"),
    ({**PAIR, "reserve_in": ""}, "reserve_in is missing"),
    ({**PAIR, "reserve_out": "many"}, "reserve_out 'many' is no decimal number"),
    ({**PAIR, "reserve_out": "1e999"}, "does not fit into 256 bits"),
    ({**PAIR, "reserve_in": "5.2e15"}, "reserve_in '5.2e15' does not fit into 112 bits"),
    ({**PAIR, "fee": "0.3%"}, "fee '0.3%' is no decimal number"),
    ({**PAIR, "fee": "30"}, "fee 30 is not below 1: write 0.3 % as 0.003"),
    ({**PAIR, "fee": "-0.1"}, "fee -0.1 is negative"),
    ({**PAIR, "admin_fee": "2"}, "admin_fee 2 is above 1"),
    ({**PAIR, "admin_fee": "0.5"}, "stays (admin_fee 0) or leaves (1)"),
    ({**PAIR, "decimals_in": "78"}, "decimals_in 78 is above 77"),
    ({**PAIR, "decimals_in": "1.5"}, "decimals_in 1.5 is no whole number"),
    ({**STABLES[0], "amplification": ""}, "needs an amplification from 1 to"),
    ({**STABLES[0], "amplification": "0.5"}, "needs an amplification from 1 to"),
    ({**STABLES[0], "amplification": "1e7"}, "needs an amplification from 1 to"),
    (
        {**STABLES[0], "generation": "second"},
        "generation 'second' is not known: write plain, first",
    ),
    ({**STABLES[0], "fee": "0.00000000005"}, "no whole number of parts of 10,000,000,000"),
    ({**STABLES[0], "decimals_in": "37"}, "decimals_in 37 is above 36"),
    (RANGES, "no ticks file has venue 'v3': give one with venue,tick,liquidity_net"),
    ({**LEVEL, "price": "0", "cumulative_amount": "1"}, "needs a price and a cumulative_amount"),
    ({**LEVEL, "price": "1", "cumulative_amount": "0"}, "needs a price and a cumulative_amount"),
    ({**LEVEL, "price": "1", "cumulative_amount": "-1"}, "cumulative_amount -1 is negative"),
    ({**LEVEL, "price": "1e31", "cumulative_amount": "1"}, "price is above 1e+30"),
    ({**LEVEL, "price": "1", "cumulative_amount": ""}, "cumulative_amount is missing"),
    ({**LEVEL, "price": "1", "cumulative_amount": "1", "fee": "0.01"}, "take the fee off"),
]


def refusals(cli: CommandLine, *paths: str) -> list[tuple[str, int, str]]:
    """What is refused of files of which nothing may be stored."""
    ran = cli("import", "pools", *paths, "--format", "json")
    assert ran.code == 2, ran
    found = json.loads(ran.out)
    assert not found["stored"]
    assert len(ran.err.splitlines()) == 1
    assert "nothing was stored: " in ran.err
    assert "defect" not in ran.err
    assert not (cli.folder / "defirisk.db").exists()
    return [(row["file"], row["line"], row["reason"]) for row in found["refused"]]


@pytest.mark.parametrize(("row", "says"), BAD_ROWS, ids=[says[:30] for _, says in BAD_ROWS])
def test_a_bad_pool_is_named_by_its_line(row: dict[str, str], says: str, cli: CommandLine) -> None:
    good = {**PAIR, "venue": "other"}
    ((file, line, reason),) = refusals(cli, files.pools(cli.folder, good, row))
    assert (file, line) == ("pools.csv", 3)
    assert says in reason
    assert len(reason) < 400
    ran = cli("import", "pools", "pools.csv", "--skip-bad", "--format", "json")
    assert [one["protocol"] for one in said(ran)["protocols"]] == ["other"]


BAD_TICKS = [
    ((("v3", "low", 1),), "tick 'low' is no decimal number"),
    ((("v3", "0.5", 1),), "tick 0.5 is no whole number"),
    ((("v3", 10**30, 1),), f"tick {10**30} is not between -887272 and 887272"),
    ((("v3", 0, 2**256),), "does not fit into 256 bits"),
    ((("v4", 0, 1),), "no pools file has venue 'v4'"),
    ((("v3", -203400, 5),), "says again what line 2 says: duplicate"),
]


@pytest.mark.parametrize(("rows", "says"), BAD_TICKS, ids=[says[:30] for _, says in BAD_TICKS])
def test_a_bad_tick_is_named_by_its_line(
    rows: tuple[tuple[object, ...], ...], says: str, cli: CommandLine
) -> None:
    paths = [files.pools(cli.folder, RANGES), files.ticks(cli.folder, *files.TICKS, *rows)]
    ((file, line, reason),) = refusals(cli, *paths)
    assert (file, line) == ("ticks.csv", 4)
    assert says in reason


BAD_RANGES = [
    ({"price": ""}, "needs sqrt_price_x96, or price (asset_out per asset_in)"),
    ({"price": "0"}, "a square-root price of 0 is beyond every tick"),
    ({"price": "1e200"}, "is beyond every tick"),
    ({"price": "", "sqrt_price_x96": "1"}, "a square-root price of 1 is beyond every tick"),
    ({"price": "", "sqrt_price_x96": "-1"}, "sqrt_price_x96 -1 is negative"),
    ({"tick_spacing": "0"}, "tick_spacing 0 is not between 1 and 16383"),
    ({"tick_spacing": "1e30"}, "is not between 1 and 16383"),
    ({"tick_spacing": "7"}, "cannot be initialised at spacing 7"),
    ({"fee": "0.0000005"}, "fee 0.0000005 is no whole number of parts of 1,000,000"),
    ({"liquidity": "5"}, "some are missing"),
    ({"price": "1000"}, "the ticks do not add up"),
    ({"liquidity": "1000000000000000000", "price": "1000"}, "some are missing"),
    ({"ticks_from": "0"}, "is not between ticks_from and ticks_to"),
    ({"ticks_to": "-200300"}, "where not all ticks are given, liquidity must be"),
    ({"ticks_to": "9e9"}, "is not between ticks_from and ticks_to"),
]


@pytest.mark.parametrize(("change", "says"), BAD_RANGES, ids=[str(one) for one, _ in BAD_RANGES])
def test_ranges_that_are_no_pool(change: dict[str, str], says: str, cli: CommandLine) -> None:
    paths = [files.ticks(cli.folder), files.pools(cli.folder, {**RANGES, **change})]
    if says == "the ticks do not add up":
        # Beside its only range a pool has a price and no liquidity: nothing can be sold.
        imported(cli, *paths)
        assert [one["sell"] for one in venue(cli, "v3")["depth"]][:4] == [0] * 4
        return
    ((file, line, reason),) = refusals(cli, *paths)
    assert (file, line) == ("pools.csv", 2)
    assert says in reason


SEVERAL = [
    ((PAIR, PAIR), "has two assets, and one row: duplicate"),
    ((PAIR, {**LEVELS[0], "venue": "uni"}), "is of several kinds: constant-product, depth"),
    ((LEVELS[0], {**LEVELS[1], "asset_out": "DAI"}), "is of several pairs"),
    ((LEVELS[0], LEVELS[0]), "must rise from each price to the next lower one: 10."),
    ((LEVELS[0], {**LEVELS[1], "cumulative_amount": "5"}), "must rise from each price"),
    ((STABLES[0], {**STABLES[1], "reserve_in": "7"}), "'USDT' has two different reserves"),
    ((STABLES[0], {**STABLES[1], "decimals_in": "8"}), "'USDT' has two different reserves"),
    ((STABLES[0], {**STABLES[1], "fee": "0.1"}), "the rows of '3pool' differ in fee"),
    ((STABLES[0], {**STABLES[1], "generation": "first"}), "the rows of '3pool' differ in fee"),
]


@pytest.mark.parametrize(("rows", "says"), SEVERAL, ids=[says[:30] for _, says in SEVERAL])
def test_rows_that_are_not_one_pool(
    rows: tuple[dict[str, str], ...], says: str, cli: CommandLine
) -> None:
    ((_, line, reason),) = refusals(cli, files.pools(cli.folder, *rows))
    assert line == 2
    assert says in reason


def test_more_coins_than_any_pool_has(cli: CommandLine) -> None:
    coin = {**STABLES[0], "reserve_in": "1", "reserve_out": "1"}
    rows = [{**coin, "asset_in": f"c{at}", "asset_out": f"c{at + 1}"} for at in range(8)]
    ((_, _, reason),) = refusals(cli, files.pools(cli.folder, *rows))
    assert "'3pool' has 9 assets, more than 8" in reason
    imported(cli, files.pools(cli.folder, *rows[:7]))


def test_half_a_pool_is_none(cli: CommandLine) -> None:
    """Where one row is refused, the others of the venue are not stored either."""
    rows = [STABLES[0], {**STABLES[1], "reserve_out": "-1"}, PAIR]
    ran = cli("import", "pools", files.pools(cli.folder, *rows), "--skip-bad", "--format", "json")
    found = said(ran)
    assert [one["line"] for one in found["refused"]] == [3]
    assert [one["protocol"] for one in found["protocols"]] == ["uni"]


def test_ticks_of_what_has_none(cli: CommandLine) -> None:
    ((file, line, reason),) = refusals(
        cli, files.pools(cli.folder, PAIR), files.ticks(cli.folder, ("uni", 0, 1))
    )
    assert (file, line, reason) == ("pools.csv", 2, "a constant-product pool has no ticks")


def test_files_that_are_not_what_they_should_be(cli: CommandLine) -> None:
    ticks = files.ticks(cli.folder)
    assert "no file names the pools" in cli.refused("import", "pools", ticks)
    path = files.write(cli.folder / "x.csv", ["venue,kind,asset_in,asset_out,tvl", "a,b,c,d,e"])
    assert "unknown column 'tvl'" in cli.refused("import", "pools", path)
    path = files.write(cli.folder / "x.csv", ["venue,kind,asset_in", "a,b,c"])
    assert "column 'asset_out' is missing" in cli.refused("import", "pools", path)
