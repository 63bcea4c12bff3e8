"""States of real pools as import files: those of known kinds quote as the exact classes do, whose
own recorded answers are in tests/unit/swaps/test_recorded.py; the others are refused by name.
"""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.venue import Pool
from defirisk.store.database import open_store
from defirisk.store.snapshots import sources_at, stored_block
from tests.command import CommandLine
from tests.unit.imports import files
from tests.unit.imports.recorded import SHARED
from tests.unit.swaps import recorded

Json = dict[str, Any]
Row = dict[str, object]
PANCAKE = "8453__pancakeswap_v2_weth_usdbc_block_46875151"
AERODROME_VOLATILE = "8453__aerodrome_v2_tbtc_weth_volatile_block_46875151"
AERODROME_V3 = "8453__aerodrome_v3_cbeth_weth_block_46875151"
WBTC_WETH = "1__uniswap_v3_wbtc_weth_block_24407242"
TRIPOOL = "1__curve_tripool_block_24407242"


def whole(raw: int, decimals: int) -> str:
    """Base units in whole tokens, without an exponent."""
    return format(Decimal(raw).scaleb(-decimals), "f")


def ends(state: Json) -> Row:
    """Two tokens and their decimals; the 18 of what a file does not say."""
    first, second = (state.get(f"token{at}", {}) for at in (0, 1))
    return {
        "venue": state["pool"],
        "asset_in": first.get("address", "token0"),
        "asset_out": second.get("address", "token1"),
        "decimals_in": first.get("decimals", 18),
        "decimals_out": second.get("decimals", 18),
    }


def pair(state: Json, fee: Fraction, admin_fee: int = 0) -> Row:
    """A pair of the v2 kind."""
    row = ends(state)
    reserves = (
        whole(state[f"reserves_token{at}"], int(str(row[f"decimals_{side}"])))
        for at, side in enumerate(("in", "out"))
    )
    row |= dict(zip(("reserve_in", "reserve_out"), reserves, strict=True))
    return row | {"kind": "constant-product", "fee": float(fee), "admin_fee": admin_fee}


def ranges(state: Json, **known: int) -> tuple[Row, list[tuple[str, int, int]]]:
    """A pool of the v3 kind and its ticks."""
    scalars = state["scalars"]
    row = ends(state) | {
        "kind": "uniswap-v3",
        "fee": whole(scalars["fee"], 6),
        **{name: scalars[name] for name in ("sqrt_price_x96", "liquidity", "tick_spacing")},
        **known,
    }
    ticks = [(state["pool"], int(at), net) for at, (_, net, _) in state["tick_data"].items()]
    return row, ticks


def coins(state: Json, kind: str, **said: object) -> list[Row]:
    """A pool of Curve's, a row for each two neighbours."""
    tokens, balances = state["tokens"], state["balances"]
    held = [
        (token["address"], whole(balance, token["decimals"]), token["decimals"])
        for token, balance in zip(tokens, balances, strict=True)
    ]
    columns = ("asset", "reserve", "decimals")
    return [
        {"venue": state["address"], "kind": kind, **said}
        | {f"{column}_in": value for column, value in zip(columns, one, strict=True)}
        | {f"{column}_out": value for column, value in zip(columns, other, strict=True)}
        for one, other in itertools.pairwise(held)
    ]


def imported(cli: CommandLine, *paths: str) -> Pool:
    """The only pool of the files, as it is read back from the store."""
    ran = cli("import", "pools", *paths, "--format", "json")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["cut_amounts"] == 0
    store = open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=False)
    try:
        with store.transaction() as connection:
            sources = sources_at(connection, 0, stored_block(connection, 0, None))
    finally:
        store.close()
    (venue,) = sources.venues.values()
    assert cli("report", "venue", venue.address).code == 0
    return venue.pool


def assert_sells_as(ours: Pool, exact: Pool, i: int, j: int, amounts: list[int]) -> None:
    """One sale after the other, to the wei."""
    for amount in amounts:
        mine, theirs = ours.sell(i, j, amount), exact.sell(i, j, amount)
        assert (mine.sold, mine.received) == (theirs.sold, theirs.received)
        assert theirs.received > 0
        ours, exact = mine.pool, theirs.pool
    assert ours.price(i, j) == exact.price(i, j)


def test_pancakeswap_v2(cli: CommandLine) -> None:
    state = recorded.state(PANCAKE)
    fee = Fraction(state["fee_numer"], state["fee_denom"])
    pool = imported(cli, files.pools(cli.folder, pair(state, fee)))
    assert_sells_as(pool, recorded.pair(state, fee), 0, 1, [10**12, 10**15, 123_456_789_012])
    assert_sells_as(pool, recorded.pair(state, fee), 1, 0, [10**3, 10**6, 7])


def test_a_volatile_pool_of_aerodrome(cli: CommandLine) -> None:
    """Its fee leaves the pool, which a file says with admin_fee 1."""
    state = recorded.state(AERODROME_VOLATILE)
    fee = Fraction(state["fee_raw"], 10_000)
    pool = imported(cli, files.pools(cli.folder, pair(state, fee, admin_fee=1)))
    exact = recorded.pair(state, fee, fee_leaves=True)
    assert_sells_as(pool, exact, 0, 1, [10**15, 3, 987_654_321])


def test_uniswap_v3(cli: CommandLine) -> None:
    state = recorded.state(WBTC_WETH)
    row, ticks = ranges(state)
    pool = imported(cli, files.ticks(cli.folder, *ticks), files.pools(cli.folder, row))
    assert pool == recorded.ranges(state)
    assert_sells_as(pool, recorded.ranges(state), 0, 1, [10**6, 10 * 10**8, 500 * 10**8])


def test_a_pool_of_aerodrome_of_which_one_word_of_ticks_was_read(cli: CommandLine) -> None:
    state = recorded.state(AERODROME_V3)
    row, ticks = ranges(state)
    paths = (files.ticks(cli.folder, *ticks), files.pools(cli.folder, row))
    assert "some are missing" in cli("import", "pools", *paths).err
    word = state["scalars"]["tick"] // state["scalars"]["tick_spacing"] // 256
    known = (word * 256, word * 256 + 255)
    row, _ = ranges(state, ticks_from=known[0], ticks_to=known[1])
    pool = imported(cli, paths[0], files.pools(cli.folder, row))
    assert pool == recorded.ranges(state, known=known)
    assert_sells_as(pool, recorded.ranges(state, known=known), 0, 1, [10**15, 10**18])


def test_3pool_of_curve_s_first_generation(cli: CommandLine) -> None:
    state = recorded.state(TRIPOOL)
    said = {
        "fee": whole(state["fee"], 10),
        "admin_fee": whole(state["admin_fee"], 10),
        "amplification": state["a_coefficient"],
        "generation": "first",
    }
    pool = imported(cli, files.pools(cli.folder, *coins(state, "stableswap", **said)))
    exact = recorded.tripool(
        state, balances=state["balances"], amplification=state["a_coefficient"]
    )
    assert pool == exact
    assert exact.virtual_price(state["lp_token_total_supply"]) == state["virtual_price"]
    assert_sells_as(pool, exact, 0, 2, [10**18, 10**24, 1234 * 10**16])


def _others() -> list[tuple[str, str]]:
    """Every recorded pool of a kind that is not computed, by the kind's name."""
    kinds = ("balancer_weighted", "balancer_stable", "tricrypto", "metapool", "uniswap_v4")
    folder: Path = SHARED / "amm" / "onchain_state"
    found = [
        (path.stem.split("chain_data__")[-1], kind)
        for path in sorted(folder.glob("*.json"))
        for kind in kinds
        if kind in path.stem and "multiblock" not in path.stem
    ]
    stable = ("8453__aerodrome_v2_dola_usdbc_stable_block_46875151", "aerodrome_stable")
    return [*found, stable]


@pytest.mark.parametrize(("name", "kind"), _others())
def test_other_kinds_are_refused_by_name(name: str, kind: str, cli: CommandLine) -> None:
    state, kind = recorded.state(name), kind.replace("_", "-")
    if "balances" in state:
        rows = coins(state, kind)
    elif "reserves_token0" in state:
        rows = [pair(state, Fraction(state["fee_raw"], 10_000)) | {"kind": kind}]
    else:
        rows = [ranges({**state, "pool": state["pool_id"]})[0] | {"kind": kind}]
    ran = cli("import", "pools", files.pools(cli.folder, *rows), "--format", "json")
    assert ran.code == 2
    refused = json.loads(ran.out)["refused"]
    assert len(refused) == len(rows)
    assert all(f"kind '{kind}' is not known: write" in row["reason"] for row in refused)
    assert not (cli.folder / "defirisk.db").exists()
