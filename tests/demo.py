"""The recorded demo chain, as tests read it."""

from __future__ import annotations

import asyncio
import tomllib
from functools import lru_cache
from pathlib import Path

from defirisk.chain.recorded import RecordedChainReader
from defirisk.chain.recording import Recording
from defirisk.chain.recording_file import read_recording
from defirisk.core.adapter import Deployment
from defirisk.core.book import Book
from defirisk.indexing.deployments import parse
from defirisk.indexing.run import index
from defirisk.resources import read_text, resource
from defirisk.store.database import Store, open_store
from defirisk.store.frames import load_book
from defirisk.store.snapshots import market_deployments, stored_block

NAME = "demo.db"
CHAIN_ID = 31337


def demo_markets() -> list[Deployment]:
    """The deployments that were recorded."""
    tables = tomllib.loads(read_text("fixtures", "demo.toml"))["deployment"]
    return [parse(table, "demo.toml") for table in tables]


def demo_reader(head: int | None = None) -> RecordedChainReader:
    """The recording, up to its end or as of an earlier block."""
    return RecordedChainReader(read_once(resource("fixtures", "demo-chain.jsonl.xz")), head=head)


@lru_cache(maxsize=2)
def read_once(recording: Path) -> Recording:
    """A recording; to be read only. Each takes more than a second to unpack."""
    return read_recording(recording)


def index_demo(folder: Path) -> Path:
    """A database file filled from the recording."""
    path = folder / NAME
    store = open_store(f"sqlite:///{path}", create=True)
    asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))
    store.close()
    return path


def demo_book(store: Store) -> Book:
    """The book at the last block."""
    with store.transaction() as connection:
        deployments = market_deployments(connection, ())
        return load_book(connection, deployments, stored_block(connection, CHAIN_ID, None))
