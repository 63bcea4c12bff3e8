"""The chain on which Maker lives alone, and what we make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_hash.auto import keccak

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block
from defirisk.store.database import Store
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.guest_deployments import OF_MAKER, guest_deployment
from tests.devnet.maker.market import KINDS, Kind, Maker
from tests.onchain.markets import index_live, new_store
from tests.onchain.verified import Verified

CALLS = (
    *("frob(bytes32,address,address,address,int256,int256)", "heal(uint256)", "drip(bytes32)"),
    *("grab(bytes32,address,address,address,int256,int256)", "give(uint256,address)"),
    *("fork(bytes32,address,address,int256,int256)", "fold(bytes32,address,int256)"),
    *("tend(uint256,uint256,uint256)", "dent(uint256,uint256,uint256)", "deal(uint256)"),
    *("tick(uint256)", "quit(uint256,address)", "enter(address,uint256)", "claw(uint256)"),
    *("file(bytes32,uint256)", "file(bytes32,bytes32,uint256)"),
)
EVENTS = (
    "Poke(bytes32,bytes32,uint256)",
    "Bite(bytes32,address,uint256,uint256,uint256,address,uint256)",
    "NewCdp(address,address,uint256)",
)


def deployment_of(chain: Alone) -> Deployment:
    """The product's deployment for what is on the chain."""
    return guest_deployment("maker", chain.deployment["chain_id"], chain.deployment["protocol"])


@dataclass(frozen=True)
class Indexed(Verified):
    """A running chain and a store filled from it."""

    alone: Alone
    path: Path
    store: Store
    market: Deployment
    block: Block

    @property
    def maker(self) -> Maker:
        return cast(Maker, self.alone.deployed)

    def logs(self) -> list[dict[str, Any]]:
        """Of the contracts of the population, after the package's own history."""
        flips = [self.maker.of("MCD_FLIP", kind) for kind in KINDS]
        watched = [*(self.maker[name] for name in OF_MAKER.values()), *flips]
        since = {"address": watched, "fromBlock": hex(self.history + 1)}
        return list(self.alone.chain.rpc.call("eth_getLogs", since))

    @property
    def history(self) -> int:
        """The last block that the package's own chain had."""
        return 669

    def happened(self) -> Counter[str]:
        """How often each call was noted and each event emitted."""
        names = {keccak(one.encode()).hex(): one for one in EVENTS}
        names |= {keccak(one.encode())[:4].hex() + 56 * "0": one for one in CALLS}
        known = (names.get(log["topics"][0][2:], "") for log in self.logs())
        return Counter(one.split("(")[0] for one in known)

    def kind_of(self, ilk: str) -> Kind:
        return next(kind for kind in KINDS if kind.ilk == ilk)


@contextmanager
def indexed_chain(seed: int, folder: Path) -> Iterator[Indexed]:
    """The chain of a seed, running, and indexed to its head."""
    path = build_alone("maker", seed)
    with start_alone(path) as chain:
        store, market = new_store(folder), deployment_of(chain)
        block = index_live(chain.url, store, market).block
        yield Indexed(chain, path, store, market, block)
        store.close()
