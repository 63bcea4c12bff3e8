"""A chain with price sources of every kind, and what its tests ask of a store and of contracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from defirisk.core.adapter import Answer, MarketAdapter, Snapshot
from defirisk.core.book import Book
from defirisk.core.evaluation import Floats, evaluate
from defirisk.core.evm import Address
from defirisk.core.plugins import adapter, adapters
from defirisk.core.quote import Leaf, Program, exact
from defirisk.core.scenario import ExactMoves, Moves, Scenario
from defirisk.core.sources import Sources
from defirisk.indexing.run import index
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.raw import block_at
from defirisk.store.registry import StoredDeployment, stored_deployments
from defirisk.store.snapshots import snapshot, sources_at, stored_block
from tests.devnet.abi import view_data, words
from tests.devnet.build import Devnet, fresh
from tests.devnet.chain import Tx
from tests.devnet.oracles.market import (
    CAPPED,
    FAIR,
    NAIVE,
    PEGGED,
    PYTH,
    RENEWED,
    TWAP_V2,
    TWAP_V3,
    WRITTEN,
)
from tests.devnet.record import deployments
from tests.onchain.markets import new_store, with_reader

SIGN = 1 << 255
KINDS = {
    TWAP_V2: "uniswap-twap-v2",
    TWAP_V3: "uniswap-twap-v3",
    CAPPED: "capped-ratio",
    NAIVE: "lp-share",
    FAIR: "lp-share",
    PEGGED: "hard-coded",
    WRITTEN: "hard-coded",
    PYTH: "pyth",
    RENEWED: "chainlink",
    "WETH": "chainlink",
}
"""Every source of our own and one shared feed, with the adapter that is to know it."""


@dataclass(frozen=True)
class Oracled:
    """A running chain with all its history, and a store of it."""

    devnet: Devnet
    store: Store

    @classmethod
    def of(cls, devnet: Devnet, store: Store) -> Oracled:
        """Everything that is on the chain, indexed to its head."""
        every = deployments(devnet.deployment)
        with_reader(devnet.url, lambda reader: index(reader, store, every, "latest"))
        return cls(devnet, store)

    @property
    def chain_id(self) -> int:
        return int(self.devnet.deployment["chain_id"])

    def source(self, label: str) -> Address:
        """The address of a source of our own, or of the shared feed of a symbol."""
        own = self.devnet.protocols.oracles.sources.get(label)
        return (own.address if own else self.devnet.market.feeds.by_symbol[label].proxy).lower()

    def sources(self, number: int | None = None, timestamp: int | None = None) -> Sources:
        """What is known at a block, or would be at `timestamp`: caps and means move alone."""
        with self.store.transaction() as connection:
            if number is None:
                block = stored_block(connection, self.chain_id, None)
            else:
                found = block_at(connection, self.chain_id, number)
                assert found is not None
                block = found
            if timestamp is not None:
                block = replace(block, timestamp=timestamp)
            return sources_at(connection, self.chain_id, block)

    def markets(self, number: int | None = None) -> Iterator[tuple[MarketAdapter, Snapshot]]:
        """Every market adapter with its snapshot at a block."""
        with self.store.transaction() as connection:
            block = stored_block(connection, self.chain_id, number)
            found = sources_at(connection, self.chain_id, block)
            for stored in self._markets():
                its = adapter(stored.deployment.protocol)
                assert isinstance(its, MarketAdapter)
                at = snapshot(connection, stored, block, found)
                for row_type in its.rows:
                    at.rows.all(row_type)
                yield its, at

    def book(self) -> Book:
        with self.store.transaction() as connection:
            block = stored_block(connection, self.chain_id, None)
            return load_book(connection, self._markets(), block)

    def _markets(self) -> list[StoredDeployment]:
        with self.store.transaction() as connection:
            every = stored_deployments(connection)
        known = adapters()
        return [one for one in every if isinstance(known[one.deployment.protocol], MarketAdapter)]

    def asked(
        self, calls: Sequence[tuple[Address, str]], number: int | None = None
    ) -> list[int | None]:
        """The first word of each answer, as a signed integer; None where a call reverts."""
        block = self.devnet.chain.head if number is None else number
        said = self.devnet.chain.calls(calls, block)
        return [None if one in (None, "0x") else signed(words(one or "")[0]) for one in said]

    def answer(self, feed: Address) -> int:
        """`latestAnswer` at the head."""
        (said,) = self.asked([(feed, view_data("latestAnswer()"))])
        assert said is not None
        return said

    @contextmanager
    def tried(self) -> Iterator[None]:
        """What is done to the chain in here is undone afterwards."""
        chain, feeds = self.devnet.chain, self.devnet.market.feeds.by_symbol
        rounds = {symbol: feed.next_round for symbol, feed in feeds.items()}
        before = chain.rpc.call("evm_snapshot")
        try:
            yield
        finally:
            chain.rpc.call("evm_revert", before)
            chain.resync()
            for symbol, number in rounds.items():
                feeds[symbol].next_round = number

    def must(self, *txs: Tx) -> None:
        """In one block; whoever sends has ether."""
        self.devnet.chain.fund({tx.sender for tx in txs}, wei=10**27)
        self.devnet.chain.must(*txs)


@contextmanager
def lived(folder: Path) -> Iterator[Oracled]:
    """A short life of a few accounts, in which every source answers."""
    with fresh(1, accounts=12, actions=60) as devnet:
        store = new_store(folder)
        yield Oracled.of(devnet, store)
        store.close()


@dataclass(frozen=True)
class Before:
    """The chain as it is, and what a shock makes of an answer."""

    oracled: Oracled
    book: Book

    def moved(self, label: str, moves: Moves) -> tuple[Answer, Fraction]:
        """What the program of a source makes of the moves, at the head's time, in its integers."""
        later = self.oracled.devnet.chain.time
        feed = self.oracled.source(label)
        answer = self.oracled.sources(timestamp=later).answers[feed]
        exactly = ExactMoves(self.book, Scenario(name="", shocks=(), moves=moves))
        return answer, raw(answer, exact(answer.of(feed), exactly.leaf))

    def place(self, symbol: str) -> int:
        """An asset of the book."""
        address = self.oracled.devnet.market.tokens.by_symbol[symbol].lower()
        return [asset.address for asset in self.book.assets].index(address)


def signed(word: int) -> int:
    return word - 2 * SIGN if word >= SIGN else word


def in_floats(program: Program) -> float:
    """The program as the lane kernel evaluates it, with every leaf a float."""

    def read(leaf: Leaf) -> Floats:
        return np.array([np.nan if leaf.value is None else float(leaf.value)])

    return float(evaluate(program, read)[0])


def raw(answer: Answer, value: Fraction | None) -> Fraction:
    """A price in the answer's own integers, before it is cut to one."""
    assert value is not None
    return value * Fraction(10) ** answer.decimals
