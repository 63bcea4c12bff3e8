"""xUSD, deUSD and sdeUSD, November 2025: the recorded vaults and what the data says of them itself.

Source: 290-byte/morpho-risk-case-study at f4fbbfd, from Morpho's API. Allocations are those of the
days before, positions and prices those of February 2026.
"""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from tests.command import CommandLine
from tests.unit.imports.recorded import SHARED

FOLDER = SHARED / "contagion" / "morpho_xusd_2025"
TOXIC = {"xUSD", "deUSD", "sdeUSD"}
CLOSE = 1e-9


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"data__{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All files of the folder, imported by the command that a user types."""
    if not FOLDER.exists():
        pytest.skip("the recorded data set morpho_xusd_2025 is not here: set DEFIRISK_SHARED_DATA")
    from defirisk.imports import run
    from defirisk.store.database import open_store

    files = [str(path) for path in sorted(FOLDER.iterdir()) if path.name != "SOURCE.txt"]
    url = f"sqlite:///{tmp_path_factory.mktemp('xusd') / 'xusd.db'}"
    kind = run.kind_of("morpho")
    found = run.read(kind, files, lambda *_: None)
    assert found.refused == []
    store = open_store(url, create=True)
    run.store(store, kind, found, files)
    store.close()
    return url


def reported(cli: CommandLine, database: str, name: str) -> dict[str, Any]:
    ran = cli("report", "contagion", name, "--db", database, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    said: dict[str, Any] = json.loads(ran.out, parse_constant=pytest.fail)
    return said


def short(vault: str) -> str:
    """The name without the address that tells two vaults of one name apart."""
    return vault.partition(" (0x")[0]


def test_the_command_takes_the_folder(cli: CommandLine, database: str) -> None:
    files = [str(path) for path in sorted(FOLDER.iterdir()) if path.suffix in (".csv", ".gz")]
    ran = cli("import", "morpho", *files, "--format", "json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    # 18 markets of two assets each; every vault of both files that name vaults.
    assert (said["markets"], said["rows_refused"]) == (36, 0)
    vaults = {one["vault_address"] for one in table("block1_vaults_graphql")}
    vaults |= {one["vault_address"] for one in table("block6_vault_full_allocations")}
    assert said["vaults"] == len(vaults)


def test_exposed_vaults_and_their_shares_are_those_of_the_summary(
    cli: CommandLine, database: str
) -> None:
    said = reported(cli, database, "xUSD,deUSD,sdeUSD")
    ours = {short(one["vault"]): one for one in said["exposed"]}
    stated = {
        one["vault_name"]: one
        for one in table("block6_vault_allocation_summary")
        if float(one["toxic_allocation_usd"]) > 0
    }
    assert len(stated) == 8
    assert set(stated) <= set(ours)
    for name, one in stated.items():
        assert ours[name]["share"] == pytest.approx(
            float(one["toxic_pct_of_total"]) / 100, rel=CLOSE
        ), name
        assert ours[name]["exposed_usd"] == pytest.approx(
            float(one["toxic_allocation_usd"]), rel=CLOSE
        ), name
        assert ours[name]["total_usd"] == pytest.approx(float(one["total_assets_usd"]), rel=CLOSE)
    # The others are vaults of other chains, which the summary leaves out.
    further = {one["vault_name"] for one in table("block1_vaults_graphql") if one["chain_id"] != ""}
    assert set(ours) - set(stated) <= further
    shares = [one["exposed_usd"] for one in said["exposed"]]
    assert shares == sorted(shares, reverse=True)


def test_a_single_collateral_names_the_vaults_that_lent_against_it(
    cli: CommandLine, database: str
) -> None:
    lent: dict[str, float] = {}
    for one in table("block6_vault_full_allocations"):
        if one["collateral_symbol"] == "sdeUSD" and float(one["supply_assets_usd"]) > 0:
            name = one["vault_name"]
            lent[name] = lent.get(name, 0.0) + float(one["supply_assets_usd"])
    said = reported(cli, database, "sdeUSD")
    ours = {short(one["vault"]): one["exposed_usd"] for one in said["exposed"]}
    assert ours == pytest.approx(lent, rel=CLOSE)
    steps = {(one["channel"], short(one["to_label"])) for one in said["steps"]}
    assert {("allocation", f"vault {name}") for name in lent} <= steps


def test_xusd_names_those_who_lent_against_it_on_another_chain(
    cli: CommandLine, database: str
) -> None:
    said = reported(cli, database, "xUSD")
    ours = {one["vault"]: one["share"] for one in said["exposed"]}
    assert {"Not Gauntlet", "Vaultik USDC"} <= set(ours)
    for name in ("Not Gauntlet", "Vaultik USDC"):
        (stated,) = [one for one in table("block1_vaults_graphql") if one["vault_name"] == name]
        assert ours[name] == pytest.approx(float(stated["exposure_pct"]), rel=CLOSE)


def test_bridges_have_money_in_what_fails_and_in_what_does_not(
    cli: CommandLine, database: str
) -> None:
    """From the allocations themselves; dust of a cent is no bridge."""
    sides: dict[str, tuple[float, float]] = {}
    for one in table("block6_vault_full_allocations"):
        toxic, clean = sides.get(one["vault_name"], (0.0, 0.0))
        usd = float(one["supply_assets_usd"])
        is_toxic = one["collateral_symbol"] in TOXIC
        sides[one["vault_name"]] = (toxic + usd * is_toxic, clean + usd * (not is_toxic))
    bridges = {name for name, (toxic, clean) in sides.items() if toxic > 0 and clean > 0.01}
    said = reported(cli, database, "xUSD,deUSD,sdeUSD")
    assert {short(one["vault"]) for one in said["exposed"] if one["bridge"]} == bridges
    assert len(bridges) == 7


def test_the_hard_coded_oracle_liquidates_nobody_and_the_loss_is_there(
    cli: CommandLine, database: str
) -> None:
    """One deUSD market prices it at a dollar whatever it trades at."""
    (market,) = [
        one
        for one in table("block1_markets_graphql")
        if one["collateral_symbol"] == "deUSD" and float(one["bad_debt_usd"]) > 0
    ]
    ran = cli("graph", "--db", database, "--format", "json")
    hard = json.loads(ran.out)["measures"]["hard_coded"]
    assert any(market["market_id"][:10] in node for node in hard)
    ran = cli("stress", "--shock", "market:deUSD=-99%", "--db", database, "--format", "json")
    before = cli("stress", "--shock", "market:deUSD=+0%", "--db", database, "--format", "json")
    said, was = (json.loads(one.out)["scenarios"][0]["totals"] for one in (ran, before))
    assert said["liquidatable_accounts"] == was["liquidatable_accounts"]

    said = reported(cli, database, "deUSD")
    (there,) = [one for one in said["markets"] if market["market_id"][:10] in one["label"]]
    assert there["recovery"] < 0.01
    borrowed = float(market["total_borrow_usd"])
    owed = [
        one["value_usd"]
        for one in said["steps"]
        if one["channel"] == "bad debt" and market["market_id"][:10] in one["to"]
    ]
    assert sum(owed) == pytest.approx(borrowed, rel=2e-3)


def test_everything_is_ranked_and_nothing_unknown_is_a_number(
    cli: CommandLine, database: str
) -> None:
    said = reported(cli, database, "all")
    assert len(said["rank"]) > 40
    lost = [one["lost_usd"] for one in said["rank"]]
    known = [one for one in lost if one is not None]
    assert known == sorted(known, reverse=True)
    assert {"xUSD", "deUSD", "sdeUSD"} <= {one["label"] for one in said["rank"]}
