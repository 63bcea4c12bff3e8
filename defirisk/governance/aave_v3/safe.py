"""The calls as a batch that Safe's transaction builder loads (its JSON, version 1.0)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from defirisk.core.evm import Address, Block
from defirisk.governance.aave_v3.calls import ContractCall
from defirisk.governance.aave_v3.checksum import checksum


def safe_batch(
    chain_id: int, to: Address, calls: Iterable[ContractCall], title: str, block: Block
) -> dict[str, Any]:
    """`createdAt` is the time of the block, in milliseconds: the same command makes the same."""
    return {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": block.timestamp * 1000,
        "meta": {
            "name": title,
            "description": f"Made from block {block.number} ({block.hash})",
            "txBuilderVersion": "1.16.5",
        },
        "transactions": [
            {
                "to": checksum(to),
                "value": "0",
                "data": "0x" + call.data.hex(),
                "contractMethod": None,
                "contractInputsValues": None,
            }
            for call in calls
        ],
    }
