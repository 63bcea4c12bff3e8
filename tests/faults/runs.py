"""The product's own runs, hurried: retries wait for milliseconds, ranges are small."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.generated_chain import GeneratedChain, deployment
from defirisk.chain.range_size import RangeSettings
from defirisk.chain.rate_state import RateState, Row
from defirisk.chain.retry import RetryPolicy
from defirisk.chain.rpc import RpcChainReader
from defirisk.chain.transport import TransportSettings
from defirisk.core.errors import NodeError
from defirisk.core.evm import BlockTag
from defirisk.indexing.audit.settings import AuditMode, AuditSettings
from defirisk.indexing.run import Indexer, RunSummary
from defirisk.store.database import Store, open_store
from tests.databases import database_url

WATCHED = 1
"""How many of a chain's tokens are indexed; the others are strangers in the same blocks."""
HURRIED = TransportSettings(
    timeout=2.0,
    retry=RetryPolicy(first_delay=0.002, max_delay=0.02, max_retry_after=0.02),
)
SMALL = RangeSettings(first_blocks=120, max_blocks=600, target_logs=500)


class Unpaced:
    """A provider whose refusals have nothing to do with how often it is asked: no rate helps."""

    def update(self, provider: str, change: Callable[[Row], Row]) -> Row:
        """No limit, whatever was refused."""
        return RateState()


def reader_of(urls: Sequence[str]) -> RpcChainReader:
    """A reader in a hurry."""
    reader = RpcChainReader(urls, transport=HURRIED, ranges=SMALL)
    reader.share_rates(Unpaced())
    return reader


def indexer(
    reader: RpcChainReader,
    store: Store,
    chain: GeneratedChain,
    to_block: int | BlockTag = "latest",
    audit: AuditMode = "sample",
) -> Indexer:
    """What `defirisk index` runs, for the watched tokens."""
    settings = AuditSettings(mode=audit)
    return Indexer(reader, store, [deployment(chain, WATCHED)], to_block, audit=settings)


def run(
    store: Store,
    chain: GeneratedChain,
    urls: Sequence[str],
    to_block: int | BlockTag = "latest",
    audit: AuditMode = "sample",
) -> RunSummary | NodeError:
    """One `defirisk index`, or the error with which it ended."""

    async def go() -> RunSummary:
        reader = reader_of(urls)
        try:
            return await indexer(reader, store, chain, to_block, audit).run()
        finally:
            await reader.aclose()

    try:
        return asyncio.run(go())
    except NodeError as error:
        return error


def done(ended: RunSummary | NodeError) -> RunSummary:
    """The summary of a run that must have come to its end."""
    if isinstance(ended, NodeError):
        raise ended
    return ended


class Stores:
    """Empty stores, in the database that the suite was told to use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def new(self) -> Store:
        """A store that nothing is in."""
        self._made += 1
        return open_store(database_url(self._folder / f"store{self._made}.db"), create=False)


def reopened(store: Store) -> Store:
    """The store as another process finds it."""
    url = store.engine.url.render_as_string(hide_password=False)
    store.close()
    return open_store(url, create=False)
