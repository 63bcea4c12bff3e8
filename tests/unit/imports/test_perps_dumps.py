"""Answers of exchanges' APIs as imports. The bodies are made up, in the shapes that the APIs
document, but for one position of Hyperliquid's documentation; no exchange was asked.
"""

from __future__ import annotations

import json
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.errors import UsageError
from defirisk.core.evm import Block
from defirisk.core.margin import MarginAccount, Perps
from defirisk.imports.perps import read_perps
from defirisk.imports.perps_dumps import dumped
from defirisk.protocols.perps.imported_perps import ADAPTER
from tests.command import CommandLine
from tests.unit.imports.perps_dump_bodies import BINANCE, HYPERLIQUID, META, OTHER, USER
from tests.unit.imports.perps_sample import stated
from tests.unit.protocols.rows_in_memory import RowsInMemory


def imported(folder: Path, body: object) -> Perps:
    path = folder / "dump.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    found = read_perps(dumped(str(path), "dump.json"))
    assert not found.refused, found.refused
    ((name, rows),) = found.rows().items()
    return ADAPTER.perps(
        Snapshot(
            deployment=Deployment(name=name, protocol=ADAPTER.name, chain_id=0),
            block=Block(number=1, hash="", parent_hash="", timestamp=0),
            rows=RowsInMemory(*(row for of in rows.values() for row in of)),
            tokens={},
            answers={},
        )
    )


def accounts(of: Perps) -> dict[str, MarginAccount]:
    return {one.unit: one for one in of.accounts}


def test_hyperliquid_s_numbers_come_back(tmp_path: Path) -> None:
    found = imported(tmp_path, HYPERLIQUID)
    alone, cross, other = (accounts(found)[u] for u in (f"{USER}:ETH", USER, OTHER))
    assert alone.equity == Fraction("4.967826")  # marginUsed
    assert cross.equity == 39_500  # accountValue
    assert stated(other.equity, other.maintenance) == (Fraction("12.5"), 0)
    assert cross.maintenance == 32_500 / Fraction(80)  # half of what 40x needs
    eth = next(one for one in found.positions if one.market == "ETH")
    assert float(eth.liquidation_price or 0) == pytest.approx(2866.26936529, rel=1e-8)
    assert eth.mark_price == Fraction("2985.9")


def test_hyperliquid_s_margin_tables_and_marks_are_taken(tmp_path: Path) -> None:
    found = imported(tmp_path, {**HYPERLIQUID, "metaAndAssetCtxs": META})
    cross = accounts(found)[USER]
    assert cross.equity == 72_000 - 33_000
    # 33,000 by the second tier, a fortieth less the deduction 20,000 * (1/40 - 1/80) = 250.
    assert float(cross.maintenance or 0) == pytest.approx(33_000 / 40 - 250, rel=1e-15)
    assert float(cross.initial or 0) == pytest.approx(33_000 / 20)


def test_hyperliquid_s_debts_stand_with_a_position(tmp_path: Path) -> None:
    body = deepcopy(HYPERLIQUID)
    body["clearinghouseStates"][USER]["crossMarginSummary"]["totalRawUsd"] = "31990"
    assert accounts(imported(tmp_path, body))[USER].equity == -510


def test_binance_s_account_in_multi_assets_mode(tmp_path: Path) -> None:
    found = imported(tmp_path, BINANCE)
    desk = accounts(found)["desk"]
    profit = 2_000 + 500
    # One price of an asset in a protocol: BTC counts at the mark, not at the index.
    pledged = -1_500 + Fraction("0.25") * 61_000 * Fraction("0.95") + 10 * 500 * Fraction("0.9")
    assert (desk.margin, desk.equity) == (pledged, pledged + profit)
    # What Binance says of each side: the second bracket less its cum, and the first.
    assert desk.maintenance == 122_000 * Fraction("0.005") - 50 + 30_500 * Fraction("0.004")
    assert desk.maintenance == 560 + 122
    alone = accounts(found)["desk:ETHUSDT"]
    assert stated(alone.equity, alone.maintenance) == (1_500, 310)
    assert {one.market for one in found.positions} == {"BTCUSDT LONG", "BTCUSDT SHORT", "ETHUSDT"}


def test_binance_s_margin_assets_stand_apart_in_single_asset_mode(tmp_path: Path) -> None:
    body = deepcopy(BINANCE)
    body["multiAssetsMargin"] = False
    body["account"]["assets"][0]["crossWalletBalance"] = "800"
    found = accounts(imported(tmp_path, body))
    assert set(found) == {"desk/USDT", "desk/USDT:ETHUSDT"}
    assert found["desk/USDT"].margin == 800


def test_a_dump_is_imported_by_the_command(cli: CommandLine) -> None:
    path = cli.folder / "dump.json"
    path.write_text(json.dumps(HYPERLIQUID), encoding="utf-8")
    ran = cli("import", "perps", "dump.json", "--format", "json")
    assert ran.code == 0, ran
    (said,) = json.loads(ran.out)["protocols"]
    assert (said["protocol"], said["positions"], said["collateral"]) == ("hyperliquid", 2, 2)
    assert cli("stress", "--shock", "price:BTC=+20%").code == 0
    assert cli("report", "protocol", "hyperliquid").code == 0


def without(body: dict[str, Any], *path: Any) -> dict[str, Any]:
    changed = deepcopy(body)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


def changed(body: dict[str, Any], value: Any, *path: Any) -> dict[str, Any]:
    made = deepcopy(body)
    inner: Any = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return made


POSITION = ("clearinghouseStates", USER, "assetPositions", 0, "position")
SUMMARY = ("crossMarginSummary", "totalRawUsd")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "the dump is no object"),
        ({}, "the dump has no venue"),
        ({"venue": "ftx"}, "venue 'ftx' is unknown: write binance or hyperliquid"),
        ({"venue": "hyperliquid"}, "clearinghouseStates of the dump is no object"),
        (without(HYPERLIQUID, *POSITION, "szi"), "position of assetPositions 1"),
        (changed(HYPERLIQUID, "NaN", *POSITION, "szi"), "szi 'NaN' is no decimal number"),
        (changed(HYPERLIQUID, True, *POSITION, "coin"), "has no coin"),
        (changed(HYPERLIQUID, 0, *POSITION, "maxLeverage"), "maxLeverage is below 1"),
        (
            changed(HYPERLIQUID, "-5", "clearinghouseStates", OTHER, *SUMMARY),
            "it owes money and has no cross position",
        ),
        (
            changed({**HYPERLIQUID, "metaAndAssetCtxs": META}, 1, "metaAndAssetCtxs", 1),
            "metaAndAssetCtxs is no list of meta and contexts",
        ),
        (without(BINANCE, "name"), "the dump has no name"),
        (without(BINANCE, "account"), "account of the dump is no object"),
        (changed(BINANCE, "yes", "multiAssetsMargin"), "multiAssetsMargin is neither true"),
        (
            changed(BINANCE, 60, "leverageBracket", 0, "brackets", 1, "cum"),
            "brackets of BTCUSDT: cum 60 is not 50",
        ),
        (changed(BINANCE, {}, "positionRisk"), "positionRisk is no list"),
        (changed(BINANCE, [BINANCE["positionRisk"][2]], "positionRisk"), "no cross position"),
    ],
)
def test_what_is_no_such_answer_is_refused(body: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        dumped(str(path), "dump.json")
    assert says in str(error.value)
    assert str(error.value).startswith("dump.json")


def test_a_row_that_cannot_be_is_refused_like_that_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    body = changed(HYPERLIQUID, "portfolio", *POSITION, "leverage", "type")
    path.write_text(json.dumps(body), encoding="utf-8")
    (row,) = read_perps(dumped(str(path), "dump.json")).refused
    assert (row.file, row.line) == ("dump.json (perps)", 1)
    assert "mode 'portfolio' is unknown" in row.reason


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\ud800"])
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=r"dump.json is no JSON"):
        dumped(str(path), "dump.json")
