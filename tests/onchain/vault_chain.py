"""A chain with vaults on it, and a store with all its protocols in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from defirisk.core.adapter import Deployment
from defirisk.core.book import Book
from defirisk.core.claim import Claim
from defirisk.core.evm import Block
from defirisk.core.verdict import Verdict
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.registry import StoredDeployment, find_deployment
from defirisk.store.snapshots import market_deployments, sources_at, stored_block
from tests.devnet.abi import words
from tests.devnet.build import CHAIN_ID, Devnet
from tests.devnet.record import deployments
from tests.onchain.markets import with_reader

PLAIN, LENDING = f"erc4626-{CHAIN_ID}", f"meta-morpho-{CHAIN_ID}"


@dataclass(frozen=True)
class Wrapped:
    """A running chain, and what was indexed of it."""

    devnet: Devnet
    store: Store
    seed: int

    def index(self) -> None:
        """One run over everything, up to the head."""
        every: list[Deployment] = deployments(self.devnet.deployment)
        with_reader(self.devnet.url, lambda reader: index(reader, self.store, every, "latest"))

    def stored(self, name: str) -> StoredDeployment:
        with self.store.transaction() as connection:
            found = find_deployment(connection, name)
        assert found is not None
        return found

    def verdict(self, name: str) -> Verdict:
        """What the contracts say of our numbers at the last block."""
        its, block = self.stored(name), self.head()
        return with_reader(self.devnet.url, lambda reader: verify(reader, self.store, its, block))

    def head(self) -> Block:
        with self.store.transaction() as connection:
            return stored_block(connection, CHAIN_ID, None)

    def claims(self) -> dict[str, Claim]:
        """By token, at the last block."""
        with self.store.transaction() as connection:
            block = stored_block(connection, CHAIN_ID, None)
            return sources_at(connection, CHAIN_ID, block).claims

    def book(self) -> Book:
        with self.store.transaction() as connection:
            block = stored_block(connection, CHAIN_ID, None)
            return load_book(connection, market_deployments(connection, ()), block)

    def vault(self, symbol: str) -> str:
        """The address of a vault by the symbol of its shares."""
        return self.devnet.protocols.vaults.by_symbol[symbol].address

    def ask(self, to: str, view: str, *args: Any) -> int:
        """The first word of a view's answer at the head."""
        return words(self.devnet.chain.call(to, view, *args))[0]
