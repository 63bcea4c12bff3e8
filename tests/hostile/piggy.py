"""The smallest adapter's protocol on py-evm, with every hostile token and feed in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from defirisk.core.adapter import Deployment
from defirisk.core.evm import Address
from defirisk.core.plugins import adapters
from defirisk.core.verdict import Verdict
from defirisk.indexing.run import RunSummary, index
from defirisk.indexing.verify import verify
from defirisk.store.base_tables import metadata
from defirisk.store.database import Store, open_store
from tests.conformance.smallest_adapter import ADAPTER
from tests.hostile.cast import FEEDS, TOKENS, WAD
from tests.hostile.pyevm import PyEvmChain, PyEvmReader
from tests.onchain.markets import stored

NAME = "bank-of-the-strange"


@contextmanager
def registered() -> Iterator[None]:
    """The smallest adapter among the others, as its entry point would have it."""
    if ADAPTER.name in adapters():
        yield
        return
    adapters()[ADAPTER.name] = ADAPTER
    try:
        yield
    finally:
        del adapters()[ADAPTER.name]
        for row_type in ADAPTER.rows:
            if row_type.table in metadata.tables:
                metadata.remove(metadata.tables[row_type.table])


@dataclass
class Bank:
    """A bank on a chain in this process."""

    chain: PyEvmChain
    address: Address
    tokens: dict[str, Address] = field(default_factory=dict)
    feeds: dict[str, Address] = field(default_factory=dict)

    @classmethod
    def deploy(cls) -> Bank:
        chain = PyEvmChain()
        return cls(chain, chain.deploy("PiggyBank"))

    @property
    def deployment(self) -> Deployment:
        """The bank as a user would describe it."""
        chain_id = asyncio.run(PyEvmReader(self.chain).chain_id())
        return Deployment(
            name=NAME,
            protocol=ADAPTER.name,
            chain_id=chain_id,
            first_block=1,
            contracts={"bank": self.address},
        )

    def feed(self, kind: str) -> Address:
        """A new feed that has already said what it has to say."""
        its = FEEDS[kind]
        feed = self.chain.deploy("HostileFeed", its.of_itself, f"{kind} / USD")

        def send(signature: str, *args: Any) -> None:
            self.chain.send(feed, signature, *args)

        its.act(send, self.chain.time)
        return feed

    def list_asset(self, token: str, feed: str, *, amount: int = 5) -> Address:
        """A new token with a new feed; the first two accounts save whole tokens of it."""
        asset = self.chain.deploy("HostileToken", *TOKENS[token].constructor)
        source = self.feed(feed)
        self.chain.send(self.address, "list_asset(address,address)", asset, source)
        for sender in (0, 1):
            account = self.chain.accounts[sender]
            self.chain.send(asset, "mint(address,uint256)", account, 10 * amount * WAD)
            approve = ("approve(address,uint256)", self.address, 10 * amount * WAD)
            self.chain.send(asset, *approve, sender=sender)
            save = ("save(address,uint256)", asset, amount * WAD)
            self.chain.send(self.address, *save, sender=sender)
        self.tokens[f"{token}/{feed}"] = asset
        self.feeds[f"{token}/{feed}"] = source
        return asset

    def index(self, store: Store) -> RunSummary:
        """The product's own run, up to the head."""
        return asyncio.run(index(PyEvmReader(self.chain), store, [self.deployment], "latest"))

    def verify(self, store: Store, summary: RunSummary) -> Verdict:
        """The product's own comparison."""
        its = stored(store, self.deployment)
        return asyncio.run(verify(PyEvmReader(self.chain), store, its, summary.block))


def new_store(folder: Path) -> Store:
    """An empty store; the adapter must be registered before."""
    return open_store(f"sqlite:///{folder / 'bank.db'}", create=True)
