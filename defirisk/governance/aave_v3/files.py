"""The payload of a proposal, one file for each way of executing it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block
from defirisk.governance.aave_v3.calls import configurator_calls, engine_calls, shown, target
from defirisk.governance.aave_v3.config_ts import config_ts
from defirisk.governance.aave_v3.safe import safe_batch
from defirisk.governance.change import Change

_ENGINE_NOTE = (
    "Call these from a payload, by delegatecall to the market's AaveV3ConfigEngine; KEEP_CURRENT "
    "is EngineFlags.KEEP_CURRENT."
)


def payload(
    deployment: Deployment,
    changes: Sequence[Change],
    title: str,
    block: Block,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> dict[str, bytes]:
    """The files by name; `before` and `after` are `snapshot.configuration`."""
    configurator = deployment.contracts["pool_configurator"]
    calls = configurator_calls(changes)
    batch = safe_batch(deployment.chain_id, configurator, calls, title, block)
    engine = [
        {"signature": call.signature, "arguments": shown(call.arguments), "data": _hex(call.data)}
        for call in engine_calls(changes)
    ]
    return {
        "pool-configurator.json": _json({"calls": target(configurator, calls)}),
        "config-engine.json": _json({"note": _ENGINE_NOTE, "calls": engine}),
        "config.ts": config_ts(deployment.name, title, changes, block).encode(),
        "safe-batch.json": _json(batch),
        "snapshot-before.json": _json(before),
        "snapshot-after.json": _json(after),
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
