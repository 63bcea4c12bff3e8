"""Records of Morpho's API: what they become, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.store.database import open_store
from defirisk.store.frames import load_chain
from defirisk.store.snapshots import market_deployments, stored_block
from tests.command import CommandLine
from tests.unit.imports import files

ZERO = "0x" + "0" * 40
FEED, ALICE, BANK = ("0x" + one * 40 for one in "fab")
FIRST, SECOND = "0x" + "1" * 64, "0x" + "2" * 64
UNIT = 10**6
PRICE = 10**36  # of a token with as many decimals as the loan's: 1

MARKET: Mapping[str, object] = {
    "market_id": FIRST,
    "chain_id": 1,
    "collateral_symbol": "xUSD",
    "collateral_decimals": 6,
    "collateral_price_usd": "0.0",
    "loan_symbol": "USDC",
    "loan_decimals": 6,
    "loan_price_usd": "0.5",
    "lltv": "0.915",
    "oracle_address": FEED,
    "oracle_price_raw": 2 * PRICE,
    "supply_assets": 1000 * UNIT,
    "borrow_assets": 800 * UNIT,
    "collateral_assets": 500 * UNIT,
    "irrelevant": "passed over",
}
POSITION: Mapping[str, object] = {
    "user_address": ALICE,
    "market_unique_key": FIRST,
    "collateral_raw": 400 * UNIT,
    "borrow_assets_raw": 700 * UNIT,
    "supply_assets_raw": 0,
}
ALLOCATION: Mapping[str, object] = {
    "vault_address": BANK,
    "vault_name": "Bank",
    "vault_total_usd": "100",
    "market_unique_key": FIRST,
    "loan_symbol": "USDC",
    "supply_assets_usd": "25",
}
VAULT: Mapping[str, object] = {
    "vault_address": BANK,
    "vault_name": "Bank",
    "market_id": FIRST,
    "deposit_asset_symbol": "USDC",
    "deposit_asset_decimals": 6,
    "supply_assets": 40 * UNIT,
    "vault_total_assets": 60 * UNIT,
    "vault_total_supply_shares": 50 * 10**18,
}
ORACLE: Mapping[str, object] = {
    "market_unique_key": FIRST,
    "base_feed_one": ZERO,
    "base_feed_two": ZERO,
    "quote_feed_one": ZERO,
    "quote_feed_two": ZERO,
    "base_oracle_vault": ZERO,
    "quote_oracle_vault": ZERO,
}


def table(cli: CommandLine, name: str, *rows: Mapping[str, object]) -> str:
    header = list(rows[0])
    cells = [[str(row[column]) for column in header] for row in rows]
    return files.table(cli.folder / f"{name}.csv", header, cells)


def imported(cli: CommandLine, *paths: str) -> dict[str, Any]:
    ran = cli("import", "morpho", *paths, "--format", "json")
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def stored(cli: CommandLine) -> Book:
    store = open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=False)
    try:
        with store.transaction() as connection:
            block = stored_block(connection, 0, None)
            return load_chain(connection, 0, market_deployments(connection, ()), block)
    finally:
        store.close()


def claim(book: Book, vault: str) -> Claim:
    return book.sources.claims[vault]


def held(book: Book) -> dict[tuple[str, str, int], float]:
    """Whole tokens by owner, symbol and side."""
    return {
        (
            book.owners[int(book.unit_owner[book.holding_unit[h]])],
            book.symbol(int(book.quote_asset[book.holding_quote[h]])),
            int(book.holding_side[h]),
        ): float(book.holding_amount[h])
        for h in range(len(book.holding_unit))
    }


def test_markets_positions_and_what_is_left_of_their_totals(cli: CommandLine) -> None:
    imported(cli, table(cli, "m", MARKET), table(cli, "p", POSITION))
    book = stored(cli)
    assert [one.name for one in book.deployments] == ["morpho-1"]
    assert {one.market for one in book.markets} == {"xUSD/USDC 91.5% 0x11111111"}
    assert held(book) == {
        (ALICE, "xUSD", 0): 400,
        (ALICE, "USDC", 2): 700,
        ("others", "xUSD", 0): 100,
        ("others", "USDC", 1): 1000,
        ("others", "USDC", 2): 100,
    }
    thresholds = {book.symbol(one.asset): one.liquidation_threshold for one in book.markets}
    assert thresholds == {"xUSD": 0.915, "USDC": 0}


def test_a_collateral_costs_what_its_oracle_says(cli: CommandLine) -> None:
    """Twice a loan token, which is half a dollar; where the oracle is silent, the file's price, and
    where that is 0, what another market says.
    """
    silent = {**MARKET, "market_id": SECOND, "oracle_price_raw": "", "chain_id": 42161}
    stated = {**silent, "market_id": "0x" + "3" * 64, "collateral_price_usd": "0.25"}
    imported(cli, table(cli, "m", MARKET, silent, stated))
    book = stored(cli)
    prices = {(one.market[-8:], book.symbol(one.asset)): one.price_usd for one in book.markets}
    assert prices["11111111", "xUSD"] == 1
    assert prices["22222222", "xUSD"] == 1
    assert prices["33333333", "xUSD"] == 0.25
    assert prices["11111111", "USDC"] == 0.5


def test_a_price_that_nobody_says_is_refused(cli: CommandLine) -> None:
    silent = {**MARKET, "oracle_price_raw": 0}
    said = cli("import", "morpho", table(cli, "m", silent))
    assert said.code == 2
    assert "no market of these files says what 'xUSD' costs" in said.err


def test_an_oracle_without_feeds_is_hard_coded(cli: CommandLine) -> None:
    """Its price does not move with the market: nobody is liquidated."""

    def liquidatable(oracle: Mapping[str, object]) -> int:
        imported(cli, table(cli, "m", MARKET), table(cli, "o", oracle), table(cli, "p", POSITION))
        ran = cli("stress", "--shock", "price:xUSD=-90%", "--format", "json")
        return int(json.loads(ran.out)["scenarios"][0]["totals"]["liquidatable_accounts"])

    assert liquidatable(ORACLE) == 0
    assert liquidatable({**ORACLE, "base_feed_one": FEED}) == 2
    assert FEED in {one.price_source for one in stored(cli).markets}


def test_allocations_in_dollars_become_tokens_of_the_vault(cli: CommandLine) -> None:
    other = {**ALLOCATION, "market_unique_key": SECOND, "supply_assets_usd": "10"}
    empty = {**ALLOCATION, "market_unique_key": "0x" + "4" * 64, "supply_assets_usd": "0.0"}
    imported(cli, table(cli, "m", MARKET), table(cli, "a", ALLOCATION, other, empty))
    bank = claim(stored(cli), "Bank")
    assert bank.total_assets_raw == bank.supply_raw == 200 * 10**18  # 100 dollars at 0.5
    assert [(one.market, one.assets_raw) for one in bank.allocations] == [
        (FIRST, 50 * 10**18),
        (SECOND, 20 * 10**18),
    ]
    ran = cli("report", "contagion", "xUSD", "--format", "json")
    (vault,) = json.loads(ran.out)["exposed"]
    assert (vault["share"], vault["bridge"]) == (0.25, True)


def test_a_file_of_all_allocations_stands_before_one_of_single_markets(cli: CommandLine) -> None:
    markets = table(cli, "m", MARKET)
    imported(cli, markets, table(cli, "v", VAULT))
    bank = claim(stored(cli), "Bank")
    assert (bank.total_assets_raw, bank.supply_raw) == (60 * 10**18, 50 * 10**18)
    assert bank.rate == Fraction(6, 5)

    imported(cli, markets, table(cli, "v", VAULT), table(cli, "a", ALLOCATION))
    assert claim(stored(cli), "Bank").total_assets_raw == 200 * 10**18


def test_two_vaults_of_one_name_are_told_apart_and_lend_under_it(cli: CommandLine) -> None:
    twin = {**ALLOCATION, "vault_address": ALICE}
    lends = {**POSITION, "user_address": BANK, "supply_assets_raw": 5 * UNIT}
    imported(
        cli, table(cli, "m", MARKET), table(cli, "a", ALLOCATION, twin), table(cli, "p", lends)
    )
    book = stored(cli)
    assert set(book.sources.claims) == {"Bank (0xaaaa…aaaa)", "Bank (0xbbbb…bbbb)"}
    assert held(book)["Bank (0xbbbb…bbbb)", "USDC", 1] == 5


def test_a_folder_and_packed_files(cli: CommandLine) -> None:
    folder = cli.folder / "dump"
    folder.mkdir()
    plain = Path(table(cli, "m", MARKET))
    with gzip.open(folder / "markets.csv.gz", "wb") as packed:
        packed.write(plain.read_bytes())
    (folder / "SOURCE.txt").write_text("not a table", encoding="utf-8")
    assert imported(cli, str(folder))["markets"] == 2
    (cli.folder / "none").mkdir()
    assert "no file that ends in .csv" in cli.refused("import", "morpho", str(cli.folder / "none"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**MARKET, "lltv": "91.5"}], "lltv 91.5 is above 1"),
        ([MARKET, MARKET], "duplicate"),
        ([{**MARKET, "supply_assets": "-1"}], "negative"),
        ([{**MARKET, "loan_decimals": "99"}], "above 30"),
        ([{**MARKET, "market_id": ""}], "market_id is empty"),
    ],
)
def test_a_bad_market_is_refused_with_its_line(
    cli: CommandLine, rows: Sequence[Mapping[str, object]], said: str
) -> None:
    ran = cli("import", "morpho", table(cli, "m", *rows))
    assert ran.code == 2
    assert said in ran.err
    assert "m.csv, line" in ran.err


def test_what_is_missing_is_told(cli: CommandLine) -> None:
    assert "no file names the markets" in cli.refused("import", "morpho", table(cli, "p", POSITION))
    less = {column: value for column, value in MARKET.items() if column != "lltv"}
    assert "column 'lltv' is missing" in cli.refused("import", "morpho", table(cli, "m", less))
    broken = cli.folder / "broken.csv.gz"
    broken.write_bytes(b"not packed")
    assert "broken.csv.gz cannot be read" in cli.refused("import", "morpho", str(broken))
