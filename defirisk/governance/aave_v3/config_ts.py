"""The input of Aave's payload generator (`npm run generate -- -c config.ts`).

Form: `ConfigFile` of github aave-dao/aave-proposals-v3, generator/types.ts, where percentages are
text with up to two decimals and an empty one keeps what is. Pools and assets are named as in Aave's
address book. Token words are hostile: an asset that is not plain letters and digits is named by its
address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from defirisk.core.evm import Block
from defirisk.governance.aave_v3.calls import COLLATERAL
from defirisk.governance.aave_v3.checksum import checksum
from defirisk.governance.change import Change

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]{0,23}")


def config_ts(deployment: str, title: str, changes: Sequence[Change], block: Block) -> str:
    """The file's text. The deployment aave-v3-ethereum is the pool AaveV3Ethereum."""
    pool = _capitals(deployment)
    configs: dict[str, Any] = {}
    collateral = [_collateral(change) for change in changes if change.is_any(*COLLATERAL)]
    caps = [_caps(change) for change in changes if change.is_any("supply_cap", "borrow_cap")]
    if collateral:
        configs["COLLATERALS_UPDATE"] = collateral
    if caps:
        configs["CAPS_UPDATE"] = caps
    config = {
        "rootOptions": {
            "author": "",
            "pools": [pool],
            "title": title,
            "shortName": _capitals(title),
            "date": _date(block.timestamp),
            "discussion": "",
            "snapshot": "",
        },
        "poolOptions": {pool: {"configs": configs, "cache": {"blockNumber": block.number}}},
    }
    return (
        "import {ConfigFile} from '../../generator/types';\n"
        f"export const config: ConfigFile = {json.dumps(config, indent=2)};\n"
    )


def _capitals(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", text))


def percent(bps: int) -> str:
    """8.5 % is "8.5": two decimals at most."""
    return f"{bps // 100}.{bps % 100:02}".rstrip("0").rstrip(".")


def _collateral(change: Change) -> dict[str, str]:
    after = change.after
    ltv = percent(after.pending_ltv_bps or after.ltv_bps)
    return {
        "asset": asset_name(change),
        "ltv": ltv if change.is_any("ltv_bps", "pending_ltv_bps") else "",
        "liqThreshold": percent(after.liquidation_threshold_bps)
        if change.is_any("liquidation_threshold_bps")
        else "",
        "liqBonus": percent(after.liquidation_bonus_bps)
        if change.is_any("liquidation_bonus_bps")
        else "",
        "debtCeiling": "",
        "liqProtocolFee": "",
    }


def _caps(change: Change) -> dict[str, str]:
    return {
        "asset": asset_name(change),
        "supplyCap": str(change.after.supply_cap) if change.is_any("supply_cap") else "",
        "borrowCap": str(change.after.borrow_cap) if change.is_any("borrow_cap") else "",
    }


def asset_name(change: Change) -> str:
    """The symbol as the address book has it, or the address."""
    return change.symbol if _PLAIN.fullmatch(change.symbol) else checksum(change.asset)


def _date(timestamp: int) -> str:
    """YYYYMMDD of the block, in UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y%m%d")
