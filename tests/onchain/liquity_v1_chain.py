"""The chain on which Sovryn Zero lives alone, and what we make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from eth_hash.auto import keccak

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block, CallResult
from defirisk.core.verdict import Mismatch
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.verify import differences
from defirisk.protocols.cdp.liquity_v1 import ADAPTER
from defirisk.protocols.cdp.liquity_v1.referee import NOTHING_TO_LIQUIDATE
from defirisk.store.database import Store
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.guest_deployments import guest_deployment
from tests.devnet.zero.market import Zero
from tests.onchain.markets import index_live, new_store
from tests.onchain.verified import Verified

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
SIGNATURES = (
    *("TroveLiquidated(address,uint256,uint256,uint8)", "LTermsUpdated(uint256,uint256)"),
    *("Redemption(uint256,uint256,uint256,uint256)", "EpochUpdated(uint128)"),
    *("TroveUpdated(address,uint256,uint256,uint256,uint8)", "S_Updated(uint256,uint128,uint128)"),
    *("CollBalanceUpdated(address,uint256)", "ETHGainWithdrawn(address,uint256,uint256)"),
    *("BaseRateUpdated(uint256)", "G_Updated(uint256,uint128,uint128)"),
)
OPERATIONS = ("TroveLiquidated", "TroveUpdated")
"""Events whose last word is the operation."""


def deployment_of(chain: Alone) -> Deployment:
    """The product's deployment for what is on the chain."""
    return guest_deployment("zero", chain.deployment["chain_id"], chain.deployment["protocol"])


@dataclass(frozen=True)
class Indexed(Verified):
    """A running chain and a store filled from it."""

    alone: Alone
    path: Path
    store: Store
    market: Deployment
    block: Block

    @property
    def zero(self) -> Zero:
        return cast(Zero, self.alone.deployed)

    def happened(self) -> Counter[str]:
        """How often each event was emitted, with its operation where it has one."""
        names = {"0x" + keccak(one.encode()).hex(): one.split("(")[0] for one in SIGNATURES}
        wanted = {"address": list(self.zero.addresses.values()), "fromBlock": "0x0"}
        count: Counter[str] = Counter()
        for log in self.alone.chain.rpc.call("eth_getLogs", wanted):
            name = names.get(log["topics"][0], "")
            if name in OPERATIONS:
                manager = log["address"].lower() == self.market.contracts["trove_manager"]
                name += f" {'manager' if manager else 'owner'} {int(log['data'][-64:], 16)}"
            count[name] += 1
        return count


@contextmanager
def indexed_chain(seed: int, folder: Path) -> Iterator[Indexed]:
    """The chain of a seed, running, and indexed to its head."""
    path = build_alone("zero", seed)
    with start_alone(path) as chain:
        store, market = new_store(folder), deployment_of(chain)
        block = index_live(chain.url, store, market).block
        yield Indexed(chain, path, store, market, block)
        store.close()


def block_of(indexed: Indexed, checkpoint: dict[str, Any]) -> Block:
    """With its time, on which the base rate depends."""
    number = checkpoint["block"]
    header = indexed.alone.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
    assert header["hash"] == checkpoint["hash"]
    timestamp = int(header["timestamp"], 16)
    return Block(number=number, hash=checkpoint["hash"], parent_hash="", timestamp=timestamp)


@dataclass
class Compared:
    """Our numbers against a checkpoint's."""

    fields: int = 0
    wrong: list[Mismatch] = field(default_factory=list)
    refusals: set[object] = field(default_factory=set)


def compared(indexed: Indexed, checkpoint: dict[str, Any]) -> Compared:
    """Every question of ours whose answer was kept."""
    said = {(to.lower(), data): answer for to, data, answer in checkpoint["calls"]}
    refused = {
        data: NOTHING_TO_LIQUIDATE.hex() in (reason or "")
        for _, _, data, _, reason in checkpoint["trials"]
    }
    done, codecs = Compared(), Codecs(ADAPTER)
    for question in ADAPTER.questions(indexed.snapshot(block_of(indexed, checkpoint))):
        call = codecs.call(question.view)
        data = "0x" + call.data.hex()
        if question.refusal:
            theirs: tuple[Any, ...] | None = (int(refused[data]),)
            done.refusals.add(theirs)
        elif (call.to, data) in said:
            answer = said[call.to, data]
            raw = bytes.fromhex((answer or "0x")[2:])
            theirs = codecs.answer(question.view, CallResult(answer is not None, raw))
        else:
            continue
        done.wrong += differences(question, theirs)
        done.fields += len(question.fields)
    return done
