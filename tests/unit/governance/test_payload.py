"""Calldata and files, against encodings made here by hand and the forms of their readers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_hash.auto import keccak

from defirisk.core.evm import Block
from defirisk.governance.aave_v3.calls import KEEP_CURRENT, configurator_calls, engine_calls
from defirisk.governance.aave_v3.checksum import checksum
from defirisk.governance.aave_v3.config_ts import config_ts, percent
from defirisk.governance.aave_v3.files import payload
from defirisk.governance.aave_v3.snapshot import configuration, differences
from defirisk.governance.aave_v3.words import Words
from defirisk.governance.change import Change, Terms
from tests.unit.governance.markets import market_at

ASSET = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
TODAY = Terms(
    ltv_bps=8050,
    liquidation_threshold_bps=8300,
    liquidation_bonus_bps=500,
    supply_cap=400,
    borrow_cap=300,
)
BLOCK = Block(number=7, hash="0x07", parent_hash="0x06", timestamp=1_700_000_000)


def change(symbol: str = "WETH", **after: int) -> Change:
    return Change(asset=ASSET, symbol=symbol, before=TODAY, after=replace(TODAY, **after))


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def test_the_configurator_is_told_the_whole_bonus() -> None:
    (call,) = configurator_calls([change(liquidation_bonus_bps=850)])
    signature = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
    arguments = (ASSET, 8050, 8300, 10850)
    types = ["address", "uint256", "uint256", "uint256"]
    assert call.data == selector(signature) + encode(types, arguments)


def test_the_engine_is_told_the_bonus_alone_and_what_to_keep() -> None:
    (call,) = engine_calls([change(liquidation_bonus_bps=850)])
    types = "(address,uint256,uint256,uint256,uint256,uint256)[]"
    assert call.data[:4] == selector(f"updateCollateralSide({types})")
    ((update,),) = decode([types], call.data[4:])
    keep = 2**256 - 43
    assert keep == KEEP_CURRENT
    assert update == (ASSET, keep, keep, 850, keep, keep)


def test_caps_are_calls_of_their_own() -> None:
    calls = configurator_calls([change(supply_cap=9, borrow_cap=0)])
    assert [call.signature for call in calls] == [
        "setSupplyCap(address,uint256)",
        "setBorrowCap(address,uint256)",
    ]
    assert calls[0].data == selector(calls[0].signature) + encode(
        ["address", "uint256"], [ASSET, 9]
    )
    (engine,) = engine_calls([change(supply_cap=9)])
    ((update,),) = decode(["(address,uint256,uint256)[]"], engine.data[4:])
    assert update == (ASSET, 9, KEEP_CURRENT)


def test_of_a_frozen_reserve_the_pending_ltv_is_called_for() -> None:
    frozen = replace(TODAY, ltv_bps=0, pending_ltv_bps=8050)
    changed = Change(
        asset=ASSET, symbol="WETH", before=frozen, after=replace(frozen, pending_ltv_bps=7900)
    )
    (call,) = configurator_calls([changed])
    assert call.arguments["ltv"] == 7900
    (engine,) = engine_calls([changed])
    assert engine.arguments["updates"][0]["ltv"] == 7900
    lower = replace(changed, after=replace(frozen, liquidation_threshold_bps=8200))
    (engine,) = engine_calls([lower])
    assert engine.arguments["updates"][0]["ltv"] == 8050


@pytest.mark.parametrize(
    ("bps", "text"), [(850, "8.5"), (800, "8"), (801, "8.01"), (10, "0.1"), (0, "0"), (9500, "95")]
)
def test_percentages_have_two_decimals_at_most(bps: int, text: str) -> None:
    assert percent(bps) == text


def parsed(text: str) -> dict[str, Any]:
    """The object of a config.ts."""
    assert text.startswith("import {ConfigFile} from '../../generator/types';\n")
    return dict(json.loads(text.partition(" = ")[2].rstrip().removesuffix(";")))


def test_the_generator_s_input() -> None:
    changes = [change(ltv_bps=7925, liquidation_bonus_bps=850, supply_cap=9)]
    config = parsed(config_ts("aave-v3-ethereum", "WETH: a `title`", changes, BLOCK))
    assert config["rootOptions"]["pools"] == ["AaveV3Ethereum"]
    assert config["rootOptions"]["date"] == "20231114"
    assert config["rootOptions"]["shortName"] == "WETHATitle"
    options = config["poolOptions"]["AaveV3Ethereum"]
    assert options["cache"] == {"blockNumber": 7}
    assert options["configs"] == {
        "COLLATERALS_UPDATE": [
            {
                "asset": "WETH",
                "ltv": "79.25",
                "liqThreshold": "",
                "liqBonus": "8.5",
                "debtCeiling": "",
                "liqProtocolFee": "",
            }
        ],
        "CAPS_UPDATE": [{"asset": "WETH", "supplyCap": "9", "borrowCap": ""}],
    }


@pytest.mark.parametrize("symbol", ["", "x'; rm -rf", "\u202eHTEW", "`${0}`", "a" * 40, "wst ETH"])
def test_an_asset_without_a_plain_name_goes_by_its_address(symbol: str) -> None:
    config = parsed(config_ts("aave-v3-x", "t", [change(symbol, supply_cap=9)], BLOCK))
    (cap,) = config["poolOptions"]["AaveV3X"]["configs"]["CAPS_UPDATE"]
    assert cap["asset"] == "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"


def test_addresses_have_the_case_of_eip_55() -> None:
    for address in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ):
        assert checksum(address.lower()) == address


RESERVE_KEYS = [
    "aToken",
    "borrowCap",
    "borrowingEnabled",
    "debtCeiling",
    "decimals",
    "isActive",
    "isBorrowableInIsolation",
    "isFlashloanable",
    "isFrozen",
    "isPaused",
    "isSiloed",
    "liquidationBonus",
    "liquidationProtocolFee",
    "liquidationThreshold",
    "ltv",
    "oracle",
    "oracleDecimals",
    "oracleLatestAnswer",
    "reserveFactor",
    "supplyCap",
    "symbol",
    "underlying",
    "usageAsCollateralEnabled",
    "variableDebtToken",
    "virtualBalance",
]
"""Keys of a reserve in reports/megaeth_after.json of bgd-labs/aave-helpers that logs can say."""
ASKED_KEYS = [
    "aTokenName",
    "aTokenSymbol",
    "aTokenUnderlyingBalance",
    "id",
    "interestRateStrategy",
    "oracleDescription",
    "variableDebtTokenName",
    "variableDebtTokenSymbol",
]
"""Those that only views say: `tests/onchain/test_proposal.py` asks for them."""


def test_the_snapshot_has_the_form_of_aave_s_own(demo_database: Path) -> None:
    made = configuration(market_at(demo_database).snapshot, Words())
    assert set(made) == {"chainId", "eModes", "poolConfig", "reserves", "strategies"}
    assert len(made["reserves"]) == 8
    for address, reserve in made["reserves"].items():
        assert address == reserve["underlying"] == checksum(address)
        assert list(reserve) == sorted(RESERVE_KEYS)
        assert isinstance(reserve["oracleLatestAnswer"], str)
    weth = next(one for one in made["reserves"].values() if one["symbol"] == "WETH")
    assert (weth["ltv"], weth["liquidationThreshold"], weth["liquidationBonus"]) == (
        8050,
        8300,
        10500,
    )
    assert made["strategies"].keys() == made["reserves"].keys()
    strategy = made["strategies"][weth["underlying"]]
    assert strategy["optimalUsageRatio"] == str(9 * 10**26)
    assert set(made["eModes"]) == {"1", "2"}


def test_differences_are_found_at_any_depth() -> None:
    before = {"a": {"b": 1, "c": 2}, "d": [1], "gone": 1}
    after = {"a": {"b": 1, "c": 3}, "d": [2], "new": 1}
    assert differences(before, after) == {
        "a.c": [2, 3],
        "d": [[1], [2]],
        "gone": [1, None],
        "new": [None, 1],
    }
    assert differences(before, before) == {}


def test_every_file_of_the_payload_is_there_and_reads(demo_database: Path) -> None:
    deployment = market_at(demo_database).snapshot.deployment
    changes = [change(ltv_bps=7900, borrow_cap=1)]
    files = payload(deployment, changes, "title", BLOCK, {"a": 1}, {"a": 2})
    assert set(files) == {
        "pool-configurator.json",
        "config-engine.json",
        "config.ts",
        "safe-batch.json",
        "snapshot-before.json",
        "snapshot-after.json",
    }
    batch = json.loads(files["safe-batch.json"])
    calls = json.loads(files["pool-configurator.json"])["calls"]
    assert [one["data"] for one in batch["transactions"]] == [one["data"] for one in calls]
    to = checksum(deployment.contracts["pool_configurator"])
    assert {one["to"] for one in batch["transactions"]} == {to}
    assert (batch["chainId"], batch["createdAt"]) == ("31337", 1_700_000_000_000)
    engine = json.loads(files["config-engine.json"])["calls"]
    assert engine[0]["arguments"]["updates"][0]["liqBonus"] == "KEEP_CURRENT"
