"""Vaults from files: what a share is worth, and what it is a claim on."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.claim import Allocation, Claim
from defirisk.core.sources import Sources
from defirisk.store.database import open_store
from defirisk.store.snapshots import sources_at, stored_block
from tests.command import CommandLine, Ran
from tests.unit.imports import files

VAULTS = ("vault", "asset", "total_assets", "total_shares")
ALLOCATIONS = ("vault", "market", "amount")
E = 10**18
HELD = ("x,m,alice,yWETH,collateral,10", "x,m,alice,USDC,debt,15000")
# The price of the share's own market is stale: what a vault says is not.
LISTED = (
    "x,m,WETH,18,2000,0.8,0.8,0,0",
    "x,m,yWETH,18,2200,0.8,0.8,0,0",
    "x,m,USDC,6,1,0.8,0.8,0,0",
)


def said(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran
    found: dict[str, Any] = json.loads(ran.out)
    return found


def vaults(cli: CommandLine, *rows: tuple[str, ...]) -> str:
    return files.table(cli.folder / "v.csv", VAULTS, rows)


def allocations(cli: CommandLine, *rows: tuple[str, ...]) -> str:
    return files.table(cli.folder / "a.csv", ALLOCATIONS, rows)


def sources(cli: CommandLine, block: int | None = None) -> Sources:
    store = open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=False)
    try:
        with store.transaction() as connection:
            return sources_at(connection, 0, stored_block(connection, 0, block))
    finally:
        store.close()


def claim(cli: CommandLine, vault: str, block: int | None = None) -> Claim:
    return sources(cli, block).claims[vault]


def imported(cli: CommandLine, *paths: str) -> dict[str, Any]:
    return said(cli("import", "vaults", *paths, "--format", "json"))


def test_a_vault_and_where_it_lends(cli: CommandLine) -> None:
    done = imported(
        cli,
        allocations(cli, ("yWETH", "aave", "600"), ("yWETH", "0x" + "AB" * 20, "400.5")),
        vaults(cli, ("yWETH", "WETH", "1100", "1000")),
    )
    assert (done["vaults"], done["allocations"], done["rows_written"]) == (1, 2, 3)
    found = claim(cli, "yWETH")
    assert (found.kind, found.underlying, found.rate) == ("vault", "WETH", Fraction(11, 10))
    assert (found.total_assets_raw, found.supply_raw) == (1100 * E, 1000 * E)
    assert found.allocations == (
        Allocation(market="0x" + "ab" * 20, assets_raw=4005 * E // 10),
        Allocation(market="aave", assets_raw=600 * E),
    )


def test_shares_follow_what_they_wrap_and_lose_what_the_vault_loses(cli: CommandLine) -> None:
    held = files.positions(cli.folder, *HELD)
    assert cli("import", "lending", held, files.markets(cli.folder, *LISTED)).code == 0
    imported(cli, vaults(cli, ("yWETH", "WETH", "1100", "1000")))

    def totals(shock: str) -> dict[str, Any]:
        found = said(cli("stress", "--shock", shock, "--format", "json"))
        return dict(found["scenarios"][0]["totals"])

    # 10 shares of 1.1 WETH of $2000: $22,000 against $15,000.
    assert totals("price:WETH=-40%")["bad_debt_usd"] == pytest.approx(15_000 - 22_000 * 0.6)
    assert totals("market:WETH=-20%")["liquidatable_accounts"] == 0
    assert totals("depeg:yWETH=0.5")["liquidatable_accounts"] == 1
    assert cli("stress", "--shock", "slash:yWETH=-50%").code == 0
    assert "not known to convert" in cli.refused("stress", "--shock", "slash:WETH=-2%")


def test_importing_again_replaces_a_vault_and_keeps_what_it_was(cli: CommandLine) -> None:
    row = ("yWETH", "WETH", "1100", "1000")
    imported(
        cli, vaults(cli, row, ("yDAI", "DAI", "1", "1")), allocations(cli, ("yWETH", "a", "1"))
    )
    done = imported(cli, vaults(cli, ("yWETH", "WETH", "900", "1000")))
    assert (done["block"], done["rows_written"]) == (2, 1)
    assert claim(cli, "yWETH").total_assets_raw == 900 * E
    assert claim(cli, "yWETH").allocations == ()
    assert claim(cli, "yWETH", block=1).total_assets_raw == 1100 * E
    assert claim(cli, "yDAI").underlying == "DAI"


def test_a_vault_without_shares_is_worth_nothing_to_anybody(cli: CommandLine) -> None:
    imported(cli, vaults(cli, ("yWETH", "WETH", "5", "0")))
    assert claim(cli, "yWETH").rate is None


def test_vaults_that_hold_each_other_end_somewhere(cli: CommandLine) -> None:
    held = files.positions(cli.folder, "x,m,al,A,collateral,1", "x,m,al,B,debt,1")
    listed = files.markets(cli.folder, "x,m,A,18,1,0.5,0.5,0,0", "x,m,B,18,1,0.5,0.5,0,0")
    assert cli("import", "lending", held, listed).code == 0
    imported(cli, vaults(cli, ("A", "B", "2", "1"), ("B", "A", "2", "1")))
    for shock in ("price:A=-50%", "depeg:B=0.5", "slash:A=-10%"):
        assert cli("stress", "--shock", shock).code == 0


BAD_VAULTS = [
    (("", "WETH", "1", "1"), "vault is empty"),
    (("y" * 10_000, "WETH", "1", "1"), "vault has more than 200 characters"),
    (("yX", "", "1", "1"), "asset is empty"),
    (("yX", "yX", "1", "1"), "'yX' cannot hold its own shares only"),
    (("yX", "WETH", "-1", "1"), "total_assets -1 is negative"),
    (("yX", "WETH", "1", "-1"), "total_shares -1 is negative"),
    (("yX", "WETH", "", "1"), "total_assets is missing"),
    (("yX", "WETH", "much", "1"), "total_assets 'much' is no decimal number"),
    (("yX", "WETH", "1e999", "1"), "total_assets '1e999' does not fit into 256 bits"),
    (("yX", "WETH", "1", "1e-999"), "total_shares 1e-999 is less than 18 decimals show"),
    (("yWETH", "DAI", "1", "1"), "says again what line 2 says: duplicate"),
]
BAD_ALLOCATIONS = [
    (("yWETH", "", "1"), "market is empty"),
    (("yOther", "a", "1"), "no vaults file has vault 'yOther'"),
    (("yWETH", "b", "-1"), "amount -1 is negative"),
    (("yWETH", "b", "1.5"), "allocations of 'yWETH' are more than its total_assets"),
    (("yWETH", "a", "0.5"), "says again what line 2 says: duplicate"),
    (("yWETH", "b", "<b>"), "amount '<b>' is no decimal number"),
]


def refusal(cli: CommandLine, *paths: str) -> tuple[str, int, str]:
    ran = cli("import", "vaults", *paths, "--format", "json")
    assert ran.code == 2, ran
    found = json.loads(ran.out)
    assert not found["stored"]
    assert not (cli.folder / "defirisk.db").exists()
    (row,) = found["refused"]
    return row["file"], row["line"], row["reason"]


@pytest.mark.parametrize(("row", "says"), BAD_VAULTS, ids=[says[:30] for _, says in BAD_VAULTS])
def test_a_bad_vault_is_named_by_its_line(
    row: tuple[str, ...], says: str, cli: CommandLine
) -> None:
    path = vaults(cli, ("yWETH", "WETH", "2", "1"), row)
    file, line, reason = refusal(cli, path)
    assert (file, line) == ("v.csv", 3)
    assert says in reason
    done = said(cli("import", "vaults", path, "--skip-bad", "--format", "json"))
    assert [one["protocol"] for one in done["protocols"]] == ["yWETH"]


@pytest.mark.parametrize(
    ("row", "says"), BAD_ALLOCATIONS, ids=[says[:30] for _, says in BAD_ALLOCATIONS]
)
def test_a_bad_allocation_is_named_by_its_line(
    row: tuple[str, ...], says: str, cli: CommandLine
) -> None:
    paths = (allocations(cli, ("yWETH", "a", "1"), row), vaults(cli, ("yWETH", "WETH", "2", "1")))
    file, line, reason = refusal(cli, *paths)
    assert (file, line) == ("a.csv", 3)
    assert says in reason


def test_allocations_alone_are_no_vaults(cli: CommandLine) -> None:
    assert "no file names the vaults" in cli.refused("import", "vaults", allocations(cli))


def test_huge_and_tiny_numbers_are_exact(cli: CommandLine) -> None:
    most = str((2**256 - 1) // E)
    done = imported(cli, vaults(cli, ("yX", "X", most, "0.0000000000000000019")))
    assert done["cut_amounts"] == 1
    assert claim(cli, "yX").rate == int(most) * E
    assert cli("positions", "yX").code == 2


HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202e"


@pytest.mark.parametrize("format_", ["table", "md", "csv", "html", "json"])
def test_hostile_names_are_inert(format_: str, cli: CommandLine) -> None:
    paths = (vaults(cli, (HOSTILE, "WETH", "1", "1")), allocations(cli, (HOSTILE, HOSTILE, "1")))
    ran = cli("import", "vaults", *paths, "--format", format_)
    assert ran.code == 0
    assert claim(cli, HOSTILE).allocations[0].market == HOSTILE
    for text in (ran.out, ran.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert format_ not in ("html", "md") or "<script>alert" not in ran.out.partition("```")[0]
    assert format_ != "csv" or "'=1+1" in ran.out
