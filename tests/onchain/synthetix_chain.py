"""A running chain with Perps V2 alone, and a store filled from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from defirisk.store.database import Store
from defirisk.store.snapshots import snapshot
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.synthetix.market import Synthetix
from tests.onchain.markets import index_live, new_store, stored, with_reader

FOLDER = "synthetix"


def deployment_of(alone: Alone) -> Deployment:
    """The product's deployment for the chain's Perps V2."""
    section = alone.deployment["protocol"]
    return Deployment(
        name=section["name"],
        protocol=ADAPTER.name,
        chain_id=alone.deployment["chain_id"],
        first_block=section["first_block"],
        contracts={"address_resolver": section["address_resolver"].lower()},
        follows={"sETHPERP": "WETH", "sBTCPERP": "WBTC", "sLINKPERP": "LINK"},
    )


@dataclass
class Indexed:
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

    def verdict(self) -> Verdict:
        """Every number against the contracts at the indexed block."""
        of = stored(self.store, self.market)
        return with_reader(
            self.alone.url, lambda reader: verify(reader, self.store, of, self.block)
        )

    def snapshot(self, block: Block | None = None) -> Snapshot:
        """All rows at a block."""
        with self.store.transaction() as connection:
            # Rows are loaded where they are asked for: the connection has to outlive this.
            found = snapshot(connection, stored(self.store, self.market), block or self.block)
            for row_type in ADAPTER.rows:
                found.rows.all(row_type)
        return found

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
