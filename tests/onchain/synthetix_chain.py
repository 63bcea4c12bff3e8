"""A running chain with Perps V2 alone, and a store filled from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block
from defirisk.store.database import Store
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.guest_deployments import guest_deployment
from tests.devnet.synthetix.market import Synthetix
from tests.onchain.markets import index_live, new_store
from tests.onchain.verified import Verified

FOLDER = "synthetix"


def deployment_of(alone: Alone) -> Deployment:
    """The product's deployment for the chain's Perps V2."""
    return guest_deployment(FOLDER, alone.deployment["chain_id"], alone.deployment["protocol"])


@dataclass
class Indexed(Verified):
    """The chain, the store, and the block up to which it is filled."""

    alone: Alone
    path: Path
    store: Store
    market: Deployment
    block: Block

    @property
    def synthetix(self) -> Synthetix:
        """The markets on the chain."""
        assert isinstance(self.alone.deployed, Synthetix)
        return self.alone.deployed

    def index(self) -> None:
        """Up to the present head."""
        self.block = index_live(self.alone.url, self.store, self.market).block

    def header(self, number: int) -> Block:
        """A block of the chain, by its number."""
        said = self.alone.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
        return Block(
            number=number,
            hash=said["hash"],
            parent_hash=said["parentHash"],
            timestamp=int(said["timestamp"], 16),
        )


@contextmanager
def indexed_alone(seed: int, folder: Path) -> Iterator[Indexed]:
    """The chain of a seed, indexed into `folder`."""
    path = build_alone(FOLDER, seed)
    with start_alone(path) as alone, indexed(alone, path, folder) as found:
        yield found


@contextmanager
def indexed(alone: Alone, path: Path, folder: Path) -> Iterator[Indexed]:
    """A running chain, indexed into `folder`."""
    store, market = new_store(folder), deployment_of(alone)
    try:
        block = index_live(alone.url, store, market).block
        yield Indexed(alone, path, store, market, block)
    finally:
        store.close()
