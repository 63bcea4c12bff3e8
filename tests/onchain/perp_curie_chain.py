"""A running chain with Perp Curie on it, and a store filled from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Block
from defirisk.store.database import Store
from tests.devnet.alone import Alone
from tests.devnet.guest_deployments import guest_deployment
from tests.onchain.markets import index_live, new_store
from tests.onchain.verified import Verified

FOLDER = "curie_perp"


def deployment_of(alone: Alone) -> Deployment:
    """The product's deployment for the chain's Perp Curie."""
    return guest_deployment(FOLDER, alone.deployment["chain_id"], alone.deployment["protocol"])


@dataclass
class Indexed(Verified):
    """What a store knows of the chain; `block` is where its last run ended."""

    alone: Alone
    store: Store
    market: Deployment
    block: Block

    @classmethod
    def of(cls, alone: Alone, folder: Path, to: int | None = None) -> Indexed:
        """A new store, filled up to a block."""
        store, market = new_store(folder), deployment_of(alone)
        summary = index_live(alone.url, store, market, "latest" if to is None else to)
        return cls(alone, store, market, summary.block)

    def advance(self, to: int | None = None) -> None:
        """Index on."""
        summary = index_live(
            self.alone.url, self.store, self.market, "latest" if to is None else to
        )
        self.block = summary.block
